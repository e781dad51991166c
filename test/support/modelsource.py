"""A source of models without a network, which fails as it is told."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from aiop.fetcher.errors import FetchError, Interrupted, RangeRefused, SourceChanged
from aiop.fetcher.listing import RemoteFile
from aiop.fetcher.source import Sink
from aiop.fetcher.uri import ModelUri

_PIECE = 1024


@dataclass
class ModelSource:
    """Serves ``content`` by name. ``breaks`` maps a name to numbers of bytes after which a stream breaks off, in turn.

    ``errors`` are raised by the next calls, ``reads`` records what was asked for.
    """

    content: dict[str, bytes]
    sizes: bool = True
    ranged: bool = True
    honours_ranges: bool = True
    digests: Mapping[str, str] = field(default_factory=dict)
    breaks: dict[str, list[int]] = field(default_factory=dict)
    errors: list[FetchError] = field(default_factory=list)
    reads: list[tuple[str, int, int | None]] = field(default_factory=list)
    listings: int = 0
    unpack: bool = False
    before_read: Callable[[], None] = lambda: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, _uri: ModelUri, _environment: Mapping[str, str]) -> "ModelSource":
        return self

    def files(self) -> Iterator[RemoteFile]:
        self.listings += 1
        self._fail()
        for name, content in self.content.items():
            size = len(content) if self.sizes else None
            digest = self.digests.get(name, "")
            yield RemoteFile(name, name, size, _version(content), digest, ranged=self.ranged, unpack=self.unpack)

    def read(self, file: RemoteFile, start: int, stop: int | None, sink: Sink) -> None:
        self.before_read()
        with self.lock:
            self.reads.append((file.name, start, stop))
            self._fail()
            limits = self.breaks.get(file.name, [])
            limit = limits.pop(0) if limits else None
        content = self.content[file.key]
        if _version(content) != file.version:
            raise SourceChanged("Changed.")
        if start and not self.honours_ranges:
            raise RangeRefused("Whole files only.")
        wanted = content[start:stop]
        for offset in range(0, len(wanted), _PIECE):
            if limit is not None and offset >= limit:
                raise Interrupted("Broken off.")
            sink(wanted[offset : offset + _PIECE])

    def _fail(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


def _version(content: bytes) -> str:
    return f"{len(content)}-{hash(content)}"
