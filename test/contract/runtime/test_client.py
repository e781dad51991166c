"""The client: whatever the network does becomes an error of ours, once, and nothing is left behind."""

import asyncio
import gzip
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from aiop.runtime.client.builtin import CONFIGMAPS, PODS
from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import (
    AnswerTooLong,
    Conflict,
    ConnectionFailed,
    Invalid,
    RequestTimedOut,
    TooManyRequests,
)
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import HttpTransport, Request
from support.certificates import Authority
from support.clock import FakeClock
from support.execplugin import ExecPlugin
from support.loopback import Answer, Loopback, breaks_off, in_turn, says, streams
from support.writes import KEY, WRITES

POD = ObjectKey("team", "a")
EVENT = b'{"type":"ADDED","object":{"metadata":{"name":"%s"}}}\n'


async def connected(kubeconfig: str) -> Client:
    return Client(HttpTransport(await load_connection(kubeconfig)), clock=FakeClock())


async def never(_request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


async def half(request: web.Request) -> web.StreamResponse:
    """Begins to answer and then says no more."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"{")
    return await never(request)


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Ends the connection in the midst of it, as a server does that goes down."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


# Connections that fail.


async def test_a_server_that_does_not_listen_is_a_failed_connection(server: Loopback, kubeconfig: str) -> None:
    async with await connected(kubeconfig) as client:
        with pytest.raises(ConnectionFailed, match="GET /api/v1/namespaces/team/pods/a"):
            await client.get(PODS, POD)
        with pytest.raises(ConnectionFailed, match="GET /api/v1/pods"):
            await anext(client.watch(PODS, resource_version="7", timeout_seconds=1))
    assert server.seen == []


async def test_a_server_whose_name_nobody_knows_is_a_failed_connection(
    client: Client, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    monkeypatch.setattr(client._transport._connection._configuration, "host", "http://api.example.org")  # type: ignore[attr-defined]
    with pytest.raises(ConnectionFailed, match=r"api\.example\.org"):
        await client.create(PODS, "team", {}, field_manager="me")
    assert server.seen == []


async def test_a_server_that_does_not_speak_tls_is_a_failed_connection(server: Loopback) -> None:
    careless: dict[str, Any] = {"insecure-skip-tls-verify": True}
    config = server.kubeconfig(scheme="https", **careless)
    async with server.running(), await connected(config) as client:
        with pytest.raises(ConnectionFailed, match="POST /api/v1/namespaces/team/pods"):
            await client.create(PODS, "team", {}, field_manager="me")
    assert server.seen == []


async def test_a_server_that_another_authority_vouches_for_gets_no_request(server: Loopback, tmp_path: Path) -> None:
    other: dict[str, Any] = {"certificate-authority": Authority().write(tmp_path / "ca")}
    config = server.kubeconfig(scheme="https", **other)
    async with server.running(Authority().server()), await connected(config) as client:
        with pytest.raises(ConnectionFailed, match=r"(?i)certificate"):
            await client.create(PODS, "team", {}, field_manager="me")
    assert server.seen == []


async def test_an_answer_that_breaks_off_is_a_failed_connection(client: Client, server: Loopback) -> None:
    server.answer = breaks_off()
    with pytest.raises(ConnectionFailed, match="GET /api/v1/namespaces/team/pods/a"):
        await client.get(PODS, POD)


@pytest.mark.parametrize("verb", WRITES)
async def test_a_write_whose_answer_breaks_off_is_sent_once(client: Client, server: Loopback, verb: str) -> None:
    server.answer = breaks_off()
    with pytest.raises(ConnectionFailed):
        await WRITES[verb](client)
    assert len(server.seen) == 1


@pytest.mark.parametrize("verb", WRITES)
async def test_a_server_that_hangs_up_without_an_answer_is_asked_once(
    client: Client, server: Loopback, verb: str
) -> None:
    server.answer = hangs_up
    with pytest.raises(ConnectionFailed):
        await WRITES[verb](client)
    assert len(server.seen) == 1


@pytest.mark.parametrize("verb", WRITES)
async def test_a_write_on_a_connection_that_the_server_is_just_closing_fails_once_and_is_not_sent_again(
    client: Client, server: Loopback, verb: str
) -> None:
    server.answer = in_turn(says(200, b"{}"), hangs_up, says(200, b"{}"))
    await client.get(PODS, POD)
    assert server.connections == 1
    with pytest.raises(ConnectionFailed):
        await WRITES[verb](client)
    assert len(server.seen) == 2
    assert await WRITES[verb](client) == b"{}", "the next one gets a new connection"


@pytest.mark.parametrize("answer", [never, half])
async def test_an_answer_that_does_not_come_in_time_is_a_time_out(
    transport: HttpTransport, server: Loopback, answer: Answer
) -> None:
    server.answer = answer
    with pytest.raises(RequestTimedOut, match="GET /version"):
        await transport.send(Request("GET", "/version", timeout=0.05))


async def test_after_a_failure_the_next_request_works(client: Client, server: Loopback) -> None:
    server.answer = breaks_off()
    with pytest.raises(ConnectionFailed):
        await client.get(PODS, POD)
    server.answer = says(200, b'{"n":1}')
    assert await client.get(PODS, POD) == b'{"n":1}'


async def test_a_closed_client_leaves_no_task_and_no_connection(server: Loopback, kubeconfig: str) -> None:
    async with server.running():
        before = asyncio.all_tasks()
        async with await connected(kubeconfig) as client:
            await asyncio.gather(*(client.get(PODS, POD) for _ in range(3)))
            ours = server.connections
            assert ours > 0
        async with asyncio.timeout(10):
            while server.connections or asyncio.all_tasks() - before:  # noqa: ASYNC110 - the server's own doing
                await asyncio.sleep(0.01)
        assert server.connections == 0


# Answers of servers that nobody knows.


async def test_an_answer_that_is_longer_than_its_reader_takes_is_given_up_with_its_connection(
    client: Client, server: Loopback
) -> None:
    server.answer = streams(*[b"x" * 1000] * 11)
    with pytest.raises(AnswerTooLong, match="GET /apis/other/v1: the answer has more than 10000 bytes"):
        await client.get_path("/apis/other/v1", most_bytes=10_000)
    server.answer = says(200, b"x" * 10_000)
    assert len(await client.get_path("/apis/other/v1", {"labelSelector": "a"}, most_bytes=10_000)) == 10_000
    assert server.last.query == {"labelSelector": "a"}


async def test_a_small_answer_that_unpacks_to_a_large_one_is_given_up_too(client: Client, server: Loopback) -> None:
    server.answer = says(200, gzip.compress(b"x" * 10_000_000), Content_Encoding="gzip")
    with pytest.raises(AnswerTooLong):
        await client.get_path("/apis/other/v1", most_bytes=100_000)


async def test_a_failure_that_is_too_long_is_no_answer_either(client: Client, server: Loopback) -> None:
    server.answer = says(500, b"x" * 10_001)
    with pytest.raises(AnswerTooLong):
        await client.get_path("/apis/other/v1", most_bytes=10_000)


async def test_a_reader_may_have_less_patience_than_the_client(client: Client, server: Loopback) -> None:
    server.answer = half
    with pytest.raises(RequestTimedOut):
        await client.get_path("/apis/other/v1", seconds=0.05, most_bytes=10)


# Who we are.


@pytest.mark.promise(22)
async def test_a_token_that_expires_is_renewed_and_the_watch_goes_on_where_it_was(
    tmp_path: Path, server: Loopback
) -> None:
    good = {"token": "old"}

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {good['token']}":
            return web.json_response({"reason": "Unauthorized", "code": 401}, status=401)
        return await streams(EVENT % good["token"].encode())(request)

    plugin = ExecPlugin(tmp_path, {"token": "old"}, {"token": "new"})
    config, server.answer = server.kubeconfig(user=plugin.user), answer
    async with server.running(), await connected(config) as client:

        async def watched() -> list[str]:
            events = client.watch(PODS, resource_version="7", timeout_seconds=300)
            return [json.loads(event.object)["metadata"]["name"] async for event in events]

        assert await watched() == ["old"]
        good["token"] = "new"
        assert await watched() == ["new"]
    tokens = [seen.headers["Authorization"] for seen in server.seen]
    assert tokens == ["Bearer old", "Bearer old", "Bearer new"]
    assert {seen.query["resourceVersion"] for seen in server.seen} == {"7"}
    assert await plugin.runs() == 2


# What the server says.


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry_After": "9"}, 9.0),
        ({"Retry_After": "Thu, 01 Jan 2026 00:00:30 GMT", "Date": "Thu, 01 Jan 2026 00:00:10 GMT"}, 20.0),
        ({"Retry_After": "Thu, 01 Jan 2026 00:00:00 GMT", "Date": "Thu, 01 Jan 2026 00:00:10 GMT"}, 0.0),
        ({"Retry_After": "soon"}, None),
        ({}, None),
    ],
)
async def test_the_servers_wish_to_wait_arrives_with_the_error_in_seconds(
    client: Client, server: Loopback, headers: dict[str, str], expected: float | None
) -> None:
    server.answer = says(429, b"slow down", **headers)
    with pytest.raises(TooManyRequests, match="slow down") as caught:
        await client.get(CONFIGMAPS, KEY)
    assert caught.value.retry_after == expected
    assert len(server.seen) == 1


# Preconditions: a second leader, or a namesake, is met with a Conflict and not overwritten.

META = {"uid": "u-1", "resourceVersion": "7"}


async def test_a_delete_names_the_very_object_that_it_means(client: Client, server: Loopback) -> None:
    await client.delete(CONFIGMAPS, KEY, uid="u-1", resource_version="7")
    assert (server.last.method, server.last.path) == ("DELETE", "/api/v1/namespaces/team/configmaps/a")
    assert server.last.json == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        "preconditions": META,
    }


async def test_the_preconditions_of_an_apply_a_patch_and_a_replace_travel_in_their_bodies(
    client: Client, server: Loopback
) -> None:
    body = {"metadata": META}
    await client.apply(CONFIGMAPS, KEY, body, field_manager="me")
    await client.patch(CONFIGMAPS, KEY, body, patch_type=PatchType.MERGE, field_manager="me")
    await client.replace(CONFIGMAPS, KEY, body, field_manager="me")
    assert [seen.json for seen in server.seen] == [body] * 3
    test = [{"op": "test", "path": "/metadata/uid", "value": "u-1"}]
    await client.patch(CONFIGMAPS, KEY, test, patch_type=PatchType.JSON, field_manager="me")
    assert server.last.json == test


async def test_a_patch_for_a_namesake_is_a_conflict_though_the_server_calls_it_invalid(
    client: Client, server: Loopback
) -> None:
    immutable = {"field": "metadata.uid", "reason": "FieldValueInvalid", "message": "field is immutable"}
    other = {"field": "data", "reason": "FieldValueInvalid", "message": "too long"}
    server.answer = in_turn(*(_invalid(*causes) for causes in ((immutable, immutable), (immutable, other), (other,))))
    for expected in (Conflict, Invalid, Invalid):
        with pytest.raises(expected):
            await client.apply(CONFIGMAPS, KEY, {"metadata": META}, field_manager="me")


def _invalid(*causes: dict[str, str]) -> Answer:
    details = {"causes": causes}
    return says(422, {"kind": "Status", "code": 422, "reason": "Invalid", "message": "no", "details": details})
