"""Objects by resource and key under one growing version. Nothing here waits, so every operation is atomic."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aiop.runtime.client.resource import ObjectKey

Object = dict[str, Any]
# A bucket is a resource without its version: "apps/deployments".
Bucket = str

# Where a new cluster's versions begin: not at a number that small integers in tests could meet by accident.
_FIRST_VERSION = 100
# Watches that are further behind must list again, as with etcd's compaction.
_HISTORY = 20_000


class Stored:
    """One version of an object: never changed, encoded at most once."""

    __slots__ = ("_data", "obj", "version")

    def __init__(self, obj: Object, version: int) -> None:
        self.obj = obj
        self.version = version
        self._data: bytes | None = None

    @property
    def data(self) -> bytes:
        """The object as JSON."""
        if self._data is None:
            self._data = msgspec.json.encode(self.obj)
        return self._data


@dataclass(frozen=True, slots=True)
class Change:
    """What happened: ``old`` is None for a creation, ``new`` for a deletion (``last`` is then what was deleted)."""

    version: int
    bucket: Bucket
    key: ObjectKey
    old: Stored | None
    new: Stored | None
    last: Stored


@dataclass(frozen=True, slots=True)
class End:
    """Nothing comes after this: the resource is served no longer."""


@dataclass(eq=False, slots=True)
class Subscription:
    """A watcher's queue of changes of one bucket."""

    bucket: Bucket
    changes: asyncio.Queue[Change | End] = field(default_factory=asyncio.Queue)


class TooOld(Exception):
    """Raised when a watch asks for a version whose history is gone."""


class Store:
    """See the module."""

    def __init__(self) -> None:
        self.version = _FIRST_VERSION
        self._buckets: dict[Bucket, dict[ObjectKey, Stored]] = {}
        self._history: deque[Change] = deque()
        self._compacted = _FIRST_VERSION
        self._subscriptions: set[Subscription] = set()
        self._listeners: list[Callable[[Change], None]] = []

    def get(self, bucket: Bucket, key: ObjectKey) -> Stored | None:
        """The newest version of an object."""
        return self._buckets.get(bucket, {}).get(key)

    def items(self, bucket: Bucket, namespace: str = "") -> list[Stored]:
        """The objects of a bucket, of one namespace or all, sorted by key."""
        found = self._buckets.get(bucket, {})
        return [found[key] for key in sorted(found) if not namespace or key.namespace == namespace]

    def buckets(self) -> Iterator[Bucket]:
        """The buckets that hold something."""
        yield from [bucket for bucket, objects in self._buckets.items() if objects]

    def put(self, bucket: Bucket, key: ObjectKey, obj: Object) -> Stored:
        """Write an object under the next version, which becomes its resourceVersion."""
        objects = self._buckets.setdefault(bucket, {})
        stored = self._versioned(obj)
        old = objects.get(key)
        objects[key] = stored
        self._publish(Change(stored.version, bucket, key, old, stored, stored))
        return stored

    def remove(self, bucket: Bucket, key: ObjectKey) -> Stored:
        """Delete an object; the last state carries the version of its deletion."""
        old = self._buckets[bucket].pop(key)
        last = self._versioned(old.obj)
        self._publish(Change(last.version, bucket, key, old, None, last))
        return last

    def subscribe(self, bucket: Bucket, since: int) -> Subscription:
        """Every change after ``since``, past ones included; raises TooOld."""
        if since < self._compacted:
            raise TooOld
        subscription = Subscription(bucket)
        for change in self._history:
            if change.version > since and change.bucket == bucket:
                subscription.changes.put_nowait(change)
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """The watcher is gone."""
        self._subscriptions.discard(subscription)

    def end(self, bucket: Bucket) -> None:
        """End the watches of a bucket, once they have told what happened so far."""
        for subscription in self._subscriptions:
            if subscription.bucket == bucket:
                subscription.changes.put_nowait(End())

    def on_change(self, listener: Callable[[Change], None]) -> None:
        """Call ``listener`` with every change, at once and in order."""
        self._listeners.append(listener)

    def compact(self) -> None:
        """Forget the history: watches at older versions get 410."""
        self._history.clear()
        self._compacted = self.version

    def _versioned(self, obj: Object) -> Stored:
        self.version += 1
        metadata = {**obj["metadata"], "resourceVersion": str(self.version)}
        return Stored({**obj, "metadata": metadata}, self.version)

    def _publish(self, change: Change) -> None:
        self._history.append(change)
        if len(self._history) > _HISTORY:
            self._compacted = self._history.popleft().version
        for subscription in self._subscriptions:
            if subscription.bucket == change.bucket:
                subscription.changes.put_nowait(change)
        for listener in self._listeners:
            listener(change)
