"""Reads with the caller's own rights: what may not be read is left out and remembered, never an error."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from aiop.cli.explain.explanation import Unread
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import ClientError, Forbidden, NotFound
from aiop.runtime.client.resource import ObjectKey, Resource

T = TypeVar("T")

# A workload has a few hundred children at most; more of a kind would be somebody's flood.
_MOST = 1000
_PAGE = 500
# A person waits for the answer.
_SECONDS = 20.0


class Reader:
    """Gives what it may read; ``unread`` names the rest, once a kind."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._unread: dict[str, str] = {}

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What was asked for and not had, by the resource's plural."""
        return tuple(Unread(plural, why) for plural, why in sorted(self._unread.items()))

    async def get(self, resource: Resource, key: ObjectKey, decode: Callable[[bytes], T]) -> T | None:
        """One object; None if there is none, or none to be had."""
        try:
            return decode(await self._client.get_path(resource.object_path(key), seconds=_SECONDS))
        except NotFound:
            return None
        except (ClientError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self._left_out(resource, error)
            return None

    async def list(
        self,
        resource: Resource,
        namespace: str,
        decode: Callable[[bytes], T],
        *,
        labels: str = "",
        fields: str = "",
        optional: bool = False,
    ) -> tuple[T, ...]:
        """The objects, a thousand at most; one that makes no sense is left out.

        A kind that the cluster does not serve has none; that is remembered unless it is ``optional``.
        """
        found: list[T] = []
        try:
            pages = self._client.list_pages(
                resource,
                namespace=namespace,
                label_selector=labels,
                field_selector=fields,
                page_size=_PAGE,
                page_seconds=_SECONDS,
            )
            async for page in pages:
                found += _decoded(page.items, decode)
                if len(found) >= _MOST:
                    self._unread[resource.plural] = f"only the first {_MOST} were looked at"
                    break
        except NotFound as error:
            if not optional:
                self._left_out(resource, error)
        except ClientError as error:
            self._left_out(resource, error)
        return tuple(found)

    def was_read(self, resource: Resource) -> bool:
        """False if something of that kind was asked for in vain."""
        return resource.plural not in self._unread

    def _left_out(self, resource: Resource, error: Exception) -> None:
        self._unread[resource.plural] = "you may not read them" if isinstance(error, Forbidden) else str(error)


def _decoded(items: tuple[bytes, ...], decode: Callable[[bytes], T]) -> list[T]:
    found = []
    for item in items:
        try:
            found.append(decode(item))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
    return found
