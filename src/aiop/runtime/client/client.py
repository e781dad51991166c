"""The Kubernetes API as verbs on resources: bytes in and out, typed errors, a gate before every write."""

import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, nullcontext
from enum import StrEnum
from types import TracebackType
from typing import Self

from aiop.runtime.client.codec import (
    Body,
    ListPage,
    WatchEvent,
    decode_event,
    decode_list,
    encode,
    error_from,
)
from aiop.runtime.client.errors import ConnectionFailed, RequestTimedOut, StreamStalled, WriteNotPermitted
from aiop.runtime.client.gate import OpenGate, WriteGate
from aiop.runtime.client.lane import WriteLane
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.client.serverclock import ServerClock
from aiop.runtime.client.transport import SHORTEST_SECONDS, Request, Response, Transport, duration
from aiop.runtime.client.watchlines import LineFramer
from aiop.runtime.kit.clock import Clock

_FAILURES = 400
# A read that takes longer has a dead server behind it: the API server itself ends requests after 60 s.
_READ_SECONDS = 65.0
# The longest that a write may take; less where the lease ends sooner (no write outlives its lease).
_WRITE_SECONDS = 30.0
# A server closes a watch within moments of its time-out; silence this much longer means a dead connection.
_IDLE_GRACE_SECONDS = 5.0

_JSON = "application/json"
_JSON_OF_METADATA = f"{_JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_DELETE_KIND = {"apiVersion": "v1", "kind": "DeleteOptions"}


def _untold() -> None:
    """Nobody waits to hear that a watch was taken."""


class PatchType(StrEnum):
    """How a patch is meant; server-side apply has a verb of its own."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


class Client:
    """A client of one API server.

    Promised: bodies stay bytes; every failure is a class of ``errors``; a mutating request waits for its turn in the
    lane (None: for nothing), asks the gate then, and ends before the permit does; nothing is retried, since only the
    caller knows whether a lost write may be repeated. ``server_clock`` is the server's own, as its answers tell.
    """

    def __init__(
        self, transport: Transport, *, clock: Clock, gate: WriteGate | None = None, lane: WriteLane | None = None
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._gate = gate or OpenGate()
        self._lane = lane
        self.server_clock = ServerClock(clock)

    async def get_path(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        seconds: float = _READ_SECONDS,
        most_bytes: int | None = None,
    ) -> bytes:
        """GET of a path that is no object: discovery, /version, /readyz, what an aggregated API serves.

        Raises AnswerTooLong for more than ``most_bytes`` (None: no bound); an aggregated API may say what it likes.
        """
        parameters = tuple((query or {}).items())
        headers = {"Accept": _JSON}
        return await self._send(Request("GET", path, parameters, headers, timeout=seconds, most_bytes=most_bytes))

    async def get(self, resource: Resource, key: ObjectKey, *, subresource: str = "") -> bytes:
        """One object, read from the store itself (never from an older cache)."""
        return await self.get_path(resource.object_path(key, subresource))

    async def list_pages(
        self,
        resource: Resource,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        page_size: int = 500,
        page_seconds: float = _READ_SECONDS,
        accept: str = _JSON,
    ) -> AsyncIterator[ListPage]:
        """Every object, a page at a time; all of one version. Raises Expired if reading took too long.

        A page may take ``page_seconds``. ``accept`` is the media type asked for: JSON, perhaps transformed.
        """
        query = _selection(label_selector, field_selector)
        query["limit"] = str(page_size)
        if resource_version:
            query["resourceVersion"] = resource_version
        while True:
            page = decode_list(await self._read(resource.path(namespace), query, accept, page_seconds))
            token = page.continue_token
            yield page
            if not token:
                return
            del page  # the next one comes in its place, not beside it
            query.pop("resourceVersion", None)
            query["continue"] = token

    async def confirm(self, resource: Resource, resource_version: str, *, namespace: str = "") -> None:
        """Return if the server has come as far as that version.

        Raises ServerError (its cause is ResourceVersionTooLarge) if it has not, as after a restore from a backup: a
        watch from there would be silent until it has, and miss all that happens meanwhile.
        """
        query = {"limit": "1", "resourceVersion": resource_version, "resourceVersionMatch": "NotOlderThan"}
        await self._read(resource.path(namespace), query, _JSON_OF_METADATA)

    async def watch(
        self,
        resource: Resource,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str,
        timeout_seconds: int,
        idle_timeout: float | None = None,
        initial_events: bool = False,
        accept: str = _JSON,
        opened: Callable[[], None] = _untold,
    ) -> AsyncIterator[WatchEvent]:
        """What happens after ``resource_version``, bookmarks included, until the server ends it.

        With ``initial_events`` it begins with everything that is there, not older than that version (empty: than this
        moment), and a bookmark that marks its end. ``accept`` is the media type asked for; ``opened`` is called once
        the server has taken the watch. An ERROR event raises the mapped ApiError; a cut line raises ConnectionFailed;
        silence for ``idle_timeout`` seconds (default: 5 more than the server's own time-out) raises StreamStalled.
        """
        query = _watching(resource_version, timeout_seconds, initial_events=initial_events)
        query |= _selection(label_selector, field_selector)
        silence = timeout_seconds + _IDLE_GRACE_SECONDS if idle_timeout is None else idle_timeout
        request = Request("GET", resource.path(namespace), tuple(query.items()), {"Accept": accept}, timeout=silence)
        framer = LineFramer()
        async with self._transport.stream(request) as stream:
            _require_success(stream.response)
            opened()
            try:
                async with aclosing(stream.chunks()) as chunks:
                    async for chunk in chunks:
                        for line in framer.feed(chunk):
                            yield decode_event(line)
            except RequestTimedOut as error:
                raise StreamStalled(*error.args) from error
        if framer.incomplete:
            message = f"watch of {resource.plural} was cut in the middle of an event"
            raise ConnectionFailed(message)

    async def create(self, resource: Resource, namespace: str, body: Body, *, field_manager: str) -> bytes:
        """POST; raises AlreadyExists if the name is taken, by whomever."""
        path = resource.path(namespace)
        return await self._write("POST", path, ObjectKey(namespace, ""), body, {"fieldManager": field_manager})

    async def apply(
        self,
        resource: Resource,
        key: ObjectKey,
        body: Body,
        *,
        field_manager: str,
        force: bool = True,
        subresource: str = "",
    ) -> bytes:
        """Server-side apply; a ``metadata.uid`` in the body makes it refuse (Conflict) to create or meet another.

        Not promised for a status: there servers heed the body's ``metadata.resourceVersion``, and the UID only where
        no object is.
        """
        query = {"fieldManager": field_manager, "force": "true" if force else "false"}
        path = resource.object_path(key, subresource)
        return await self._write("PATCH", path, key, body, query, PatchType.APPLY)

    async def patch(
        self,
        resource: Resource,
        key: ObjectKey,
        body: bytes | object,
        *,
        patch_type: PatchType,
        field_manager: str,
        subresource: str = "",
    ) -> bytes:
        """A JSON or merge patch; in a merge patch, UID and resourceVersion are preconditions as in `apply`."""
        path = resource.object_path(key, subresource)
        return await self._write("PATCH", path, key, body, {"fieldManager": field_manager}, patch_type)

    async def replace(
        self, resource: Resource, key: ObjectKey, body: Body, *, field_manager: str, subresource: str = ""
    ) -> bytes:
        """PUT; the body's resourceVersion is the precondition."""
        path = resource.object_path(key, subresource)
        return await self._write("PUT", path, key, body, {"fieldManager": field_manager})

    async def delete(
        self,
        resource: Resource,
        key: ObjectKey,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str = "Background",
        grace_seconds: int | None = None,
    ) -> bytes:
        """DELETE; with ``uid`` or ``resource_version`` only that very object (Conflict otherwise).

        ``grace_seconds`` None leaves the grace to the object; 0 ends a pod at once, as only its kubelet should.
        """
        wanted = {"uid": uid, "resourceVersion": resource_version}
        preconditions = {name: value for name, value in wanted.items() if value}
        options: dict[str, object] = {**_DELETE_KIND, "propagationPolicy": propagation}
        if preconditions:
            options["preconditions"] = preconditions
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        return await self._write("DELETE", resource.object_path(key), key, options, {})

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _read(self, path: str, query: dict[str, str], accept: str, seconds: float = _READ_SECONDS) -> bytes:
        return await self._send(Request("GET", path, tuple(query.items()), {"Accept": accept}, timeout=seconds))

    async def _write(
        self,
        method: str,
        path: str,
        key: ObjectKey,
        body: bytes | object,
        query: dict[str, str],
        content_type: str = _JSON,
    ) -> bytes:
        async with self._lane.slot() if self._lane is not None else nullcontext():
            until = self._permit(key)
            seconds = min(_WRITE_SECONDS, until - self._clock.monotonic())
            query = query | {"timeout": duration(seconds)}
            headers = {"Accept": _JSON, "Content-Type": str(content_type)}
            request = Request(
                method,
                path,
                tuple(query.items()),
                headers,
                encode(body),
                timeout=seconds,
                may_leave=lambda: self._permit(key, until),
            )
            return await self._send(request)

    def _permit(self, key: ObjectKey, until: float = math.inf) -> float:
        """When the permit ends, ``until`` at the latest: one that was lost and won again is another's.

        Raises WriteNotPermitted if it has run out.
        """
        ends = min(self._gate.permit(key), until)
        if ends - self._clock.monotonic() < SHORTEST_SECONDS:
            message = f"write for {key}: the permit has run out"
            raise WriteNotPermitted(message)
        return ends

    async def _send(self, request: Request) -> bytes:
        response = await self._transport.send(request)
        self.server_clock.heard(response.headers)
        _require_success(response)
        return response.body

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _require_success(response: Response) -> None:
    if response.status >= _FAILURES:
        raise error_from(response.status, response.body, response.headers)


def _selection(label_selector: str, field_selector: str) -> dict[str, str]:
    wanted = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {name: value for name, value in wanted.items() if value}


def _watching(resource_version: str, timeout_seconds: int, *, initial_events: bool) -> dict[str, str]:
    query = {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": resource_version,
        "timeoutSeconds": str(timeout_seconds),
    }
    if initial_events:
        query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    return query
