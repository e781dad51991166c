"""What was written, as a real API server's audit log tells it; read on as it grows, rotated files too."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

# Status codes from here on mean that nothing was written.
_REFUSED = 300
# An election renews its lease and an event is no object's state; the default runtimes are applied once, at the start.
_ASIDE = frozenset({"events", "leases", "servingruntimes"})


class Write(NamedTuple):
    """One mutating request; ``received`` and ``answered`` are Unix times by the API server's clock, in seconds."""

    verb: str
    resource: str
    namespace: str
    name: str
    code: int
    received: float
    answered: float

    @property
    def said(self) -> str:
        """Verb and resource; a refused one has its status code."""
        return f"{self.verb} {self.resource}" + (f" ({self.code})" if self.refused else "")

    @property
    def refused(self) -> bool:
        """True if nothing was written."""
        return self.code >= _REFUSED

    @property
    def aside(self) -> bool:
        """True for leases, events and default runtimes, which say nothing of a workload."""
        return self.resource in _ASIDE


class _Reference(msgspec.Struct):
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


class _User(msgspec.Struct):
    username: str


class _Status(msgspec.Struct):
    code: int = 0


class _Event(msgspec.Struct, rename="camel"):
    stage: str
    verb: str
    user: _User
    request_received_timestamp: datetime
    stage_timestamp: datetime
    object_ref: _Reference = msgspec.field(default_factory=_Reference)
    response_status: _Status = msgspec.field(default_factory=_Status)


_decode = msgspec.json.Decoder(_Event).decode


class AuditLog:
    """One user's writes in order, as far as `read` has read."""

    def __init__(self, file: Path, user: str) -> None:
        self._file = file
        self._user = user
        self._read: dict[int, int] = {}  # bytes, by the file's inode: a rotated file keeps its own
        self.writes: list[Write] = []

    def read(self) -> list[Write]:
        """Read what is new; returns all writes, ``writes`` too."""
        new = [write for file in self._files() for write in self._new(file)]
        self.writes += sorted(new, key=lambda write: write.answered)
        return self.writes

    def done(self) -> list[Write]:
        """The successful ones that are a workload's, read now."""
        return [write for write in self.read() if not write.refused and not write.aside]

    def _files(self) -> Iterable[Path]:
        return sorted(self._file.parent.glob(f"{self._file.stem}*{self._file.suffix}"))

    def _new(self, file: Path) -> Iterable[Write]:
        with file.open("rb") as log:
            inode = file.stat().st_ino
            log.seek(self._read.get(inode, 0))
            whole, _, _ = log.read().rpartition(b"\n")
        self._read[inode] = self._read.get(inode, 0) + len(whole) + (1 if whole else 0)
        events = map(_decode, whole.splitlines())
        return [_write(event) for event in events if event.user.username == self._user and _ended(event)]


def in_words(writes: Iterable[Write]) -> str:
    """How many of each verb and resource."""
    found = Counter(write.said for write in writes)
    return ", ".join(f"{count} {name}" for name, count in sorted(found.items()))


def _ended(event: _Event) -> bool:
    return event.stage == "ResponseComplete"


def _write(event: _Event) -> Write:
    about = event.object_ref
    return Write(
        event.verb,
        "/".join(filter(None, (about.resource, about.subresource))),
        about.namespace,
        about.name,
        event.response_status.code,
        event.request_received_timestamp.timestamp(),
        event.stage_timestamp.timestamp(),
    )
