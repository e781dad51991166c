"""What a list has told so far, page by page or by watch, before it takes the store's place as a whole."""

from typing import Generic

import structlog

from aiop.runtime.client.codec import WatchEvent
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.decoding import Decoding, read_bookmark
from aiop.runtime.informer.errors import ForeignObject, UndecodableObject, WatchListUnsupported
from aiop.runtime.informer.events import TYPES, EventType
from aiop.runtime.informer.store import Store, V, key_of

log = structlog.get_logger(__name__)


class Snapshot(Generic[V]):
    """Collects ``views``; the store is only read, for objects that have become nonsense since."""

    def __init__(self, informer: str, decoding: Decoding[V], store: Store[V]) -> None:
        self.views: dict[ObjectKey, V] = {}
        self.version = ""
        self._informer = informer
        self._decoding = decoding
        self._store = store

    def add(self, data: bytes) -> None:
        """An object; of one that has become nonsense what was last known, since it is not gone."""
        try:
            view = self._decoding.view(data)
        except UndecodableObject as told:
            self._keep(told)
        except ForeignObject:
            return
        else:
            self.views[key_of(view)] = view

    def take(self, event: WatchEvent) -> bool:
        """An event of a list by watch; True at the mark of its end, when ``version`` is known.

        Raises WatchListUnsupported if the server goes on to what changes without having set that mark.
        """
        if event.type == "BOOKMARK":
            return self._ends_at(event.object)
        match TYPES.get(event.type):
            case None:
                log.warning("event skipped: its type is unknown", informer=self._informer, type=event.type)
            case EventType.DELETED:
                self._remove(event.object)
            case _:
                self.add(event.object)
        return False

    def _ends_at(self, data: bytes) -> bool:
        bookmark = read_bookmark(data)
        if bookmark.initial_end:
            self.version = bookmark.resource_version
            return True
        if bookmark.resource_version:
            message = "a bookmark came before the mark of the initial events' end"
            raise WatchListUnsupported(message)
        return False

    def _remove(self, data: bytes) -> None:
        try:
            self.views.pop(key_of(self._decoding.view(data)), None)
        except UndecodableObject as told:
            key = ObjectKey(told.namespace, told.name)
            if key in self.views and self.views[key].metadata.uid == told.uid:
                del self.views[key]
        except ForeignObject:
            return

    def _keep(self, told: UndecodableObject) -> None:
        key = ObjectKey(told.namespace, told.name)
        known = self.views.pop(key, None) or self._store.observed(key)
        if known is not None and known.metadata.uid == told.uid:
            self.views[key] = known
