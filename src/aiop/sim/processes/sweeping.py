"""For the case that a supervisor itself is killed: what its command has left."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

# Of /proc/PID/stat behind the name in brackets, from proc(5), counted from the state as 0.
_SESSION = 3
# What is killed is gone within microseconds.
_PAUSE_SECONDS = 0.005
_TRIES = 200


def sweep(session: int) -> None:
    """Kill every process of that session (the command has begun it); it blocks until none is left.

    Not promised: processes that have left the session. Elsewhere than on Linux, those that have left the group.
    """
    if sys.platform != "linux":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(session, signal.SIGKILL)
        return
    for _ in range(_TRIES):
        members = _members(session)
        if not members:
            return
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE_SECONDS)


def _members(session: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - names are enough
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                stat = Path(f"/proc/{name}/stat").read_bytes().rpartition(b")")[2].split()
                if int(stat[_SESSION]) == session and stat[0] != b"Z":
                    found.append(int(name))
    return found
