"""Our own writes, until the watch has told of them: read at once what was written, and leave no ghosts."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import msgspec

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.versions import is_newer, sort_key
from aiop.runtime.views.meta import ObjectView

V = TypeVar("V", bound=ObjectView)

# Shown on an own delete until the watch tells of it; the real time is the server's and comes with the event.
_OWN_DELETE_TIME = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class OwnWrite(Generic[V]):
    """One object as our last write left it; ``number`` grows with each write.

    An own delete (``deleting``) names no version of its own: it lasts until the watch tells of the deletion itself,
    or, for an object that the watch never told of, as long as the write that made it.
    """

    view: V
    version: str
    number: int
    deleting: bool = False

    def ahead_of(self, told: V) -> bool:
        """True while the write is newer than what the watch or a list says of the object."""
        if self.deleting:
            return self.view.metadata.uid == told.metadata.uid and not told.metadata.deletion_timestamp
        return is_newer(self.version, told.metadata.resource_version)

    def awaits_its_end(self, told: V | None) -> bool:
        """True for an own delete of what the watch still tells of."""
        return self.deleting and told is not None and self.ahead_of(told)


class OwnWrites(Generic[V]):
    """At most one write a key: the newest, whatever order the responses came in."""

    def __init__(self) -> None:
        self._writes: dict[ObjectKey, OwnWrite[V]] = {}
        self._by_version: list[tuple[int, str, ObjectKey]] = []
        self._count = 0

    def get(self, key: ObjectKey) -> OwnWrite[V] | None:
        """The write that is still ahead, if any."""
        return self._writes.get(key)

    def mark(self) -> int:
        """A moment: writes with a smaller number came before it."""
        return self._count

    def written(self, key: ObjectKey, view: V) -> bool:
        """The response to a write; False if a newer one is known. An own delete is not undone by it."""
        known = self._writes.get(key)
        version = view.metadata.resource_version
        if known and not is_newer(version, known.version):
            return False
        deleting = known is not None and known.deleting and known.ahead_of(view)
        self._put(key, OwnWrite(terminating(view) if deleting else view, version, self._count, deleting))
        return True

    def deleted(self, key: ObjectKey, current: V) -> None:
        """A delete of ``current`` was accepted."""
        version = current.metadata.resource_version
        self._put(key, OwnWrite(terminating(current), version, self._count, deleting=True))

    def drop(self, key: ObjectKey) -> OwnWrite[V] | None:
        """Forget the write; what it was."""
        return self._writes.pop(key, None)

    def passed(self, told: Mapping[ObjectKey, V], version: str) -> dict[ObjectKey, V]:
        """Forget all writes up to ``version``, but for deletes of what is ``told``; what they showed.

        So a write of what the watch does not select, whose event never comes, is forgotten too.
        """
        fallen = {}
        limit = sort_key(version)
        while self._by_version and self._by_version[0][:2] <= limit:
            _, text, key = heapq.heappop(self._by_version)
            write = self._writes.get(key)
            if write and write.version == text and not write.awaits_its_end(told.get(key)):
                fallen[key] = self._writes.pop(key).view
        return fallen

    def replaced(self, told: Mapping[ObjectKey, V], version: str, mark: int) -> dict[ObjectKey, V]:
        """Forget all that a list at ``version`` knows, begun at ``mark``; what they showed.

        A write from before the list began is in the list, whatever the versions say (the server may have been
        restored); one made while it was read may be newer.
        """
        fallen = {
            key: write.view for key, write in self._writes.items() if not _outlives(write, told.get(key), version, mark)
        }
        self._writes = {key: write for key, write in self._writes.items() if key not in fallen}
        # Versions from before a restore are too high to be passed soon, so what has fallen may not stay in the heap.
        self._by_version = [(*sort_key(write.version), key) for key, write in self._writes.items()]
        heapq.heapify(self._by_version)
        return fallen

    def _put(self, key: ObjectKey, write: OwnWrite[V]) -> None:
        self._count += 1
        self._writes[key] = write
        heapq.heappush(self._by_version, (*sort_key(write.version), key))


def _outlives(write: OwnWrite[V], told: V | None, version: str, mark: int) -> bool:
    if write.number < mark:
        return False
    if told is not None:
        return write.ahead_of(told)
    return is_newer(write.version, version)


def terminating(view: V) -> V:
    """The view with a deletionTimestamp. Views are msgspec Structs; the Protocol that bounds V cannot say so."""
    meta = msgspec.structs.replace(view.metadata, deletion_timestamp=_OWN_DELETE_TIME)
    return cast("V", msgspec.structs.replace(cast("msgspec.Struct", view), metadata=meta))
