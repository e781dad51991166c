"""What an informer knows: objects by key, with indexes, and our own writes laid over until the watch has caught up."""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, Protocol, TypeVar

import structlog

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.ownwrites import OwnWrites
from aiop.runtime.informer.versions import is_newer
from aiop.runtime.views.meta import ObjectView

V = TypeVar("V", bound=ObjectView)
IndexFunction = Callable[[V], Iterable[str]]
# What an object has in each index, in the order of the indexes.
_Values = tuple[tuple[str, ...], ...]

log = structlog.get_logger(__name__)


def key_of(view: ObjectView) -> ObjectKey:
    """The key that an object is stored under."""
    return ObjectKey(view.metadata.namespace, view.metadata.name)


class Objects(Protocol[V]):
    """Objects by key, for reading, which never waits and never copies: views are frozen and shared."""

    def __len__(self) -> int: ...

    def get(self, key: ObjectKey) -> V | None:
        """The object, as it will be once our own writes are seen; None if there is none."""
        ...

    def keys(self) -> list[ObjectKey]:
        """The keys of all objects, in no particular order."""
        ...

    def values(self) -> list[V]:
        """All objects, in no particular order."""
        ...

    def by_index(self, index: str, value: str) -> list[V]:
        """The objects for which the index function gives ``value``, sorted by key so that plans are repeatable.

        Raises KeyError for an index that there is not.
        """
        ...


class Store(Generic[V]):
    """The objects of one stream.

    Promised: indexes agree with the objects at every moment, own writes included; a reader sees a relist as a whole
    or not at all; an older state never takes the place of a newer one, but for a relist, which counts as it is.
    """

    def __init__(self, indexes: Mapping[str, IndexFunction[V]] | None = None) -> None:
        self._functions = dict(indexes or {})
        self._base: dict[ObjectKey, V] = {}
        self._own: OwnWrites[V] = OwnWrites()
        self._version = ""
        self._indexes: dict[str, dict[str, set[ObjectKey]]] = {name: {} for name in self._functions}
        self._indexed: dict[ObjectKey, _Values] = {}

    def __len__(self) -> int:
        return len(self._indexed)

    def get(self, key: ObjectKey) -> V | None:
        """The object, as it will be once our own writes are seen; None if there is none."""
        write = self._own.get(key)
        return write.view if write else self._base.get(key)

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

    @property
    def version(self) -> str:
        """All that happened up to this resourceVersion is here."""
        return self._version

    def observed(self, key: ObjectKey) -> V | None:
        """What the watch last said, own writes left aside."""
        return self._base.get(key)

    def all_observed(self) -> dict[ObjectKey, V]:
        """All that the watch last said."""
        return dict(self._base)

    def current(self) -> Mapping[ObjectKey, V]:
        """As ``all_observed``, not copied: for reading only; it changes until a ``replace`` puts another there."""
        return self._base

    def put(self, view: V) -> bool:
        """What the watch says now; False if that is old news. An own write that is not newer gives way."""
        key = key_of(view)
        known = self._base.get(key)
        if known and not is_newer(view.metadata.resource_version, known.metadata.resource_version):
            return False
        self._base[key] = view
        write = self._own.get(key)
        if write and not write.ahead_of(view):
            self._own.drop(key)
        self._reindex(key)
        return True

    def remove(self, key: ObjectKey, uid: str, version: str) -> V | None:
        """The watch says that it is gone, at ``version``; what was known of it, or None if that is old news."""
        known = self._base.get(key)
        if known and is_newer(known.metadata.resource_version, version):
            return None
        self._base.pop(key, None)
        write = self._own.get(key)
        if write and (write.view.metadata.uid == uid or not is_newer(write.version, version)):
            self._own.drop(key)
        self._reindex(key)
        return known

    def begin_list(self) -> int:
        """Call before a list is asked for, and give the answer to ``replace``."""
        return self._own.mark()

    def replace(self, views: Iterable[V], version: str, mark: int) -> dict[ObjectKey, V]:
        """A relist: it counts even where its versions are lower, since the server may have been restored.

        Returns what own writes showed that fell by it.
        """
        self._base = {key_of(view): view for view in views}
        self._version = version
        fallen = self._own.replaced(self._base, version, mark)
        for key in [key for key in self._indexed if key not in self._base]:
            self._reindex(key)
        self._reindex_base()
        return fallen

    def passed(self, version: str) -> dict[ObjectKey, V]:
        """The watch has told everything up to ``version``. Returns what own writes showed that fell unseen by it."""
        if not is_newer(version, self._version):
            return {}
        self._version = version
        fallen = self._own.passed(self._base, version)
        for key in fallen:
            self._reindex(key)
        return fallen

    def written(self, view: V) -> None:
        """The response to an own write; ignored if the watch or a later write said more, or if it has no version.

        What the informer's selector leaves out shows all the same, until an event or a bookmark has passed it.
        """
        key, version = key_of(view), view.metadata.resource_version
        base = self._base.get(key)
        told = base.metadata.resource_version if base else ""
        if not view.metadata.name or not is_newer(version, self._version) or not is_newer(version, told):
            return
        if self._own.written(key, view):
            self._reindex(key)

    def deleted(self, key: ObjectKey, uid: str) -> None:
        """An own delete: the object shows as terminating under its UID, never as absent, until the watch says so."""
        current = self.get(key)
        if current is None or current.metadata.uid != uid or current.metadata.deletion_timestamp:
            return
        self._own.deleted(key, current)
        self._reindex(key)

    def _reindex_base(self) -> None:
        """As ``_reindex`` for each object of a list, of which most are as they were."""
        own, indexed, values_of = self._own.get, self._indexed.get, self._values_of
        for key, view in self._base.items():
            write = own(key)
            new = values_of(write.view if write else view)
            old = indexed(key)
            if new != old:
                self._place(key, old, new)

    def _reindex(self, key: ObjectKey) -> None:
        view = self.get(key)
        old = self._indexed.get(key)
        new = None if view is None else self._values_of(view)
        if new != old:
            self._place(key, old, new)

    def _place(self, key: ObjectKey, old: _Values | None, new: _Values | None) -> None:
        for index, values in zip(self._indexes.values(), old or (), strict=False):
            _drop(index, values, key)
        if new is None:
            del self._indexed[key]
            return
        self._indexed[key] = new
        for index, values in zip(self._indexes.values(), new, strict=True):
            for value in values:
                index.setdefault(value, set()).add(key)

    def _values_of(self, view: V) -> _Values:
        values = []
        for name, function in self._functions.items():
            try:
                values.append(tuple(dict.fromkeys(function(view))))
            except Exception:  # an object that an index function cannot read may not stop the others
                log.exception("index function failed", index=name, object=str(key_of(view)))
                values.append(())
        return tuple(values)


def _drop(index: dict[str, set[ObjectKey]], values: Iterable[str], key: ObjectKey) -> None:
    for value in values:
        keys = index[value]
        keys.discard(key)
        if not keys:
            del index[value]
