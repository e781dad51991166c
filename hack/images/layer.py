"""A layer: a tree of files as a tar archive that is the same for the same files, whoever makes it and when."""

import os
import stat
import tarfile
from pathlib import Path


def write_layer(tree: Path, target: Path) -> None:
    """The files below ``tree``, sorted, owned by root, without times.

    Modes are reduced to what decides: whether a file can be executed, and whether all may write into a folder (the
    sticky bit says so). Hard links become files of their own.
    """
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in _sorted_paths(tree):
            member = _member(path, str(path.relative_to(tree)))
            if member.isreg():
                with path.open("rb") as content:
                    archive.addfile(member, content)
            else:
                archive.addfile(member)


def _sorted_paths(tree: Path) -> list[Path]:
    """Parents before what is in them; a link to a folder is a link."""
    found: list[Path] = []
    for folder, folders, files in os.walk(tree):
        found += [Path(folder) / name for name in (*folders, *files)]
    return sorted(found)


def _member(path: Path, name: str) -> tarfile.TarInfo:
    status = path.lstat()
    member = tarfile.TarInfo(name)
    if stat.S_ISLNK(status.st_mode):
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
    elif stat.S_ISDIR(status.st_mode):
        member.type, member.mode = tarfile.DIRTYPE, 0o1777 if status.st_mode & stat.S_ISVTX else 0o755
    else:
        member.size, member.mode = status.st_size, 0o755 if status.st_mode & stat.S_IXUSR else 0o644
    return member
