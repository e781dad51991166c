"""The model's folder from the outside: where work goes on, how it becomes the model, and how a whole one is known.

While a fetch is under way everything lies in a folder of the fetcher's own inside the model's folder, so that the two
share a file system. Publishing moves it out by renames. The mark of a whole folder is an extended attribute of the
folder itself, since no file may be left among the model's; where the file system has none, a folder is fetched again.
"""

import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path

from aiop.fetcher.archives import Room, unpack
from aiop.fetcher.disk import disk_errors
from aiop.fetcher.errors import BadArchive, Failed
from aiop.fetcher.files import census
from aiop.fetcher.listing import Listing, read_listing
from aiop.fetcher.names import WORK_FOLDER

_MARK = "user.aiop.fetched"
# ext4 makes it at the root of a volume, and only root may remove it.
_NOT_OURS = (WORK_FOLDER, "lost+found")


class ModelFolder:
    """The folder at ``path``, which is made if it is not there; raises Failed if it cannot be used."""

    def __init__(self, path: Path) -> None:
        with disk_errors():
            path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.work = path / WORK_FOLDER

    def holds(self, uri: str) -> tuple[int, int] | None:
        """Files and bytes of the model of ``uri`` if it is here, whole and untouched; else None."""
        mark = self._mark()
        found = census(self.path, apart=_NOT_OURS) if mark else (0, 0)
        return found if mark == _mark_of(uri, found) else None

    def pin(self, listing: Listing) -> None:
        """Keep ``listing`` for `pinned`; another one's unfinished work is thrown away."""
        if self.pinned(listing.uri) != listing:
            self.clean()
        with disk_errors():
            self.work.mkdir(mode=0o755, exist_ok=True)
            unfinished = self.work / "list.json.new"
            unfinished.write_text(listing.to_json(), encoding="utf-8")
            unfinished.replace(self.work / "list.json")

    def pinned(self, uri: str) -> Listing | None:
        """The list that was kept for ``uri``."""
        return read_listing(self.work / "list.json", uri)

    def clean(self) -> None:
        """Remove the fetcher's own folder."""
        with disk_errors():
            if self.work.is_symlink():
                raise Failed(f"{WORK_FOLDER} in the model's folder is a link; remove it.")
            if self.work.exists():
                shutil.rmtree(self.work)

    def publishing(self, uri: str) -> bool:
        """Whether a publication of ``uri`` was begun and not ended."""
        return self._begun.exists() and self.pinned(uri) is not None

    def publish(self, listing: Listing, room: Room) -> tuple[int, int]:
        """Make what was fetched the folder's content: unpack, move, mark, clean up; returns its files and bytes.

        What an earlier fetch left is replaced; files that no fetch made stay. It may be called again after it was cut
        off. Raises BadArchive, TooLarge, NoSpace, and Failed if something is in the way.
        """
        with disk_errors():
            if not self._begun.exists():
                self._unpack(listing, room)
                self._begun.touch()
            self._clear_old()
            for ready in (self.work / "tree", self.work / "files"):
                if ready.exists():
                    _move(ready, self.path)
            found = census(self.path, apart=_NOT_OURS)
            self._set_mark(_mark_of(listing.uri, found))
        self.clean()
        return found

    @property
    def _begun(self) -> Path:
        return self.work / "publishing"

    def _unpack(self, listing: Listing, room: Room) -> None:
        files, tree = self.work / "files", self.work / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(mode=0o755)
        archives = [file.name for file in listing.files if file.unpack]
        for name in archives:
            room = unpack(files / name, name, tree, room)
        for file in listing.files:
            if not file.unpack and os.path.lexists(tree / file.name):
                raise BadArchive(f"An archive holds {file.name!a}, which is also a file of its own.")
        for name in archives:
            (files / name).unlink()

    def _clear_old(self) -> None:
        """Remove what an earlier fetch left; the mark goes last, so that a second call ends the work of the first."""
        if not self._mark():
            return
        for entry in self.path.iterdir():
            if entry.name in _NOT_OURS:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        os.removexattr(self.path, _MARK)

    def _mark(self) -> bytes:
        try:
            return os.getxattr(self.path, _MARK)
        except OSError:
            return b""

    def _set_mark(self, mark: bytes) -> None:
        # Where it cannot be set, a restarted pod fetches again: slower, never wrong.
        with contextlib.suppress(OSError):
            os.setxattr(self.path, _MARK, mark)


def _mark_of(uri: str, found: tuple[int, int]) -> bytes:
    files, size = found
    return json.dumps([hashlib.sha256(uri.encode()).hexdigest(), files, size]).encode()


def _move(source: Path, target: Path) -> None:
    """Move all entries of ``source`` into ``target`` by renames, merging folders."""
    for entry in source.iterdir():
        place = target / entry.name
        if not os.path.lexists(place):
            entry.rename(place)
            continue
        both = [path.is_dir() and not path.is_symlink() for path in (entry, place)]
        if all(both):
            _move(entry, place)
        elif any(both):
            raise Failed(f"{entry.name!a} in the model's folder is in the way; empty the volume.")
        else:
            entry.replace(place)
