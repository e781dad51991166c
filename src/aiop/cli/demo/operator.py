"""The operator as a process of its own, exactly as it runs in a cluster but for where it finds its API server."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aiop.cli.demo.errors import ManagerDied
from aiop.sim.processes.supervised import Command, Supervised, start

# The manager's own grace for a clean stop is 30 s (runtime contract S28); a little more, then it is killed.
_STOP_SECONDS = 35.0
_LOG_LINES_SHOWN = 20
_METRICS = "/metrics"


class _Line(msgspec.Struct, frozen=True):
    """What matters here of a line of its log."""

    event: str = ""
    paths: tuple[str, ...] = ()
    address: str = ""


class OperatorProcess:
    """`aiop manager` as a child process; its log goes to ``log``.

    It does not outlive this process, however that ends.
    """

    def __init__(self, kubeconfig: Path, log: Path, *, arguments: Sequence[str] = ()) -> None:
        self._kubeconfig = kubeconfig
        self._log = log
        self._arguments = arguments
        self._process: Supervised | None = None

    async def start(self) -> None:
        """Start it; nobody waits until it is ready."""
        words = (
            *(sys.executable, "-m", "aiop", "manager", "--kubeconfig", str(self._kubeconfig)),
            *("--health-address", "", "--metrics-address", "127.0.0.1:0"),
            *self._arguments,
        )
        # What it writes beside its log, such as the key to the API server, goes the way of the log.
        environment = {**os.environ, "TMPDIR": str(self._log.parent)}
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        streams = (os.open(os.devnull, os.O_RDONLY), log, os.dup(log))
        try:
            self._process = await start(Command(words, environment, Path(), streams=streams))
        finally:
            for each in streams:
                os.close(each)

    async def check(self) -> None:
        """Raise ManagerDied, with the end of its log, if it has ended."""
        if self._process is not None and self._process.over:
            lines = (await asyncio.to_thread(self._read_log)).splitlines()[-_LOG_LINES_SHOWN:]
            message = f"the operator ended with exit code {await self._process.wait()}:\n" + "\n".join(lines)
            raise ManagerDied(message)

    async def metrics_url(self) -> str:
        """Where its metrics are, as its log tells; empty before the operator listens."""
        lines = (await asyncio.to_thread(self._read_log)).splitlines()
        address = next(filter(None, map(_listens_at, lines)), "")
        return f"http://{address}{_METRICS}" if address else ""

    def _read_log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    async def stop(self) -> None:
        """SIGTERM, its grace, then SIGKILL."""
        if self._process is None or self._process.over:
            return
        self._process.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def _listens_at(line: str) -> str:
    """The address of the metrics, if that is what the line of the log says."""
    try:
        said = msgspec.json.decode(line, type=_Line)
    except msgspec.MsgspecError:
        return ""
    return said.address if said.event == "the operator listens" and _METRICS in said.paths else ""
