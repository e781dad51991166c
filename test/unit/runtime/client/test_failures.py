"""Whatever the network does becomes an error of ours, and nothing is left behind."""

import asyncio

import pytest
from aiohttp import web

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import ConnectionFailed, RequestTimedOut
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import HttpTransport, Request
from support.clock import FakeClock
from support.loopback import Answer, Loopback, breaks_off, says

KEY = ObjectKey("team", "a")


async def never(_request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


async def half(request: web.Request) -> web.StreamResponse:
    """Begins to answer and then says no more."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"{")
    return await never(request)


async def test_a_server_that_does_not_listen_is_a_failed_connection(server: Loopback, kubeconfig: str) -> None:
    async with Client(HttpTransport(await load_connection(kubeconfig)), clock=FakeClock()) as client:
        with pytest.raises(ConnectionFailed, match="GET /api/v1/namespaces/team/pods/a"):
            await client.get(PODS, KEY)
        with pytest.raises(ConnectionFailed, match="GET /api/v1/pods"):
            await anext(client.watch(PODS, resource_version="7", timeout_seconds=1))
    assert server.seen == []


async def test_an_answer_that_breaks_off_is_a_failed_connection(client: Client, server: Loopback) -> None:
    server.answer = breaks_off()
    with pytest.raises(ConnectionFailed, match="GET /api/v1/namespaces/team/pods/a"):
        await client.get(PODS, KEY)


async def test_a_server_that_hangs_up_without_an_answer_is_asked_once(client: Client, server: Loopback) -> None:
    async def hangs_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.answer = hangs_up
    with pytest.raises(ConnectionFailed):
        await client.create(PODS, "team", {}, field_manager="me")
    assert len(server.seen) == 1


@pytest.mark.parametrize("answer", [never, half])
async def test_an_answer_that_does_not_come_in_time_is_a_time_out(
    transport: HttpTransport, server: Loopback, answer: Answer
) -> None:
    server.answer = answer
    with pytest.raises(RequestTimedOut, match="GET /version"):
        await transport.send(Request("GET", "/version", timeout=0.05))


async def test_no_error_shows_a_body_a_query_or_a_header(client: Client, server: Loopback) -> None:
    server.answer = breaks_off()
    with pytest.raises(ConnectionFailed) as caught:
        await client.create(PODS, "team", {"data": "private"}, field_manager="manager-name")
    assert "POST /api/v1/namespaces/team/pods" in str(caught.value)
    assert not any(word in str(caught.value) for word in ("private", "made-up", "manager-name"))


async def test_after_a_failure_the_next_request_works(client: Client, server: Loopback) -> None:
    server.answer = breaks_off()
    with pytest.raises(ConnectionFailed):
        await client.get(PODS, KEY)
    server.answer = says(200, b'{"n":1}')
    assert await client.get(PODS, KEY) == b'{"n":1}'


async def test_every_answer_is_counted_with_method_host_and_status(server: Loopback, kubeconfig: str) -> None:
    counted: list[tuple[str, str, int]] = []
    transport = HttpTransport(await load_connection(kubeconfig), observe=lambda *what: counted.append(what))
    async with server.running(), Client(transport, clock=FakeClock()) as client:
        await client.get_path("/version")
        server.answer = says(500, b"")
        with pytest.raises(Exception, match="500"):
            await client.create(PODS, "team", {}, field_manager="me")
    host = f"http://127.0.0.1:{server.port}"
    assert counted == [("GET", host, 200), ("POST", host, 500)]


async def test_a_closed_client_leaves_no_task_and_no_connection(server: Loopback, kubeconfig: str) -> None:
    async with server.running():
        before = asyncio.all_tasks()
        async with Client(HttpTransport(await load_connection(kubeconfig)), clock=FakeClock()) as client:
            await asyncio.gather(*(client.get(PODS, KEY) for _ in range(3)))
            ours = server.connections
            assert ours > 0
        async with asyncio.timeout(10):
            while server.connections or asyncio.all_tasks() - before:  # noqa: ASYNC110 - the server's own doing
                await asyncio.sleep(0.01)
        assert server.connections == 0
