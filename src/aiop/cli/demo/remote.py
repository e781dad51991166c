"""The simulated kubelets' view of an API server over HTTP: the ClusterAPI on top of the runtime's client."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec

from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.sim.cluster.api import Object

_FIELD_MANAGER = "simulated-cluster"
_WATCH_SECONDS = 300


class RemoteClusterAPI:
    """See ClusterAPI; every verb is one request."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get(self, resource: Resource, key: ObjectKey) -> Object:
        """GET."""
        return _decoded(await self._client.get(resource, key))

    async def list(
        self, resource: Resource, *, namespace: str = "", label_selector: str = "", field_selector: str = ""
    ) -> tuple[list[Object], str]:
        """A paged list, joined."""
        items: list[Object] = []
        version = ""
        pages = self._client.list_pages(
            resource, namespace=namespace, label_selector=label_selector, field_selector=field_selector
        )
        async for page in pages:
            items += [_decoded(item) for item in page.items]
            version = page.resource_version
        return items, version

    async def watch(self, resource: Resource, *, resource_version: str) -> AsyncIterator[tuple[str, Object]]:
        """One watch, until the server ends it."""
        events = self._client.watch(resource, resource_version=resource_version, timeout_seconds=_WATCH_SECONDS)
        async with aclosing(events) as stream:  # type: ignore[type-var]  # an async generator
            async for event in stream:
                yield event.type, _decoded(event.object)

    async def create(self, resource: Resource, namespace: str, obj: Object) -> Object:
        """POST."""
        return _decoded(await self._client.create(resource, namespace, obj, field_manager=_FIELD_MANAGER))

    async def update(self, resource: Resource, obj: Object, *, subresource: str = "") -> Object:
        """PUT."""
        key = ObjectKey(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        data = await self._client.replace(resource, key, obj, field_manager=_FIELD_MANAGER, subresource=subresource)
        return _decoded(data)

    async def patch(self, resource: Resource, key: ObjectKey, patch: Object, *, subresource: str = "") -> Object:
        """A merge patch."""
        data = await self._client.patch(
            resource, key, patch, patch_type=PatchType.MERGE, field_manager=_FIELD_MANAGER, subresource=subresource
        )
        return _decoded(data)

    async def delete(
        self, resource: Resource, key: ObjectKey, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> None:
        """DELETE."""
        await self._client.delete(resource, key, uid=uid, grace_seconds=grace_seconds)


def _decoded(data: bytes) -> Object:
    return msgspec.json.decode(data, type=dict)
