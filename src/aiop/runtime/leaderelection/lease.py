"""The Lease in the API server: read, watched and written, and nothing decided."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from aiop.runtime.client.builtin import LEASES
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import NotFound
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.leaderelection.elector import Write
from aiop.runtime.leaderelection.record import LeaseRecord, decode_lease, encode_lease

# A watch on one Lease; its end costs one request.
_WATCH_SECONDS = 300
_FIELD_MANAGER = "leader-election"


@dataclass(frozen=True, slots=True)
class Reading:
    """The record, or None if there is no Lease, as of ``version``."""

    record: LeaseRecord | None
    version: str = ""


class Lease:
    """One Lease by its key. Every method raises ClientError."""

    def __init__(self, client: Client, key: ObjectKey) -> None:
        self._client = client
        self._key = key
        self._selector = f"metadata.name={key.name}"

    async def read(self) -> Reading:
        """What the store holds now."""
        try:
            record = decode_lease(await self._client.get(LEASES, self._key))
        except NotFound:
            return Reading(None)
        return Reading(record, record.version)

    async def follow(self, silence: float) -> AsyncIterator[Reading]:
        """What is there, then every change, until the server ends it or says nothing for ``silence`` seconds."""
        namespace = self._key.namespace
        version = ""
        pages = self._client.list_pages(
            LEASES, namespace=namespace, field_selector=self._selector, page_seconds=silence
        )
        async with aclosing(pages) as listed:  # type: ignore[type-var]  # an async generator
            async for page in listed:
                version = page.resource_version
                yield Reading(decode_lease(page.items[0]) if page.items else None, version)
        events = self._client.watch(
            LEASES,
            namespace=namespace,
            field_selector=self._selector,
            resource_version=version,
            timeout_seconds=_WATCH_SECONDS,
            idle_timeout=silence,
        )
        async with aclosing(events) as stream:  # type: ignore[type-var]  # an async generator
            async for event in stream:
                if event.type != "BOOKMARK":
                    record = decode_lease(event.object)
                    yield Reading(None if event.type == "DELETED" else record, record.version)

    async def write(self, write: Write) -> LeaseRecord:
        """Create or replace it; the record's version is the precondition."""
        body = encode_lease(self._key, write.record)
        if write.create:
            data = await self._client.create(LEASES, self._key.namespace, body, field_manager=_FIELD_MANAGER)
        else:
            data = await self._client.replace(LEASES, self._key, body, field_manager=_FIELD_MANAGER)
        return decode_lease(data)
