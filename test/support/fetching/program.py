"""The fetcher as a process, from its real requirements, as the kubelet would run it."""

import json
import re
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.fetching.environments import ROOT

_SECONDS = 120


@dataclass(frozen=True)
class Ended:
    """How a run ended. ``memory`` is its largest resident size in bytes."""

    code: int
    said: str
    outcome: dict[str, Any]
    memory: int

    @property
    def reason(self) -> str:
        return str(self.outcome["reason"])

    @property
    def message(self) -> str:
        return str(self.outcome["message"])


class _Memory(threading.Thread):
    """Watches the largest resident size of a process; wait4 would tell that of its parent at the fork."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self.peak = 0

    def run(self) -> None:
        while True:
            try:
                found = re.search(r"VmHWM:\s+(\d+) kB", self._status.read_text())
            except OSError:
                return
            if not found:  # it has ended and nobody has looked yet
                return
            self.peak = int(found[1]) * 1024
            time.sleep(0.02)


@dataclass
class Program:
    """Runs `python -m aiop.fetcher` in an environment of its own; ``environment`` is all that it sees."""

    python: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def log(self) -> Path:
        return self.folder / "termination-log"

    def start(self, command: str, uri: str, **environment: str) -> "subprocess.Popen[str]":
        """The process, under way."""
        (self.folder / "home").mkdir(parents=True, exist_ok=True)
        self.log.unlink(missing_ok=True)
        known = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "HOME": str(self.folder / "home"),
            "AIOP_TERMINATION_LOG": str(self.log),
            "AIOP_ATTEMPTS": "2",
            **self.environment,
            **environment,
        }
        return subprocess.Popen(
            [*self.prefix, str(self.python), "-m", "aiop.fetcher", command, uri, str(self.model)],
            env={name: value for name, value in known.items() if value},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str, uri: str, **environment: str) -> Ended:
        """One run to its end."""
        with self.start(command, uri, **environment) as process:
            return self.ended(process)

    def ended(self, process: "subprocess.Popen[str]") -> Ended:
        """The end of a run that was started."""
        memory = _Memory(process.pid)
        memory.start()
        said, _ = process.communicate(timeout=_SECONDS)
        memory.join()
        text = self.log.read_text()
        assert len(text.encode()) <= 2048
        assert text.count("\n") == 1
        return Ended(process.returncode, said, json.loads(text), memory.peak)

    def both(self, uri: str, **environment: str) -> tuple[Ended, Ended]:
        """`measure`, then `fetch`; both have to end well."""
        measured = self.run("measure", uri, **environment)
        assert (measured.code, measured.reason) == (0, "Measured"), measured
        fetched = self.run("fetch", uri, **environment)
        assert (fetched.code, fetched.reason) == (0, "Fetched"), fetched
        return measured, fetched

    def contents(self) -> dict[str, bytes]:
        """What lies in the model's folder."""
        files = [path for path in self.model.rglob("*") if not path.is_dir()]
        return {str(path.relative_to(self.model)): path.read_bytes() for path in files}
