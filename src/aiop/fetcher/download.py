"""Bringing the files of a listing into the work folder: in parallel, in parts, verified, and where it was left off.

Memory is bounded by the number of streams times one piece each: no file is ever held. One failure ends all streams.
"""

import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from aiop.fetcher.digests import matches
from aiop.fetcher.disk import disk_errors
from aiop.fetcher.errors import Failed, Interrupted, RangeRefused, TooLarge
from aiop.fetcher.files import make_folders, parent_of
from aiop.fetcher.listing import Listing, RemoteFile
from aiop.fetcher.partial import PartialFile, PartWriter, part_writer
from aiop.fetcher.patience import persist
from aiop.fetcher.progress import Progress
from aiop.fetcher.settings import Settings
from aiop.fetcher.source import FileSource, Source

# Seconds between two lines of progress: a fetch of an hour leaves 360 lines.
_TELL_SECONDS = 10.0
# What a library may write beside a file's bytes.
_SLACK_BYTES = 1024 * 1024


class Stopped(Exception):
    """Raised in a stream whose work is no longer wanted, since another one failed."""


class Download:
    """Fetches ``listing`` into ``work``/files; one use.

    ``limit`` is how many bytes may come in all; it matters where the source does not say a size.
    """

    def __init__(
        self, source: Source, listing: Listing, work: Path, settings: Settings, limit: int, progress: Progress
    ) -> None:
        self._source, self._listing, self._settings, self._progress = source, listing, settings, progress
        self._limit, self._came = limit, 0
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._failure: Exception | None = None
        with disk_errors():
            self._files, self._unfinished = make_folders(work, "files"), make_folders(work, "unfinished")
        self._tasks = self._every_task()

    def run(self, say: Callable[[str], None]) -> None:
        """Fetch everything, telling ``say`` how far it is now and then; raises FetchError when one file failed."""
        streams = [
            threading.Thread(target=self._work, daemon=True, name=f"stream-{number}")
            for number in range(self._settings.streams)
        ]
        with self._capped():
            for stream in streams:
                stream.start()
            while any(stream.is_alive() for stream in streams):
                self._wait(streams)
                if any(stream.is_alive() for stream in streams):
                    say(self._progress.line())
        if self._failure is not None:
            raise self._failure

    @staticmethod
    def _wait(streams: list[threading.Thread]) -> None:
        """Until all have ended or it is time to tell; a signal's handler runs meanwhile."""
        deadline = time.monotonic() + _TELL_SECONDS
        for stream in streams:
            stream.join(max(0.0, deadline - time.monotonic()))

    @contextmanager
    def _capped(self) -> Iterator[None]:
        """No file grows beyond the largest that was listed, whatever a library writes by itself."""
        if not isinstance(self._source, FileSource):
            yield
            return
        largest = max(self._limit if file.size is None else file.size for file in self._listing.files)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        ceiling = largest + _SLACK_BYTES
        resource.setrlimit(resource.RLIMIT_FSIZE, (ceiling if hard < 0 else min(ceiling, hard), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                with self._lock:
                    task = next(self._tasks, None)
                if task is None:
                    return
                task()
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the main thread raises it again
            with self._lock:
                self._failure = self._failure or error
            self._stop.set()

    def _every_task(self) -> Iterator[Callable[[], None]]:
        for index, file in enumerate(self._listing.files):
            target = parent_of(self._files, file.name) / file.name.rpartition("/")[2]
            if target.is_file():
                self._progress.add(target.stat().st_size)
                self._progress.file_done()
            elif isinstance(self._source, FileSource):
                yield partial(self._save, self._source, file, target)
            else:
                unfinished = PartialFile(self._unfinished / f"{index}.data", file)
                self._progress.add(unfinished.present())
                parts = unfinished.missing()
                for start, stop in parts:
                    yield partial(self._fetch_part, unfinished, target, start, stop)
                if not parts:
                    yield partial(self._finish, unfinished, target)

    def _fetch_part(self, unfinished: PartialFile, target: Path, start: int, stop: int | None) -> None:
        with part_writer(unfinished.path, start, stop, self._charge) as writer:
            if stop != start:
                request = partial(self._request, unfinished.file, writer)
                persist(request, self._settings.attempts, self._sleep, lambda: writer.offset)
            writer.sync()
        if unfinished.record(start):
            self._finish(unfinished, target)

    def _request(self, file: RemoteFile, writer: PartWriter) -> None:
        if not file.ranged and writer.offset:
            writer.restart()
        try:
            self._source.read(file, writer.offset, writer.stop, writer.take)
        except RangeRefused as error:
            if writer.start:
                raise Failed(f"The server no longer sends parts of {file.name!a}; try again.") from error
            writer.restart()
            raise Interrupted(f"The server sends {file.name!a} only as a whole.") from error
        writer.check_complete()

    def _finish(self, unfinished: PartialFile, target: Path) -> None:
        try:
            self._verify(unfinished.file, unfinished.path)
        except Failed:
            unfinished.discard()
            raise
        unfinished.finish(target)
        self._progress.file_done()

    def _save(self, source: FileSource, file: RemoteFile, target: Path) -> None:
        arrived = 0

        def count(size: int) -> None:
            nonlocal arrived
            arrived += size
            self._charge(size)

        request = partial(source.save, file, self._unfinished, count)
        path = persist(request, self._settings.attempts, self._sleep, lambda: arrived)
        try:
            self._verify(file, path)
        except Failed:
            path.unlink(missing_ok=True)
            raise
        with disk_errors():
            path.replace(target)
        self._progress.file_done()

    def _verify(self, file: RemoteFile, path: Path) -> None:
        if path.is_symlink() or not path.is_file():
            raise Failed(f"The source's library wrote no plain file for {file.name!a}.")
        size = path.stat().st_size
        if file.size is not None and size != file.size:
            raise Failed(f"{file.name!a} has {size} bytes instead of {file.size}; try again.")
        with disk_errors():
            good = matches(path, file.digest, self._wanted)
        if not good:
            raise Failed(f"{file.name!a} arrived damaged: its content does not have the digest {file.digest}.")

    def _charge(self, size: int) -> None:
        self._wanted()
        with self._lock:
            self._came += size
            too_much = self._came > self._limit
        if too_much:
            raise TooLarge(f"The source sends more than the {self._limit} bytes that are allowed or free.")
        self._progress.add(size)

    def _wanted(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _sleep(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped
