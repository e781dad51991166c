"""Child processes that end with us: started with their parent's death as their own, stopped by id, in order."""

import ctypes
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class ProcessFailed(RuntimeError):
    """Raised when a component ended by itself; the text holds the end of its log."""


def die_with_parent() -> None:
    """For a child, before it becomes its program: the kernel kills it when the parent's thread that made it ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Component:
    """One process with its log file."""

    def __init__(self, name: str, command: Sequence[str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads of ours hold locks when components start
            )

    def check(self) -> None:
        """Raise ProcessFailed if it has ended."""
        code = self.process.poll()
        if code is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
            message = f"{self.name} ended with exit code {code}:\n{tail}"
            raise ProcessFailed(message)

    def stop(self, seconds: float) -> None:
        """SIGTERM, then SIGKILL after ``seconds``; returns when it has ended, so that its port is free."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


def wait_until(ready: Callable[[], bool], components: Sequence[Component], seconds: float) -> None:
    """Ask ``ready()`` until it says True; raises ProcessFailed if a component ends or the time is up."""
    deadline = time.monotonic() + seconds
    while not ready():
        for component in components:
            component.check()
        if time.monotonic() > deadline:
            names = ", ".join(component.name for component in components)
            message = f"{names}: not ready after {seconds:.0f} s"
            raise ProcessFailed(message)
        time.sleep(0.05)
