"""What an informer knows: objects by key, with indexes, and our own writes laid over until the watch has caught up."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import msgspec

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.versions import is_newer
from aiop.runtime.views.meta import ObjectMeta, ObjectView

V = TypeVar("V", bound=ObjectView)
IndexFunction = Callable[[V], Iterable[str]]

# Shown on an own delete until the watch tells of it; the real time is the server's and comes with the event.
_OWN_DELETE_TIME = "1970-01-01T00:00:00Z"


def key_of(view: ObjectView) -> ObjectKey:
    """The key that an object is stored under."""
    return ObjectKey(view.metadata.namespace, view.metadata.name)


@dataclass(slots=True)
class _Overlay(Generic[V]):
    view: V
    version: str
    # An own delete names no version: it lasts until the watch tells of the deletion itself.
    deleting: bool = False


class Store(Generic[V]):
    """Objects by key. Reading never waits and never copies: views are frozen and shared.

    Promised: indexes agree with the objects at every moment; a reader sees a relist as a whole or not at all.
    """

    def __init__(self, indexes: Mapping[str, IndexFunction[V]] | None = None) -> None:
        self._functions = dict(indexes or {})
        self._base: dict[ObjectKey, V] = {}
        self._overlays: dict[ObjectKey, _Overlay[V]] = {}
        self._indexes: dict[str, dict[str, set[ObjectKey]]] = {name: {} for name in self._functions}
        self._indexed: dict[ObjectKey, dict[str, tuple[str, ...]]] = {}

    def __len__(self) -> int:
        return len(self._indexed)

    def get(self, key: ObjectKey) -> V | None:
        """The object, as it will be once our own writes are seen; None if there is none."""
        overlay = self._overlays.get(key)
        return overlay.view if overlay else self._base.get(key)

    def keys(self) -> list[ObjectKey]:
        """The keys of all objects, in no particular order."""
        return list(self._indexed)

    def values(self) -> list[V]:
        """All objects, in no particular order."""
        return [view for key in self._indexed if (view := self.get(key)) is not None]

    def by_index(self, index: str, value: str) -> list[V]:
        """The objects for which the index function gives ``value``, sorted by key so that plans are repeatable."""
        keys = sorted(self._indexes[index].get(value, ()))
        return [view for key in keys if (view := self.get(key)) is not None]

    # What follows is the informer's.

    def observed(self, key: ObjectKey) -> V | None:
        """What the watch last said, own writes left aside."""
        return self._base.get(key)

    def all_observed(self) -> dict[ObjectKey, V]:
        """All that the watch last said."""
        return dict(self._base)

    def put(self, view: V) -> None:
        """What the watch says now; an own write that is not newer gives way."""
        key = key_of(view)
        self._base[key] = view
        overlay = self._overlays.get(key)
        if overlay and not self._still_ahead(overlay, view):
            del self._overlays[key]
        self._reindex(key)

    def remove(self, key: ObjectKey) -> None:
        """The watch says that it is gone."""
        gone = self._base.pop(key, None)
        overlay = self._overlays.get(key)
        if overlay and (gone is None or overlay.view.metadata.uid == gone.metadata.uid):
            del self._overlays[key]
        self._reindex(key)

    def replace(self, views: Iterable[V]) -> None:
        """A relist: it counts even where its versions are lower, since the server may have been restored."""
        self._base = {key_of(view): view for view in views}
        self._overlays.clear()
        for key in [*self._indexed, *self._base]:
            self._reindex(key)

    def passed(self, version: str) -> None:
        """The watch has told everything up to ``version``: own writes up to there are no longer ahead."""
        fallen = [
            key
            for key, overlay in self._overlays.items()
            if not overlay.deleting and not is_newer(overlay.version, version)
        ]
        for key in fallen:
            del self._overlays[key]
            self._reindex(key)

    def written(self, view: V) -> None:
        """The response to an own write; an older one than what the watch said is ignored."""
        key = key_of(view)
        base = self._base.get(key)
        if base and not is_newer(view.metadata.resource_version, base.metadata.resource_version):
            return
        self._overlays[key] = _Overlay(view, view.metadata.resource_version)
        self._reindex(key)

    def deleted(self, key: ObjectKey, uid: str) -> None:
        """An own delete: the object shows as terminating under its UID, never as absent, until the watch says so."""
        current = self.get(key)
        if current is None or current.metadata.uid != uid or current.metadata.deletion_timestamp:
            return
        meta = msgspec.structs.replace(current.metadata, deletion_timestamp=_OWN_DELETE_TIME)
        view = _with_metadata(current, meta)
        self._overlays[key] = _Overlay(view, current.metadata.resource_version, deleting=True)
        self._reindex(key)

    @staticmethod
    def _still_ahead(overlay: _Overlay[V], told: V) -> bool:
        if overlay.deleting:
            return overlay.view.metadata.uid == told.metadata.uid and not told.metadata.deletion_timestamp
        return is_newer(overlay.version, told.metadata.resource_version)

    def _reindex(self, key: ObjectKey) -> None:
        view = self.get(key)
        old = self._indexed.pop(key, {})
        for name, values in old.items():
            self._drop(name, values, key)
        if view is None:
            return
        new = {name: tuple(function(view)) for name, function in self._functions.items()}
        self._indexed[key] = new
        for name, values in new.items():
            for value in values:
                self._indexes[name].setdefault(value, set()).add(key)

    def _drop(self, name: str, values: Iterable[str], key: ObjectKey) -> None:
        index = self._indexes[name]
        for value in values:
            keys = index[value]
            keys.discard(key)
            if not keys:
                del index[value]


def _with_metadata(view: V, meta: ObjectMeta) -> V:
    """Views are msgspec Structs; the Protocol that bounds V cannot say so."""
    return cast("V", msgspec.structs.replace(cast("msgspec.Struct", view), metadata=meta))
