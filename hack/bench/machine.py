"""What machine this is, and what processes used of it: from /proc, so on Linux only."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

_KIB = 1024
_GIB_IN_KIB = 1024 * 1024
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """Its cores, processor, memory and system, in one line."""
    cpus, memory = _fields(Path("/proc/cpuinfo")), _fields(Path("/proc/meminfo"))
    model = cpus.get("model name", platform.machine())
    gib = int(memory["MemTotal"].split()[0]) / _GIB_IN_KIB
    system = f"{platform.machine()} {platform.system()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores of {model}, {gib:.0f} GiB, {system}"


def cpu_seconds(pid: int) -> float:
    """Processor time that the process and its threads have used so far, to a hundredth of a second."""
    # The second field is the program's name in parentheses, which may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / _TICKS_A_SECOND


def peak_bytes(pid: int) -> int:
    """The most memory that the process has had resident so far."""
    return _kib_of(pid, "VmHWM") * _KIB


def resident_bytes(pid: int) -> int:
    """The memory that the process has resident now."""
    return _kib_of(pid, "VmRSS") * _KIB


def _kib_of(pid: int, name: str) -> int:
    return int(_fields(Path(f"/proc/{pid}/status"))[name].split()[0])


def _fields(file: Path) -> Mapping[str, str]:
    """Lines of `name: value`; of a name that comes again, the first value."""
    found: dict[str, str] = {}
    for line in file.read_text().splitlines():
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    return found
