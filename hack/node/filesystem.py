"""The file system that a node's folder lies on, which decides what can be done there."""

import subprocess
from pathlib import Path

# What kubelet measures (cAdvisor's list), by the names that `stat --file-system` gives them.
_MEASURED = ("btrfs", "ext2/ext3", "nfs", "overlayfs", "tmpfs", "xfs", "zfs")


def snapshotter(folder: Path) -> str:
    """containerd's; overlays lie on no overlay, which is what a container's own file system is."""
    return "native" if _kind(folder) == "overlayfs" else "overlayfs"


def measured(folder: Path) -> bool:
    """Whether kubelet can tell how full it is; where it cannot, a kubelet that is to do so refuses to start."""
    return _kind(folder) in _MEASURED


def _kind(folder: Path) -> str:
    told = subprocess.run(["stat", "--file-system", "--format=%T", folder], check=True, capture_output=True, text=True)
    return told.stdout.strip()
