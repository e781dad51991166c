"""The ClusterAPI without HTTP, for the controllers that live in the server's own process."""

from collections.abc import AsyncIterator

from aiop.runtime.client.errors import Expired
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.sim.semantics.merge import merge_patched
from aiop.sim.server.kinds import Kind
from aiop.sim.server.refusals import Refused
from aiop.sim.server.registry import Registry
from aiop.sim.server.requests import DeleteOptions, WriteOptions
from aiop.sim.storage.store import End, Object, TooOld

_OPTIONS = WriteOptions(manager="simulated-cluster", validation="Ignore")


class InProcessAPI:
    """See ClusterAPI. Objects are the stored ones: nobody may change them in place."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def get(self, resource: Resource, key: ObjectKey) -> Object:
        """One object."""
        try:
            return self._registry.get(self._kind(resource), key).obj
        except Refused as refusal:
            raise refusal.error() from refusal

    async def list(
        self, resource: Resource, *, namespace: str = "", label_selector: str = "", field_selector: str = ""
    ) -> tuple[list[Object], str]:
        """The objects and the store's version."""
        found = self._registry.list(self._kind(resource), namespace, label_selector, field_selector)
        return [stored.obj for stored in found], str(self._registry.store.version)

    async def watch(self, resource: Resource, *, resource_version: str) -> AsyncIterator[tuple[str, Object]]:
        """Changes for as long as the kind is served; raises Expired."""
        store = self._registry.store
        try:
            subscription = store.subscribe(self._kind(resource).bucket, int(resource_version))
        except TooOld as error:
            raise Expired(410, "Expired", "too old resource version") from error
        try:
            while True:
                change = await subscription.changes.get()
                if isinstance(change, End):
                    return
                if change.new is None:
                    yield "DELETED", change.last.obj
                else:
                    yield "MODIFIED" if change.old else "ADDED", change.new.obj
        finally:
            store.unsubscribe(subscription)

    async def create(self, resource: Resource, namespace: str, obj: Object) -> Object:
        """POST."""
        try:
            return self._registry.create(self._kind(resource), namespace, obj, _OPTIONS)
        except Refused as refusal:
            raise refusal.error() from refusal

    async def update(self, resource: Resource, obj: Object, *, subresource: str = "") -> Object:
        """PUT; a namespace's finalize subresource removes it."""
        kind = self._kind(resource)
        key = ObjectKey(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        try:
            if subresource == "finalize":
                self._registry.finalize(kind, key)
                return obj
            return self._registry.update(kind, key, obj, _OPTIONS, subresource=subresource)
        except Refused as refusal:
            raise refusal.error() from refusal

    async def patch(self, resource: Resource, key: ObjectKey, patch: Object, *, subresource: str = "") -> Object:
        """A merge patch."""
        try:
            return self._registry.patch(
                self._kind(resource), key, lambda live: merge_patched(live, patch), _OPTIONS, subresource=subresource
            )
        except Refused as refusal:
            raise refusal.error() from refusal

    async def delete(
        self, resource: Resource, key: ObjectKey, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> None:
        """DELETE."""
        try:
            self._registry.delete(self._kind(resource), key, DeleteOptions(uid=uid or "", grace_seconds=grace_seconds))
        except Refused as refusal:
            raise refusal.error() from refusal

    def _kind(self, resource: Resource) -> Kind:
        return self._registry.kinds.of(resource)
