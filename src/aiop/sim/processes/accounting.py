"""What a tree of processes has used, from the kernel's own books."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiop.sim.processes.podaccess import Usage

# Fields of /proc/PID/stat behind the name in brackets, from proc(5), counted from the state as 0.
_PARENT, _USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM, _RESIDENT = 1, 11, 12, 13, 14, 21
_KIBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class _Process:
    """Seconds of itself and of the children that it has seen end, resident bytes."""

    parent: int
    own_seconds: float
    children_seconds: float
    resident_bytes: int


def usage_of(supervisors: Mapping[str, int]) -> dict[str, Usage]:
    """What the processes under each of these have used, themselves not counted. It blocks for milliseconds.

    A supervisor that is gone is left out, and all are where the system does not tell.
    """
    table = _from_proc() if sys.platform == "linux" else _from_ps()
    children: dict[int, list[int]] = {}
    for pid, process in table.items():
        children.setdefault(process.parent, []).append(pid)
    return {
        name: _sum(table[pid], (table[each] for each in _below(pid, children)))
        for name, pid in supervisors.items()
        if pid in table
    }


def _below(pid: int, children: Mapping[int, list[int]]) -> list[int]:
    found: list[int] = []
    new = children.get(pid, [])
    while new:
        found += new
        new = [child for each in new for child in children.get(each, [])]
    return found


def _sum(supervisor: _Process, processes: Iterable[_Process]) -> Usage:
    listed = list(processes)
    seconds = supervisor.children_seconds + sum(each.own_seconds + each.children_seconds for each in listed)
    return Usage(seconds, sum(each.resident_bytes for each in listed))


def _from_proc() -> dict[int, _Process]:
    tick, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    table = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - names are enough
        if entry.isdigit():
            with contextlib.suppress(OSError):
                stat = Path(f"/proc/{entry}/stat").read_bytes().rpartition(b")")[2].split()
                table[int(entry)] = _Process(
                    int(stat[_PARENT]),
                    (int(stat[_USER]) + int(stat[_SYSTEM])) / tick,
                    (int(stat[_CHILDREN_USER]) + int(stat[_CHILDREN_SYSTEM])) / tick,
                    int(stat[_RESIDENT]) * page,
                )
    return table


def _from_ps() -> dict[int, _Process]:
    """As ``ps`` tells it; what ended children have used is not told."""
    try:
        listed = subprocess.run(
            ["/bin/ps", "-axo", "pid=,ppid=,rss=,time="], capture_output=True, text=True, check=True, timeout=5
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    table = {}
    for line in listed.splitlines():
        pid, parent, kibibytes, time = line.split()
        table[int(pid)] = _Process(int(parent), _seconds(time), 0.0, int(kibibytes) * _KIBIBYTE)
    return table


def _seconds(time: str) -> float:
    """``[[days-]hours:]minutes:seconds`` in seconds."""
    days, _, rest = time.rpartition("-")
    seconds = 0.0
    for part in rest.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + float(days or 0) * 86400
