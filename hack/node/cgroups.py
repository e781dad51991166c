"""The node's own cgroup, in each hierarchy that the machine has (version 1), or in the one (version 2)."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

_GONE_SECONDS = 30.0
# A new child of version 1 has neither until it is told.
_INHERITED = ("cpuset.cpus", "cpuset.mems")


def mounted() -> bool:
    """Whether the machine has any."""
    return bool(_roots())


def make(name: str) -> None:
    """Make it, empty."""
    for root in _roots(("cgroup",)) or _roots():
        group = root / name
        group.mkdir(exist_ok=True)
        for setting in _INHERITED:
            if (group / setting).exists() and not (group / setting).read_text().strip():
                (group / setting).write_text((root / setting).read_text())


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
    lines = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return [Path(fields[1]) for fields in lines if fields[2] in kinds]
