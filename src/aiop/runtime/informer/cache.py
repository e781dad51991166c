"""The store's writer: puts in what lists and watches say, and tells the handlers."""

from collections.abc import Mapping
from typing import Generic

import structlog

from aiop.runtime.client.codec import WatchEvent
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.decoding import Decoding, read_bookmark
from aiop.runtime.informer.errors import ForeignObject, UndecodableObject
from aiop.runtime.informer.events import TYPES, Event, EventType, difference, steps
from aiop.runtime.informer.handlers import Handlers
from aiop.runtime.informer.store import Store, V, key_of
from aiop.runtime.informer.versions import is_newer

log = structlog.get_logger(__name__)

# From these a watch begins with everything that is there, in no order.
_UNORDERED = frozenset({"", "0"})


class Cache(Generic[V]):
    """Changes the store first and tells the handlers then, event by event."""

    def __init__(self, informer: str, store: Store[V], decoding: Decoding[V], handlers: Handlers[V]) -> None:
        self._informer = informer
        self._store = store
        self._decoding = decoding
        self._handlers = handlers
        self._ordered = True

    def replace(self, views: Mapping[ObjectKey, V], version: str, mark: int, *, initial: bool) -> None:
        """A list counts as it is; what it does not have is gone. Readers see it as a whole."""
        before = self._store.current()  # which is left as it is: what comes takes its place
        fallen = self._store.replace(views.values(), version, mark)
        if not self._handlers.listening:
            return
        changes = difference(before, self._store.current(), initial=initial)
        if fallen:
            told = {event.key for event in changes}
            changes += self._undone({key: view for key, view in fallen.items() if key not in told})
        self._handlers.notify(*changes)

    def watching(self) -> None:
        """A watch begins at the store's version."""
        self._ordered = self._store.version not in _UNORDERED

    def receive(self, event: WatchEvent) -> bool:
        """An event of a watch; True if the resume point moved."""
        if event.type == "BOOKMARK":
            self._ordered = True
            return self._advance(read_bookmark(event.object).resource_version)
        kind = TYPES.get(event.type)
        if kind is None:
            log.warning("event skipped: its type is unknown", informer=self._informer, type=event.type)
            return False
        try:
            view = self._decoding.view(event.object)
        except ForeignObject:
            return False
        except UndecodableObject as told:
            self._lost_sight(kind, told)
            return self._moved(kind, told.resource_version)
        self._change(kind, view)
        return self._moved(kind, view.metadata.resource_version)

    def _change(self, kind: EventType, view: V) -> None:
        key = key_of(view)
        if kind is EventType.DELETED:
            if self._store.remove(key, view.metadata.uid, view.metadata.resource_version) is not None:
                self._handlers.notify(Event(EventType.DELETED, key, view, None))
            return
        old = self._store.observed(key)
        if self._store.put(view):
            self._handlers.notify(*steps(key, old, view))

    def _lost_sight(self, kind: EventType, told: UndecodableObject) -> None:
        """An object that makes no sense: its last good state stays, unless that very object is gone."""
        key = ObjectKey(told.namespace, told.name)
        known = self._store.observed(key)
        if known is not None and (kind is EventType.DELETED or known.metadata.uid != told.uid):
            gone = self._store.remove(key, known.metadata.uid, told.resource_version)
            if gone is not None:
                self._handlers.notify(Event(EventType.DELETED, key, gone, None))

    def _moved(self, kind: EventType, version: str) -> bool:
        """What comes in no order says nothing of what came before it."""
        if not self._ordered and kind is EventType.ADDED:
            return False
        self._ordered = True
        return self._advance(version)

    def _advance(self, version: str) -> bool:
        if not is_newer(version, self._store.version):
            return False
        fallen = self._store.passed(version)
        if fallen:
            self._handlers.notify(*self._undone(fallen))
        return True

    def _undone(self, fallen: dict[ObjectKey, V]) -> list[Event[V]]:
        """Own writes that showed in the store and are not what became of the object: somebody may have relied on it."""
        events = []
        for key, shown in fallen.items():
            now = self._store.observed(key)
            if now is None:
                events.append(Event(EventType.DELETED, key, shown, None))
            elif now != shown:
                events.append(Event(EventType.MODIFIED, key, shown, now))
        return events
