"""Making files and folders below a root without ever following a link that lies there."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from aiop.fetcher.names import checked_name


def make_folders(root: Path, name: str) -> Path:
    """The folder ``name`` below ``root``, with those on the way; NotADirectoryError for a link or file there."""
    path = root
    for part in checked_name(name).split("/"):
        path /= part
        try:
            path.mkdir(mode=0o755)
        except FileExistsError:
            if not stat.S_ISDIR(path.lstat().st_mode):
                raise NotADirectoryError(20, "not a folder", name) from None
    return path


def parent_of(root: Path, name: str) -> Path:
    """The folder that holds ``name`` below ``root``, made if needed."""
    folder, _, _ = checked_name(name).rpartition("/")
    return make_folders(root, folder) if folder else root


def create_file(root: Path, name: str) -> BinaryIO:
    """A new file ``name`` below ``root``, open for writing; raises FileExistsError if anything has that name."""
    path = parent_of(root, name) / name.rpartition("/")[2]
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        return os.fdopen(os.open(path, flags, 0o644), "wb")
    except FileExistsError:
        raise FileExistsError(17, "exists", name) from None


def census(root: Path, *, apart: tuple[str, ...] = ()) -> tuple[int, int]:
    """How many files and bytes lie below ``root``, but not in its folders ``apart``; links are not followed."""
    files = size = 0
    for folder, folders, names in os.walk(root):
        if folder == str(root):
            folders[:] = [name for name in folders if name not in apart]
        files += len(names)
        size += sum(os.lstat(os.path.join(folder, name)).st_size for name in names)  # noqa: PTH118 - 100,000 of them
    return files, size


def free_bytes(folder: Path) -> int:
    """What an unprivileged process may still write to ``folder``'s file system."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
