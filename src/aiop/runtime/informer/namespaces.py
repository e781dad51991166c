"""One cache over a list of namespaces: a stream for each, so that the right to list the whole cluster is not needed.

Beyond what `Informer` promises: a namespace that does not exist, or where the server refuses us, has no objects and
holds up no other. Once the server lets us in, its objects come as those of any other. Until then ``knows`` is false for
it, so nobody takes what is not known there for what does not exist.
"""

import asyncio
from collections.abc import Callable, Mapping
from heapq import merge
from typing import Generic

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.availability import Availability
from aiop.runtime.informer.events import Handler
from aiop.runtime.informer.informer import Informer
from aiop.runtime.informer.responses import object_in
from aiop.runtime.informer.store import Objects, V, key_of
from aiop.runtime.informer.stream import StreamInformer


class NamespacedObjects(Generic[V]):
    """The stores of several namespaces as one. Reading it is looking each of them up; nothing is copied."""

    def __init__(self, stores: Mapping[str, Objects[V]]) -> None:
        self._stores = stores

    def __len__(self) -> int:
        return sum(map(len, self._stores.values()))

    def get(self, key: ObjectKey) -> V | None:
        """The object; None too if it is in a namespace that is not in the list."""
        store = self._stores.get(key.namespace)
        return None if store is None else store.get(key)

    def keys(self) -> list[ObjectKey]:
        """The keys of all objects, namespace by namespace."""
        return [key for store in self._stores.values() for key in store.keys()]  # noqa: SIM118 - no Mapping

    def values(self) -> list[V]:
        """All objects, namespace by namespace."""
        return [view for store in self._stores.values() for view in store.values()]

    def by_index(self, index: str, value: str) -> list[V]:
        """The objects of all namespaces for which the index function gives ``value``, sorted by key."""
        found = (store.by_index(index, value) for store in self._stores.values())
        return list(merge(*found, key=key_of))


class NamespacedInformer(Informer[V]):
    """Several streams as one informer; ``streams`` are by namespace, and each has a name of its own for its metrics.

    It has synced once each of them has been answered and one has not been refused: where all are, the process could
    do nothing.
    """

    def __init__(self, name: str, streams: Mapping[str, StreamInformer[V]], decode: Callable[[bytes], V]) -> None:
        self.name = name
        self.store = NamespacedObjects({namespace: stream.store for namespace, stream in streams.items()})
        self._streams = dict(streams)
        self._decode = decode
        self._availability = Availability(name)
        for stream in self._streams.values():
            stream.on_availability(lambda _: self._tell_availability())

    def __repr__(self) -> str:
        return f"<Informer {self.name} of {len(self._streams)} namespaces: {list(self._streams.values())}>"

    def add_handler(self, handler: Handler[V], *, resync_seconds: float | None = None) -> None:
        """Told of every namespace."""
        for stream in self._streams.values():
            stream.add_handler(handler, resync_seconds=resync_seconds)

    def remove_handler(self, handler: Handler[V]) -> None:
        """Told of no namespace any more."""
        for stream in self._streams.values():
            stream.remove_handler(handler)

    def has_synced(self) -> bool:
        """Every namespace has been answered, and one of them by a list."""
        streams = self._streams.values()
        return all(stream.answered for stream in streams) and any(stream.has_synced() for stream in streams)

    async def wait_synced(self) -> None:
        """Until then."""
        streams = self._streams.values()
        await asyncio.gather(*(stream.wait_answered() for stream in streams))
        waiting = [asyncio.ensure_future(stream.wait_synced()) for stream in streams]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def knows(self, namespace: str) -> bool:
        """False for a namespace of the list whose stream has not synced; nothing more will be known of any other."""
        stream = self._streams.get(namespace)
        return stream is None or stream.knows(namespace)

    @property
    def available(self) -> bool:
        """Served as soon as, and as long as, one namespace says so; one that refuses us says nothing."""
        said = [stream.available for stream in self._streams.values() if stream.has_synced() or not stream.available]
        return not said or any(said)

    def on_availability(self, callback: Callable[[bool], None]) -> None:
        """Called once a change, not once a namespace."""
        self._availability.on_change(callback)

    @property
    def trouble(self) -> str:
        """The troubles of all namespaces, each with its name."""
        troubles = ((name, stream.trouble) for name, stream in self._streams.items())
        return "; ".join(f"{name}: {trouble}" for name, trouble in troubles if trouble)

    def written(self, data: bytes) -> V:
        """Shown in its namespace; what is in no namespace of the list is shown nowhere."""
        view = self._decode(object_in(data))
        stream = self._streams.get(view.metadata.namespace)
        if stream is not None:
            stream.store.written(view)
        return view

    def deleted(self, key: ObjectKey, uid: str) -> None:
        """Shown in its namespace."""
        stream = self._streams.get(key.namespace)
        if stream is not None:
            stream.deleted(key, uid)

    async def run(self) -> None:
        """All streams at once."""
        async with asyncio.TaskGroup() as group:
            for stream in self._streams.values():
                group.create_task(stream.run(), name=f"informer {stream.name}")

    def _tell_availability(self) -> None:
        if self._availability.set(available=self.available):
            self._availability.tell()
