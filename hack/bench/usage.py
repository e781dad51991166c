"""What a pod used, as the kernel accounts for it in the pod's cgroups (of version 1 or 2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_NANOSECONDS, _MICROSECONDS = 1e-9, 1e-6


class NoAccount(ValueError):
    """Raised when none of the cgroups accounts for what is asked."""


@dataclass(frozen=True, slots=True)
class Usage:
    """``cpu`` is seconds of processor time so far; ``memory`` is bytes now, file pages that can be dropped aside.

    The latter is the working set, which kubelet reports and `kubectl top` shows.
    """

    cpu: float
    memory: int


def usage(groups: Iterable[Path]) -> Usage:
    """Of one pod; raises NoAccount if it has no such cgroup any more, or none with these accounts."""
    known = list(groups)
    return Usage(_cpu(known), _memory(known))


def _cpu(groups: Iterable[Path]) -> float:
    for group in groups:
        if (group / "cpuacct.usage").exists():
            return int((group / "cpuacct.usage").read_text()) * _NANOSECONDS
        if (group / "cpu.stat").exists() and (found := _fields(group / "cpu.stat").get("usage_usec")):
            return found * _MICROSECONDS
    message = "no cgroup accounts for the pod's processor time"
    raise NoAccount(message)


def _memory(groups: Iterable[Path]) -> int:
    for group in groups:
        for total, droppable in (("memory.usage_in_bytes", "total_inactive_file"), ("memory.current", "inactive_file")):
            if (group / total).exists():
                held = int((group / total).read_text())
                return max(0, held - _fields(group / "memory.stat").get(droppable, 0))
    message = "no cgroup accounts for the pod's memory"
    raise NoAccount(message)


def _fields(file: Path) -> dict[str, int]:
    pairs = (line.split() for line in file.read_text().splitlines())
    return {name: int(value) for name, value in pairs}
