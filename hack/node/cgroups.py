"""The node's own cgroup, in each hierarchy that the machine has (version 1), or in the one (version 2)."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from hack.node.errors import MachineUnfit

_GONE_SECONDS = 30.0
# A new child of version 1 has neither until it is told; in version 2 the root has no such files.
_INHERITED = ("cpuset.cpus", "cpuset.mems")
# What kubelet insists on below its root, where the machine has it. In version 2 a child has what is handed down to it.
_CONTROLLERS = ("cpu", "cpuset", "hugetlb", "memory", "pids")
_MOUNTS = Path("/proc/mounts")


def mounted() -> bool:
    """Whether the machine has any."""
    return bool(_roots())


def make(name: str) -> None:
    """Make it, empty. In version 2 the machine's root goes on handing down what it hands down for it.

    Raises MachineUnfit if it cannot, and OSError.
    """
    for root in _roots(("cgroup",)) or _roots():
        group = root / name
        _hand_down(root)
        group.mkdir(exist_ok=True)
        for setting in _INHERITED:
            above, here = root / setting, group / setting
            if above.exists() and here.exists() and not here.read_text().strip():
                here.write_text(above.read_text())


def names() -> set[str]:
    """Of all at the top of a hierarchy."""
    return {group.name for root in _roots() for group in root.iterdir() if group.is_dir()}


def remove(name: str) -> None:
    """Remove it with all below; what still ends there is waited for. Raises OSError."""
    deadline = time.monotonic() + _GONE_SECONDS
    for root in _roots():
        while (root / name).exists():
            try:
                for group in _deepest_first(root / name):
                    with contextlib.suppress(FileNotFoundError):
                        group.rmdir()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def find(name: str, container: str) -> Path | None:
    """The cgroup of a container by its id."""
    return next(_all(name, container), None)


def find_all(name: str, container: str) -> list[Path]:
    """The same in each hierarchy that has it: with version 1 every kind of account has one of its own."""
    return list(_all(name, container))


def _hand_down(root: Path) -> None:
    handed = root / "cgroup.subtree_control"
    if not handed.exists():
        return
    there = set((root / "cgroup.controllers").read_text().split()) - set(handed.read_text().split())
    lacking = " ".join(f"+{controller}" for controller in _CONTROLLERS if controller in there)
    try:
        if lacking:
            handed.write_text(lacking)
    except OSError as error:
        why = "a container's own processes are in the way there; take the machine itself"
        raise MachineUnfit(f"{handed} does not take {lacking} ({error.strerror}): {why}") from error


def _all(name: str, container: str) -> Iterator[Path]:
    return (group for root in _roots() for group in _deepest_first(root / name) if group.name == container)


def _deepest_first(group: Path) -> Iterator[Path]:
    if group.is_dir():
        for child in group.iterdir():
            if child.is_dir():
                yield from _deepest_first(child)
        yield group


def _roots(kinds: tuple[str, ...] = ("cgroup", "cgroup2")) -> list[Path]:
    """Where the hierarchies are mounted; a machine of version 1 may have one of version 2 beside them."""
    lines = (line.split() for line in _MOUNTS.read_text().splitlines())
    return [Path(fields[1]) for fields in lines if fields[2] in kinds]
