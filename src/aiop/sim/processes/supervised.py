"""A command under its supervisor, as the event loop sees it: started, told signals, waited for."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiop.sim.processes.errors import CommandNotStarted
from aiop.sim.processes.supervisor import Order, exit_code
from aiop.sim.processes.sweeping import sweep

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
# Isolated and without site-packages: it starts in about 20 ms and sees nothing of the caller's environment.
_INTERPRETER = ("-I", "-S")
# As kubelets rotate: containerLogMaxSize.
LOG_BYTES = 10 * 2**20


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, exactly: nothing is added, and nothing is inherited from the caller but what is listed here.

    ``log`` None: ``streams`` are three descriptors to inherit as standard input, output and error; the caller closes
    its own copies.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path | None = None
    log_bytes: int = LOG_BYTES
    streams: tuple[int, ...] = field(default=())
    terminal: bool = False

    def order(self) -> Order:
        """As the supervisor takes it."""
        return {
            "command": list(self.arguments),
            "environment": dict(self.environment),
            "directory": str(self.directory),
            "log": str(self.log) if self.log else "",
            "log_bytes": self.log_bytes,
            "streams": list(self.streams),
            "terminal": self.terminal,
        }


class Supervised:
    """A command that has been started. ``wait`` may be called by any number of tasks, and cancelled.

    Promised: once ``wait`` has returned, no process of the command is left. If the supervisor itself is killed, that
    counts as killed, and is not promised for processes that have left the command's session.
    """

    def __init__(self, supervisor: asyncio.subprocess.Process, pid: int) -> None:
        self._supervisor = supervisor
        self._over = asyncio.create_task(self._follow(), name=f"command {pid}")
        self.pid = pid

    @property
    def supervisor_pid(self) -> int:
        """The process whose descendants are the command's processes."""
        return self._supervisor.pid

    @property
    def over(self) -> bool:
        """True once it has ended."""
        return self._over.done()

    def signal(self, number: int) -> None:
        """Send it to the command itself, as a container runtime does; an ended command hears nothing."""
        self._tell({"signal": number})

    def kill(self) -> None:
        """End every process of the command now."""
        self._tell({"kill": True})

    async def wait(self) -> int:
        """Its exit code, 128+n for signal n."""
        return await asyncio.shield(self._over)

    def _tell(self, said: dict[str, object]) -> None:
        stdin = self._supervisor.stdin
        if stdin is not None and not stdin.is_closing() and not self._over.done():
            stdin.write(json.dumps(said).encode() + b"\n")

    async def _follow(self) -> int:
        said = await _told(self._supervisor)
        await _ended(self._supervisor)
        if "exited" not in said:
            await asyncio.to_thread(sweep, self.pid)
        return int(said.get("exited", exit_code(signal.SIGKILL)))


async def start(command: Command) -> Supervised:
    """Start it; raises CommandNotStarted with the system's words. A cancellation leaves nothing running."""
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable,
        *_INTERPRETER,
        str(_SUPERVISOR),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # a terminal's Ctrl-C is for the caller, who ends commands in good order
        pass_fds=command.streams,
    )
    said: dict[str, Any] = {}
    try:
        assert supervisor.stdin is not None  # noqa: S101 - it was asked for above
        supervisor.stdin.write(json.dumps(command.order()).encode() + b"\n")
        said = await _told(supervisor)
    finally:
        if "started" not in said:
            await asyncio.shield(_ended(supervisor))
    if "started" not in said:
        raise CommandNotStarted(str(said.get("error", "its supervisor has died")))
    return Supervised(supervisor, int(said["started"]))


async def _told(supervisor: asyncio.subprocess.Process) -> dict[str, Any]:
    """What it says next, or nothing once it has ended."""
    assert supervisor.stdout is not None  # noqa: S101 - it was asked for
    line = await supervisor.stdout.readline()
    return dict(json.loads(line)) if line else {}


async def _ended(supervisor: asyncio.subprocess.Process) -> None:
    """Let go of it and wait for its end; without its asker it ends at once."""
    if supervisor.stdin is not None:
        supervisor.stdin.close()
        with contextlib.suppress(ConnectionError):
            await supervisor.stdin.wait_closed()
    await supervisor.wait()
