"""A cluster's folder: what may be one, and what is deleted there. Nothing of others is."""

import contextlib
import shutil
from pathlib import Path

from hack.node import mounts
from hack.node.errors import FolderUnfit
from hack.node.place import Place

# The kernel's limit for a socket's path, and what containerd adds to that of its own.
_LONGEST_SOCKET, _ADDED = 107, len(".ttrpc")
# etcd, containerd and logs of a small cluster; on a full disk it is etcd that fails, and it does not say why.
_ROOM = 512 << 20


def insist(path: Path) -> None:
    """Raises FolderUnfit unless a cluster can live there."""
    place = Place(path, 0)  # with whatever number
    hidden, strangers = mounts.hides(place), _strangers(place.folder)
    if hidden:
        raise FolderUnfit(f"{place.folder} lies in {hidden}, which the node has a folder of its own for; take another")
    if strangers:
        raise FolderUnfit(f"{strangers[0]} is no cluster's; take a folder for the cluster alone")
    there = next(each for each in (path, *path.parents) if each.exists())
    free = shutil.disk_usage(there).free
    if free < _ROOM:
        raise FolderUnfit(f"{free >> 20} MiB are free in {there}, and a cluster needs {_ROOM >> 20}")
    too_much = len(str(place.containerd).encode()) + _ADDED - _LONGEST_SOCKET
    if too_much > 0:
        raise FolderUnfit(
            f"the path {place.folder} is {too_much} bytes too long for the sockets in it; take a shorter one"
        )


def remove_all_but_logs(place: Place) -> None:
    """What a node leaves in its folder. Raises OSError; it can be tried again."""
    if place.state.exists():
        shutil.rmtree(place.state)
    for path in place.plane.glob("*"):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.suffix != ".log":
            path.unlink()
    for name in ("control", "control.new", "holder.pid", "holder.new"):
        (place.folder / name).unlink(missing_ok=True)


def remove_logs(folder: Path) -> None:
    """The logs of an ended cluster, and the folder, unless something else lies there."""
    for each in (folder / "logs", folder / "plane", folder):
        for log in each.glob("*.log"):
            log.unlink()
        with contextlib.suppress(OSError):  # not there, or not empty
            each.rmdir()


def _strangers(folder: Path) -> list[Path]:
    """What lies there and was not left by a cluster that ended: it would be deleted when the next one ends."""
    ours = [folder / "logs", folder / "plane"]
    inside = [path for each in ours for path in each.glob("*") if path.suffix != ".log"]
    return sorted(path for path in (*folder.glob("*"), *inside) if path not in ours)
