"""A list and a watch of one resource, kept as plain dicts, with a callback for each change.

Own writes are told to it at once (``wrote``, ``deleted``), so that a controller that looks again before the watch has
brought them does not do its work twice.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing

from aiop.runtime.client.errors import ClientError, Expired
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.kit.clock import Clock
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.cluster.moments import moment_of
from aiop.sim.cluster.objects import key_of, owners_of, terminating, uid_of, version_of

# The embedded server never fails; a real one that restarts is back within seconds.
_RETRY_SECONDS = 0.5

Changed = Callable[[Object | None, Object | None], None]


class Mirror:
    """``objects`` by key; ``changed(old, new)`` is called after it is up to date (None: was or is absent).

    Promised: what it holds is never older than what it held, own writes included. Not promised: that it is as new as
    the server.
    """

    def __init__(self, api: ClusterAPI, resource: Resource, clock: Clock, changed: Changed | None = None) -> None:
        self.resource = resource
        self.objects: dict[ObjectKey, Object] = {}
        self.synced = asyncio.Event()
        self._api = api
        self._clock = clock
        self._callbacks = [changed] if changed else []
        self._namespaces: dict[str, dict[ObjectKey, Object]] = {}
        self._owned: dict[str, dict[ObjectKey, Object]] = {}
        self._doomed: set[str] = set()

    def subscribe(self, changed: Changed) -> None:
        """Call ``changed`` too, beginning with what is there."""
        self._callbacks.append(changed)
        for item in list(self.objects.values()):
            changed(None, item)

    def get(self, key: ObjectKey) -> Object | None:
        """The object, if there is one."""
        return self.objects.get(key)

    def in_namespace(self, namespace: str) -> list[Object]:
        """The objects of one namespace, by name."""
        there = self._namespaces.get(namespace, {})
        return [there[key] for key in sorted(there)]

    def owned_by(self, uid: str) -> list[Object]:
        """The objects with an ownerReference to ``uid``, by key; to "": those without any owner."""
        there = self._owned.get(uid, {})
        return [there[key] for key in sorted(there)]

    def wrote(self, obj: Object) -> None:
        """The server answered a write of ours with ``obj``."""
        known = self.objects.get(key_of(obj))
        if known is None or version_of(known) < version_of(obj):
            self._set(key_of(obj), obj)

    def deleted(self, obj: Object) -> None:
        """The server accepted our deletion of ``obj``: it is terminating until the watch says that it is gone."""
        known = self.objects.get(key_of(obj))
        if known is not None and uid_of(known) == uid_of(obj) and not terminating(known):
            self._doomed.add(uid_of(obj))
            self._set(key_of(obj), known)

    async def run(self) -> None:
        """Mirror for ever."""
        version = ""
        while True:
            try:
                if not version:
                    version = await self._list()
                    self.synced.set()
                version = await self._follow(version)
            except Expired:
                version = ""
            except ClientError:
                await self._clock.sleep(_RETRY_SECONDS)

    async def _list(self) -> str:
        items, version = await self._api.list(self.resource)
        fresh = {key_of(item): item for item in items}
        for key, known in list(self.objects.items()):
            if key not in fresh and version_of(known) <= int(version):
                self._set(key, None)
        for key, item in fresh.items():
            self._take(key, item)
        return version

    async def _follow(self, version: str) -> str:
        async with aclosing(self._api.watch(self.resource, resource_version=version)) as events:  # type: ignore[type-var]  # an async generator
            async for kind, item in events:
                version = item["metadata"]["resourceVersion"]
                if kind == "DELETED":
                    self._remove(item)
                elif kind != "BOOKMARK":
                    self._take(key_of(item), item)
        return version

    def _take(self, key: ObjectKey, item: Object) -> None:
        """News from the server, which an answer to a write of ours may have overtaken."""
        known = self.objects.get(key)
        if known is None or version_of(known) <= version_of(item):
            self._set(key, item)

    def _remove(self, item: Object) -> None:
        known = self.objects.get(key_of(item))
        self._doomed.discard(uid_of(item))
        if known is not None and uid_of(known) == uid_of(item):
            self._set(key_of(item), None)

    def _set(self, key: ObjectKey, item: Object | None) -> None:
        old = self.objects.pop(key, None)
        if old is not None:
            self._unindex(key, old)
        if item is not None:
            item = self._as_doomed(item)
            self._index(key, item)
        elif old is not None:
            self._doomed.discard(uid_of(old))
        for callback in self._callbacks:
            callback(old, item)

    def _as_doomed(self, item: Object) -> Object:
        if uid_of(item) not in self._doomed or terminating(item):
            return item
        return {**item, "metadata": {**item["metadata"], "deletionTimestamp": moment_of(self._clock)}}

    def _index(self, key: ObjectKey, item: Object) -> None:
        self.objects[key] = item
        self._namespaces.setdefault(key.namespace, {})[key] = item
        for uid in _owner_uids(item):
            self._owned.setdefault(uid, {})[key] = item

    def _unindex(self, key: ObjectKey, item: Object) -> None:
        self._namespaces[key.namespace].pop(key, None)
        for uid in _owner_uids(item):
            there = self._owned[uid]
            there.pop(key, None)
            if not there:
                del self._owned[uid]


def _owner_uids(item: Object) -> Iterator[str]:
    owners = owners_of(item)
    yield from {owner["uid"]: None for owner in owners} if owners else [""]
