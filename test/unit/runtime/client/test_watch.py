"""A watch over a real connection: what it asks, what it gives, and every way in which it may end."""

import asyncio
import json
from contextlib import aclosing

import pytest
from aiohttp import web

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.client import Client
from aiop.runtime.client.codec import WatchEvent
from aiop.runtime.client.errors import ConnectionFailed, Expired, Forbidden, ProtocolError, RequestTimedOut
from support.loopback import Loopback, breaks_off, says, streams


def line(kind: str, name: str) -> bytes:
    return json.dumps({"type": kind, "object": {"metadata": {"name": name}}}, ensure_ascii=False).encode() + b"\n"


async def watched(client: Client, *, idle_timeout: float | None = None) -> list[str]:
    """What a watch gives until it ends, in short."""
    events = client.watch(PODS, resource_version="7", timeout_seconds=300, idle_timeout=idle_timeout)
    return [said(event) async for event in events]


def said(event: WatchEvent) -> str:
    return f"{event.type} {json.loads(event.object)['metadata']['name']}"


async def test_a_watch_asks_for_what_comes_after_a_version_with_bookmarks_and_a_time(
    client: Client, server: Loopback
) -> None:
    server.answer = streams()
    events = client.watch(PODS, namespace="team", label_selector="a=b", resource_version="7", timeout_seconds=300)
    assert [event async for event in events] == []
    assert (server.last.method, server.last.path) == ("GET", "/api/v1/namespaces/team/pods")
    assert server.last.query == {
        "labelSelector": "a=b",
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "7",
        "timeoutSeconds": "300",
    }


async def test_every_event_comes_in_order_however_the_chunks_are_cut(client: Client, server: Loopback) -> None:
    whole = line("ADDED", "prüfung") + line("MODIFIED", "prüfung") + line("BOOKMARK", "") + line("DELETED", "b")
    middle = whole.index("ü".encode()) + 1
    server.answer = streams(whole[:middle], whole[middle:-5], whole[-5:])
    assert await watched(client) == ["ADDED prüfung", "MODIFIED prüfung", "BOOKMARK ", "DELETED b"]


async def test_an_object_of_the_largest_size_comes_whole(client: Client, server: Loopback) -> None:
    name = "x" * (3 * 2**19 + 100)
    server.answer = streams(line("ADDED", name), line("ADDED", "small"))
    assert await watched(client) == [f"ADDED {name}", "ADDED small"]


async def test_an_event_is_given_before_the_next_one_is_there(client: Client, server: Loopback) -> None:
    go_on = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(line("ADDED", "a"))
        await go_on.wait()
        await response.write(line("ADDED", "b"))
        return response

    server.answer = answer
    events = client.watch(PODS, resource_version="7", timeout_seconds=300)
    assert said(await anext(events)) == "ADDED a"
    go_on.set()
    assert [said(event) async for event in events] == ["ADDED b"]


async def test_an_error_in_the_stream_raises_what_its_code_means_after_what_came_before(
    client: Client, server: Loopback
) -> None:
    gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}
    server.answer = streams(line("ADDED", "a") + json.dumps(gone).encode() + b"\n")
    events = client.watch(PODS, resource_version="7", timeout_seconds=300)
    assert said(await anext(events)) == "ADDED a"
    with pytest.raises(Expired, match="too old"):
        await anext(events)


@pytest.mark.parametrize(("status", "expected"), [(410, Expired), (403, Forbidden)])
async def test_a_watch_that_is_refused_raises_the_servers_reason(
    client: Client, server: Loopback, status: int, expected: type[Exception]
) -> None:
    server.answer = says(status, {"message": "no watch for you"})
    with pytest.raises(expected, match="no watch for you"):
        await watched(client)


async def test_a_line_that_is_no_event_is_a_protocol_error(client: Client, server: Loopback) -> None:
    server.answer = streams(b"<html>\n")
    with pytest.raises(ProtocolError):
        await watched(client)


async def test_a_stream_that_ends_in_the_middle_of_an_event_failed(client: Client, server: Loopback) -> None:
    server.answer = streams(line("ADDED", "a")[:-4])
    with pytest.raises(ConnectionFailed, match="in the middle of an event"):
        await watched(client)


async def test_a_connection_that_is_cut_between_events_failed(client: Client, server: Loopback) -> None:
    server.answer = streams(line("ADDED", "a"), cut=True)
    with pytest.raises(ConnectionFailed, match="GET /api/v1/pods"):
        await watched(client)


async def test_a_refusal_that_is_cut_is_a_connection_that_failed(client: Client, server: Loopback) -> None:
    server.answer = breaks_off(status=500)
    with pytest.raises(ConnectionFailed, match="GET /api/v1/pods"):
        await watched(client)


async def test_silence_beyond_the_patience_is_a_time_out(client: Client, server: Loopback) -> None:
    async def silent(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    server.answer = silent
    with pytest.raises(RequestTimedOut, match="GET /api/v1/pods"):
        await watched(client, idle_timeout=0.05)


async def test_who_stops_watching_gives_the_connection_back(client: Client, server: Loopback) -> None:
    gone = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(line("ADDED", "a"))
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()
        return response

    server.answer = endless
    events = client.watch(PODS, resource_version="7", timeout_seconds=300)
    async with aclosing(events) as stream:  # type: ignore[type-var]  # an async generator
        assert said(await anext(stream)) == "ADDED a"
    await asyncio.wait_for(gone.wait(), 10)
