"""The one status write of a pass, and none when nothing changed."""

import msgspec

from aiop.runtime.client.client import Client
from aiop.runtime.client.resource import ObjectKey, Resource


class StatusWriter:
    """Writes the status of one kind by server-side apply, under one field manager."""

    def __init__(self, client: Client, resource: Resource, field_manager: str) -> None:
        self._client = client
        self._resource = resource
        self._field_manager = field_manager

    async def write(self, key: ObjectKey, uid: str, live: bytes, status: bytes) -> bytes | None:
        """Apply ``status`` to the object with that UID; None, and no call, if ``live`` says the same already.

        Raises Conflict if the object is gone or another one has its name.
        """
        if msgspec.json.decode(live) == msgspec.json.decode(status):
            return None
        body = {
            "apiVersion": self._resource.api_version,
            "kind": self._resource.kind,
            "metadata": {"name": key.name, "uid": uid},
            "status": msgspec.Raw(status),
        }
        if self._resource.namespaced:
            body["metadata"] = {"name": key.name, "namespace": key.namespace, "uid": uid}
        return await self._client.apply(
            self._resource, key, body, field_manager=self._field_manager, subresource="status"
        )
