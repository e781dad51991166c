"""The seam between the simulated cluster and an API server: the embedded one in process, or a real one over HTTP."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

from aiop.runtime.client.resource import ObjectKey, Resource

Object = dict[str, Any]


class ClusterAPI(Protocol):
    """Plain dicts in and out. Whoever gets one must not change it in place. Errors are those of runtime.client."""

    async def get(self, resource: Resource, key: ObjectKey) -> Object:
        """One object; raises NotFound."""
        ...

    async def list(
        self, resource: Resource, *, namespace: str = "", label_selector: str = "", field_selector: str = ""
    ) -> tuple[list[Object], str]:
        """The objects and the list's resourceVersion."""
        ...

    def watch(self, resource: Resource, *, resource_version: str) -> AsyncIterator[tuple[str, Object]]:
        """(type, object) for ever, or until the server ends it; raises Expired."""
        ...

    async def create(self, resource: Resource, namespace: str, obj: Object) -> Object:
        """POST; raises AlreadyExists."""
        ...

    async def update(self, resource: Resource, obj: Object, *, subresource: str = "") -> Object:
        """PUT; the object's resourceVersion is the precondition (Conflict)."""
        ...

    async def patch(self, resource: Resource, key: ObjectKey, patch: Object, *, subresource: str = "") -> Object:
        """A JSON merge patch."""
        ...

    async def delete(
        self, resource: Resource, key: ObjectKey, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> None:
        """DELETE, in the background; with ``uid`` only that very object."""
        ...
