"""A list and a watch of one resource, kept as plain dicts, with a callback for each change."""

from collections.abc import Callable
from contextlib import aclosing

from aiop.runtime.client.errors import ClientError, Expired
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.kit.clock import Clock
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.cluster.objects import key_of

# The embedded server never fails; a real one that restarts is back within seconds.
_RETRY_SECONDS = 0.5

Changed = Callable[[Object | None, Object | None], None]


class Mirror:
    """``objects`` by key; ``changed(old, new)`` is called after it is up to date (None: was or is absent)."""

    def __init__(self, api: ClusterAPI, resource: Resource, clock: Clock, changed: Changed | None = None) -> None:
        self.resource = resource
        self.objects: dict[ObjectKey, Object] = {}
        self._api = api
        self._clock = clock
        self._callbacks = [changed] if changed else []

    def subscribe(self, changed: Changed) -> None:
        """Call ``changed`` too."""
        self._callbacks.append(changed)

    def in_namespace(self, namespace: str) -> list[Object]:
        """The objects of one namespace, by name."""
        return [self.objects[key] for key in sorted(self.objects) if key.namespace == namespace]

    async def run(self) -> None:
        """Mirror for ever."""
        version = ""
        while True:
            try:
                if not version:
                    version = await self._list()
                version = await self._follow(version)
            except Expired:
                version = ""
            except ClientError:
                await self._clock.sleep(_RETRY_SECONDS)

    async def _list(self) -> str:
        items, version = await self._api.list(self.resource)
        fresh = {key_of(item): item for item in items}
        for key in [key for key in self.objects if key not in fresh]:
            self._set(key, None)
        for key, item in fresh.items():
            self._set(key, item)
        return version

    async def _follow(self, version: str) -> str:
        async with aclosing(self._api.watch(self.resource, resource_version=version)) as events:  # type: ignore[type-var]  # an async generator
            async for kind, item in events:
                version = item["metadata"]["resourceVersion"]
                if kind != "BOOKMARK":
                    self._set(key_of(item), None if kind == "DELETED" else item)
        return version

    def _set(self, key: ObjectKey, item: Object | None) -> None:
        old = self.objects.get(key)
        if item is None:
            self.objects.pop(key, None)
        else:
            self.objects[key] = item
        for callback in self._callbacks:
            callback(old, item)
