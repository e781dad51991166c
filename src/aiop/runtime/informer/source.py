"""Where an informer's objects come from."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from aiop.runtime.client.client import Client
from aiop.runtime.client.codec import ListPage, WatchEvent
from aiop.runtime.client.resource import Resource
from aiop.runtime.informer.decoding import TypeMeta

# API servers send a bookmark about each minute: three in a row that do not come are no delay but a dead connection.
IDLE_SECONDS = 180.0

_JSON = "application/json"
_PARTIAL = TypeMeta("meta.k8s.io/v1", "PartialObjectMetadata")
_AS_PARTIAL = ";as={};g=meta.k8s.io;v=v1"
# Servers that cannot leave them out ignore the wish.
_WITHOUT_MANAGED_FIELDS = ";drop=metadata.managedFields"


class ListWatch(Protocol):
    """A list and a watch of the same objects; ``opened`` is called once the server has taken a watch."""

    @property
    def resource(self) -> Resource:
        """What is listed."""
        ...

    @property
    def expected(self) -> TypeMeta:
        """What its objects call themselves."""
        ...

    def list_pages(self) -> AsyncIterator[ListPage]:
        """All of them, consistently, a page at a time."""
        ...

    def watch_list(self, timeout_seconds: int, opened: Callable[[], None]) -> AsyncIterator[WatchEvent]:
        """All of them as ADDED events in no order, consistently, a marked bookmark, and what changes after that."""
        ...

    async def confirm(self, resource_version: str) -> None:
        """Return if the server has come as far as that version, else raise ServerError."""
        ...

    def watch(
        self, resource_version: str, timeout_seconds: int, opened: Callable[[], None]
    ) -> AsyncIterator[WatchEvent]:
        """What changes after that version."""
        ...


@dataclass(frozen=True, slots=True)
class ClientListWatch:
    """Lists and watches one resource, in one namespace or all, by selectors.

    With ``metadata_only`` the server sends nothing else (a view is `decode_partial`'s). With ``managed_fields`` False
    it is asked to leave those out; one that cannot sends them all the same. A watch that is silent for
    ``idle_seconds`` raises StreamStalled.
    """

    client: Client
    resource: Resource
    namespace: str = ""
    label_selector: str = ""
    field_selector: str = ""
    metadata_only: bool = False
    managed_fields: bool = True
    idle_seconds: float = IDLE_SECONDS

    @property
    def expected(self) -> TypeMeta:
        """The resource's own kind, or PartialObjectMetadata."""
        return _PARTIAL if self.metadata_only else TypeMeta(self.resource.api_version, self.resource.kind)

    def list_pages(self) -> AsyncIterator[ListPage]:
        """Without a resourceVersion, so from the store itself: never back in time, not even after a restart."""
        return self.client.list_pages(
            self.resource,
            namespace=self.namespace,
            label_selector=self.label_selector,
            field_selector=self.field_selector,
            accept=self._accept("PartialObjectMetadataList"),
        )

    def watch_list(self, timeout_seconds: int, opened: Callable[[], None]) -> AsyncIterator[WatchEvent]:
        """Without a resourceVersion, as a list: never back in time."""
        return self._watch("", timeout_seconds, opened, initial_events=True)

    async def confirm(self, resource_version: str) -> None:
        """One cheap request."""
        await self.client.confirm(self.resource, resource_version, namespace=self.namespace)

    def watch(
        self, resource_version: str, timeout_seconds: int, opened: Callable[[], None]
    ) -> AsyncIterator[WatchEvent]:
        """The client's watch, bookmarks included."""
        return self._watch(resource_version, timeout_seconds, opened, initial_events=False)

    def _watch(
        self, resource_version: str, timeout_seconds: int, opened: Callable[[], None], *, initial_events: bool
    ) -> AsyncIterator[WatchEvent]:
        return self.client.watch(
            self.resource,
            namespace=self.namespace,
            label_selector=self.label_selector,
            field_selector=self.field_selector,
            resource_version=resource_version,
            timeout_seconds=timeout_seconds,
            idle_timeout=self.idle_seconds,
            initial_events=initial_events,
            accept=self._accept(_PARTIAL.kind),
            opened=opened,
        )

    def _accept(self, partial: str) -> str:
        transformed = _AS_PARTIAL.format(partial) if self.metadata_only else ""
        return _JSON + transformed + ("" if self.managed_fields else _WITHOUT_MANAGED_FIELDS)
