"""The one status write of a pass, and none when nothing changed."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from aiop.runtime.client.client import Client
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.conditions.condition import Condition, merge_conditions
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta


class _Conditions(msgspec.Struct):
    conditions: tuple[Condition, ...] = ()


def _ignore(data: bytes) -> None:
    """Nobody wants to know what was written."""


class StatusWriter:
    """Writes the status of one kind by server-side apply, under one field manager.

    ``written`` is told the object as each write left it: an informer's own ``written``, so that it shows at once.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        field_manager: str,
        *,
        written: Callable[[bytes], object] = _ignore,
    ) -> None:
        self._client = client
        self._resource = resource
        self._field_manager = field_manager
        self._written = written

    async def write(self, meta: ObjectMeta, live: bytes, status: bytes) -> bytes | None:
        """Apply ``status`` to the object as ``meta`` knows it; None, and no call, if ``live`` says the same already.

        Raises Conflict if the object has changed since, is gone, or another one has its name: then the watch will
        tell. Of a status the server heeds the resourceVersion only, not the UID.
        """
        if msgspec.json.decode(live) == msgspec.json.decode(status):
            return None
        identity = {"name": meta.name, "uid": meta.uid, "resourceVersion": meta.resource_version}
        if self._resource.namespaced:
            identity["namespace"] = meta.namespace
        body = {
            "apiVersion": self._resource.api_version,
            "kind": self._resource.kind,
            "metadata": identity,
            "status": msgspec.Raw(status),
        }
        key = ObjectKey(meta.namespace, meta.name)
        data = await self._client.apply(
            self._resource, key, body, field_manager=self._field_manager, subresource="status"
        )
        self._written(data)
        return data

    async def write_conditions(self, live: CustomObject, wanted: Sequence[Condition], now: datetime) -> bool:
        """For a kind whose status is its conditions and no more: make them ``wanted``; False if they are so already.

        Raises what `write` does, and msgspec.DecodeError if the conditions that are there make no sense.
        """
        meta = live.metadata
        known = msgspec.json.decode(live.status, type=_Conditions).conditions
        merged = _Conditions(merge_conditions(known, wanted, now=now, generation=meta.generation))
        return await self.write(meta, live.status, msgspec.json.encode(merged)) is not None
