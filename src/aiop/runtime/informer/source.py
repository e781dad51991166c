"""Where an informer's objects come from."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from aiop.runtime.client.client import Client
from aiop.runtime.client.codec import ListPage, WatchEvent
from aiop.runtime.client.resource import Resource


class ListWatch(Protocol):
    """A list and a watch of the same objects."""

    def list_pages(self) -> AsyncIterator[ListPage]:
        """All of them, consistently, a page at a time."""
        ...

    def watch(self, resource_version: str, timeout_seconds: int) -> AsyncIterator[WatchEvent]:
        """What changes after that version."""
        ...


@dataclass(frozen=True, slots=True)
class ClientListWatch:
    """Lists and watches one resource, in one namespace or all, by selectors."""

    client: Client
    resource: Resource
    namespace: str = ""
    label_selector: str = ""
    field_selector: str = ""

    def list_pages(self) -> AsyncIterator[ListPage]:
        """Without a resourceVersion, so from the store itself: never back in time, not even after a restart."""
        return self.client.list_pages(
            self.resource,
            namespace=self.namespace,
            label_selector=self.label_selector,
            field_selector=self.field_selector,
        )

    def watch(self, resource_version: str, timeout_seconds: int) -> AsyncIterator[WatchEvent]:
        """The client's watch, bookmarks included."""
        return self.client.watch(
            self.resource,
            namespace=self.namespace,
            label_selector=self.label_selector,
            field_selector=self.field_selector,
            resource_version=resource_version,
            timeout_seconds=timeout_seconds,
        )
