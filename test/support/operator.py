"""The operator as a process, for tests that look at it from outside."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, TypeVar

from hack.ports import free_ports
from support.kubectl import eventually

_STOP_SECONDS = 40.0
_O = TypeVar("_O", bound="Operator")


class Operator:
    """`aiop manager` with a kubeconfig; starts, is killed, starts again."""

    program: ClassVar[tuple[str, ...]] = ("aiop", "manager")

    def __init__(self, kubeconfig: Path, log: Path, *arguments: str) -> None:
        self._kubeconfig = kubeconfig
        self.log = log
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}
        self.health = ""
        self.metrics = ""

    def with_options(self, log: Path, *arguments: str) -> "Operator":
        """Another one of the same cluster, with further options; start it once this one has stopped."""
        return type(self)(self._kubeconfig, log, *self._arguments, *arguments)

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.launch()
        eventually(self.ready, told=self.words)

    def launch(self) -> None:
        """Start it and wait for nothing."""
        health, metrics = free_ports(2)
        self.health, self.metrics = f"http://127.0.0.1:{health}", f"http://127.0.0.1:{metrics}/metrics"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", *self.program, "--kubeconfig", str(self._kubeconfig)),
                    *("--health-address", f"127.0.0.1:{health}", "--metrics-address", f"127.0.0.1:{metrics}"),
                    *self._arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | self.environment,
            )

    def ready(self) -> bool:
        """What /readyz says."""
        assert self._process is not None
        assert self._process.poll() is None, f"the operator ended:\n{self.words()}"
        return self.fetch(f"{self.health}/readyz") == "ok"

    def readiness(self) -> str:
        """What /readyz answers, whether it is ready or not; empty while nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.health}/readyz", timeout=5) as answer:  # noqa: S310 - http on loopback
                return str(answer.read().decode())
        except urllib.error.HTTPError as refusal:
            return refusal.read().decode()
        except OSError:
            return ""

    @staticmethod
    def fetch(url: str) -> str:
        """The body at a URL of ours, or nothing."""
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - http on loopback
                return str(answer.read().decode())
        except OSError:
            return ""

    @property
    def pid(self) -> int:
        """The process that runs or ran last."""
        assert self._process is not None
        return self._process.pid

    @property
    def ended(self) -> bool:
        """True once the process has ended."""
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(_STOP_SECONDS)

    def words(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])


@contextmanager
def running(operator: _O) -> Iterator[_O]:
    """Ends it with the context: well and by itself if the test went well, else at once."""
    try:
        yield operator
        if not operator.ended:
            assert operator.stop() == 0, operator.words()
    finally:
        if not operator.ended:
            operator.kill()
