"""A node's namespaces seen from the machine: made, found again, and ended with all that is in them.

Processes, mounts, the network and the host name are the node's own, held by one process (`hack.node.holder`). When it
ends, the kernel ends the rest: no list of processes can be incomplete.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from hack.controlplane.processes import die_with_parent
from hack.node.errors import NodeFailed
from hack.node.holder import started
from hack.node.machine import UNSHARE

REPOSITORY = Path(__file__).parents[2]
# A process that holds namespaces is a zombie only once all others in them have ended.
_ENDED_STATES = ("Z", "X")
_ENDED_SECONDS = 60.0


class Namespace:
    """The namespaces of one place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def pid(self) -> int | None:
        """The process that holds them, by the id that the machine knows; None if they are gone."""
        try:
            pid, start = (self._folder / "holder.pid").read_text().split()
            process = Path("/proc", pid)
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            same = started(process) == start  # an id is given again
        except (OSError, ValueError):
            return None
        return int(pid) if same and state not in _ENDED_STATES else None

    def make(self, environment: Mapping[str, str], *, detached: bool) -> subprocess.Popen[bytes]:
        """Start the holder; it ends with the process that is returned, and that with its caller.

        With ``detached`` the process only hands it over to the machine, and ends at once.
        """
        (self._folder / "holder.pid").unlink(missing_ok=True)
        with (self._folder / "logs" / "supervisor.log").open("wb") as log:
            return subprocess.Popen(
                [
                    *(["setsid", "--fork"] if detached else []),
                    *UNSHARE,
                    sys.executable,
                    "-m",
                    "hack.node.holder",
                    str(self._folder),
                ],
                cwd=REPOSITORY,
                env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=None if detached else die_with_parent,  # noqa: PLW1509 - no threads of ours hold locks here
            )

    def end(self) -> None:
        """End everything in them; returns when it is gone."""
        pid = self.pid
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + _ENDED_SECONDS
        while self.pid is not None:
            if time.monotonic() > deadline:
                message = f"process {pid} of {self._folder} does not end"
                raise NodeFailed(message)
            time.sleep(0.02)

    def command(self, *command: str, everything: bool = False) -> list[str]:
        """What runs ``command`` in the network (or in ``everything``) of the node."""
        pid = self.pid
        if pid is None:
            message = f"no node runs in {self._folder}"
            raise NodeFailed(message)
        flags = ["--mount", "--pid", "--uts"] if everything else []
        return ["nsenter", "--target", str(pid), "--net", *flags, "--", *command]
