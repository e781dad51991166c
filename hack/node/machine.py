"""What a machine must offer before a cluster is tried on it: each lack is told in one sentence, at once."""

import os
import shutil
import subprocess
import sys

from hack.node import cgroups
from hack.node.errors import MachineUnfit, NotRoot

# A cluster's own. Its processes end with the one that holds them.
UNSHARE = ("unshare", "--mount", "--net", "--pid", "--uts", "--fork", "--kill-child", "--propagation", "private")
# Part of every Linux system but the smallest (util-linux).
_NEEDED = ("unshare", "nsenter", "setsid", "mount")
_SECONDS = 10.0


def insist_on_root() -> None:
    """Raises NotRoot, and MachineUnfit where being root is not enough to be asked for."""
    if sys.platform != "linux":
        raise MachineUnfit(
            "a cluster needs Linux, whose namespaces and cgroups it is made of; `make demo` runs anywhere"
        )
    if os.geteuid():
        raise NotRoot("a cluster needs root: it makes namespaces and cgroups; run the same with sudo")


def insist() -> None:
    """Raises NotRoot or MachineUnfit if no cluster can run here; changes nothing."""
    insist_on_root()
    missing = [program for program in _NEEDED if shutil.which(program) is None]
    if missing:
        raise MachineUnfit(f"no {' and '.join(missing)} on the PATH; Debian's package is util-linux")
    tried = subprocess.run([*UNSHARE, "true"], check=False, capture_output=True, text=True, timeout=_SECONDS)
    if tried.returncode:
        why = tried.stderr.strip()
        raise MachineUnfit(f"root may make no namespaces here ({why}); in a container, it must be a privileged one")
    if not cgroups.mounted():
        raise MachineUnfit("no cgroups are mounted here (/sys/fs/cgroup); pods cannot be held apart without them")
