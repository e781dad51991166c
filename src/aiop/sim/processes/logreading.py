"""A container's log as somebody asks for it: its end, from a moment on, followed."""

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from aiop.sim.processes.logrecord import Record, record_of
from aiop.sim.processes.podaccess import LogOptions

# How often a log that is followed is looked at; it is read from a file that another process writes.
_LOOK_SECONDS = 0.1
# A rotation takes some 100 µs, and comes seldom: whoever meets one looks again.
_TRIES, _PAUSE_SECONDS = 10, 0.005
# What is read at once, so that neither the reader nor memory is overrun.
_PIECE = 256 * 1024


def has_begun(log: Path) -> bool:
    """True if the container has started; while a log is rotated there is the former file only. It blocks."""
    return log.exists() or Path(f"{log}.1").exists()


async def log_pieces(log: Path, options: LogOptions, over: Callable[[], bool]) -> AsyncIterator[bytes]:
    """What the log holds, as ``options`` ask; ``over`` says that nothing more will be written."""
    cut = _Cut(options)
    tail = _Tail(log)
    try:
        records = await asyncio.to_thread(tail.all_so_far, options.tail_lines)
        if data := cut.of(records):
            yield data
        while options.follow and not cut.full:
            ended = over()
            records = await asyncio.to_thread(tail.new)
            if data := cut.of(records):
                yield data
            elif ended:
                return
            else:
                await asyncio.sleep(_LOOK_SECONDS)
    finally:
        tail.close()


class _Cut:
    """Records as text, from a moment on, with or without their times, and no more than was asked for."""

    def __init__(self, options: LogOptions) -> None:
        self._since = _stamp(options.since) if options.since else b""
        self._timestamps = options.timestamps
        self._left = options.limit_bytes
        self._new_line = True

    @property
    def full(self) -> bool:
        """True once the limit is reached."""
        return self._left is not None and self._left <= 0

    def of(self, records: list[Record]) -> bytes:
        """Their text."""
        data = b"".join(self._text(each) for each in records if each.stamp >= self._since)
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        return data

    def _text(self, record: Record) -> bytes:
        head = record.stamp + b" " if self._timestamps and self._new_line else b""
        self._new_line = record.whole
        return head + record.piece


class _Tail:
    """Reads the former file, if there is one, then the present one, and goes on when that is rotated. It blocks."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._file: BinaryIO | None = None
        self._rest = b""

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def all_so_far(self, lines: int | None) -> list[Record]:
        """Every record, or those of the last lines."""
        for _ in range(_TRIES):
            self._open()
            before = list(_records_in(Path(f"{self._log}.1")))
            if not self._rotated():  # else the present file may have become the former one before that was read
                break
        records = [*before, *self._read_on()]
        return records if lines is None else _last_lines(records, lines)

    def new(self) -> list[Record]:
        """What has come since."""
        found = self._read_on()
        if not found and self._rotated():
            found = self._read_on()  # what was written between the two looks; nobody writes there any more
            self._open()
            found += self._read_on()
        return found

    def _open(self) -> None:
        """The present file, which is missing for a moment while it is rotated."""
        self.close()
        for _ in range(_TRIES):
            try:
                self._file = self._log.open("rb")
            except FileNotFoundError:
                time.sleep(_PAUSE_SECONDS)
            else:
                return
        self._file = self._log.open("rb")

    def _read_on(self) -> list[Record]:
        assert self._file is not None  # noqa: S101 - opened first
        found: list[Record] = []
        while data := self._file.read(_PIECE):
            *lines, self._rest = (self._rest + data).split(b"\n")
            found += [record for line in lines if (record := record_of(line)) is not None]
        return found

    def _rotated(self) -> bool:
        assert self._file is not None  # noqa: S101 - opened first
        try:
            return self._log.stat().st_ino != _inode(self._file)
        except FileNotFoundError:
            return False


def _inode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_ino


def _records_in(path: Path) -> Iterator[Record]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    for line in data.split(b"\n"):
        if (record := record_of(line)) is not None:
            yield record


def _last_lines(records: list[Record], lines: int) -> list[Record]:
    kept: deque[Record] = deque()
    for record in reversed(records):
        if record.whole or not kept:
            lines -= 1
        if lines < 0:
            break
        kept.appendleft(record)
    return list(kept)


def _stamp(moment: datetime) -> bytes:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z").encode()
