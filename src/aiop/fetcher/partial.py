"""A file that is not whole yet: its bytes, and a record of the parts that lie safely on disk.

Parts come in any order and from several threads. A part is recorded once its bytes were synced, so that a fetch that
was killed, or whose node was, goes on with the parts that are missing.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aiop.fetcher.disk import disk_errors
from aiop.fetcher.errors import Interrupted, SourceChanged
from aiop.fetcher.listing import RemoteFile

# Small enough that little is lost by a broken stream, large enough that requests do not matter.
PART_BYTES = 64 * 1024 * 1024


class PartialFile:
    """``path`` holds the bytes of ``file``; the record lies beside it. Both are gone once `finish` was called."""

    def __init__(self, path: Path, file: RemoteFile) -> None:
        self.path, self.file = path, file
        self._record = path.with_suffix(".done")
        self._lock = threading.Lock()
        self._parts = list(_parts(file))
        self._done = self._recorded() & {start for start, _ in self._parts}

    def missing(self) -> list[tuple[int, int | None]]:
        """The parts, as start and stop, that are not on disk."""
        return [(start, stop) for start, stop in self._parts if start not in self._done]

    def present(self) -> int:
        """How many bytes are on disk."""
        return sum((stop or start) - start for start, stop in self._parts if start in self._done)

    def record(self, start: int) -> bool:
        """Record the part that begins at ``start``, whose bytes are synced; True if it was the last one missing."""
        with self._lock:
            with disk_errors(), self._record.open("a", encoding="ascii") as record:
                record.write(f"{start}\n")
            self._done.add(start)
            return len(self._done) == len(self._parts)

    def discard(self) -> None:
        """Forget everything, so that the file is fetched again."""
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Move the whole file to ``target``."""
        with disk_errors():
            self.path.replace(target)
            self._record.unlink(missing_ok=True)

    def _recorded(self) -> set[int]:
        if not self.path.exists():
            return set()
        try:
            lines = self._record.read_text(encoding="ascii").splitlines()
        except (OSError, ValueError):
            return set()
        return {int(line) for line in lines if line.isdigit()}


def _parts(file: RemoteFile) -> Iterator[tuple[int, int | None]]:
    if file.size is None or not file.ranged or file.size <= PART_BYTES:
        yield 0, file.size
        return
    for start in range(0, file.size, PART_BYTES):
        yield start, min(start + PART_BYTES, file.size)


class PartWriter:
    """Writes one part in order; ``offset`` is where the next byte goes.

    ``charged`` is told every number of bytes that came, negative when they have to come again; it may raise.
    """

    def __init__(self, descriptor: int, start: int, stop: int | None, charged: Callable[[int], None]) -> None:
        self._descriptor, self._charged = descriptor, charged
        self.start, self.stop, self.offset = start, stop, start

    def take(self, piece: bytes) -> None:
        """Write ``piece``; raises SourceChanged if more comes than belongs to the part."""
        if self.stop is not None and self.offset + len(piece) > self.stop:
            raise SourceChanged("The source sends more bytes than were measured.")
        self._charged(len(piece))
        view = memoryview(piece)
        with disk_errors():
            while view:
                written = os.pwrite(self._descriptor, view, self.offset)
                self.offset += written
                view = view[written:]

    def restart(self) -> None:
        """Begin the part anew."""
        self._charged(self.start - self.offset)
        self.offset = self.start

    def check_complete(self) -> None:
        """Raise Interrupted if the stream ended before the part did."""
        if self.stop is not None and self.offset < self.stop:
            raise Interrupted("The source broke off in the middle of a file.")

    def sync(self) -> None:
        """Bring what was written to the disk."""
        with disk_errors():
            if self.stop is None:
                os.ftruncate(self._descriptor, self.offset)
            os.fdatasync(self._descriptor)


@contextmanager
def part_writer(path: Path, start: int, stop: int | None, charged: Callable[[int], None]) -> Iterator[PartWriter]:
    """A writer into ``path``, which is made if it is not there."""
    with disk_errors():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        yield PartWriter(descriptor, start, stop, charged)
    finally:
        os.close(descriptor)
