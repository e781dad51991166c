"""The operator as a process of its own, exactly as it runs in a cluster but for where it finds its API server."""

import asyncio
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from aiop.cli.demo.errors import ManagerDied

# The manager's own grace for a clean stop is 30 s (runtime contract S28); a little more, then it is killed.
_STOP_SECONDS = 35.0
_LOG_LINES_SHOWN = 20


class OperatorProcess:
    """`aiop manager` as a child process; its log goes to ``log``, its metrics to ``metrics_url``."""

    def __init__(self, kubeconfig: Path, log: Path, *, arguments: Sequence[str] = ()) -> None:
        self._kubeconfig = kubeconfig
        self._log = log
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self.metrics_url = ""

    async def start(self) -> None:
        """Start it on free loopback ports; it is ready once its `/readyz` says so, which nobody here waits for."""
        health, metrics = _free_port(), _free_port()
        self.metrics_url = f"http://127.0.0.1:{metrics}/metrics"
        with await asyncio.to_thread(self._log.open, "wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "aiop", "manager", "--kubeconfig", str(self._kubeconfig)),
                *("--health-address", f"127.0.0.1:{health}", "--metrics-address", f"127.0.0.1:{metrics}"),
                *self._arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is the demo's to pass on, in its order
            )

    async def check(self) -> None:
        """Raise ManagerDied, with the end of its log, if it has ended."""
        if self._process is not None and self._process.returncode is not None:
            log = await asyncio.to_thread(self._log.read_text, errors="replace")
            lines = log.splitlines()[-_LOG_LINES_SHOWN:]
            message = f"the operator ended with exit code {self._process.returncode}:\n" + "\n".join(lines)
            raise ManagerDied(message)

    async def stop(self) -> None:
        """SIGTERM, its grace, then SIGKILL."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
