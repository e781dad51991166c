"""Clients that take their time hold no place without end, and nobody else waits for them."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from yarl import URL

from aiop.sim.network import patience, router
from aiop.sim.network.errors import NotForwarded
from aiop.sim.network.patience import Patience
from support.networkbench import Bench, Handler, network_bench, until

SHORT = 0.3
HELD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
STREAMED = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """One that has little patience, and a single place."""
    monkeypatch.setattr(patience, "SECONDS", SHORT)
    monkeypatch.setattr(router, "SECONDS", SHORT)
    monkeypatch.setattr(router, "_MOST_UNDER_WAY", 1)
    async with network_bench() as found:
        yield found


async def serve(bench: Bench, handler: Handler | None = None) -> None:
    await bench.service("web")
    await bench.behind("web", await bench.pod("a", handler))
    await bench.ingress("web", "/", "web", kind="Prefix")
    await bench.until_answers("/")


async def open_to(bench: Bench) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = URL(bench.network.router_url)
    return await asyncio.open_connection(address.host, address.port, limit=1024)


@pytest.mark.parametrize("head", [HELD, STREAMED, CHUNKED], ids=["held", "streamed", "in chunks"])
@pytest.mark.parametrize("begin", [b"", b"1\r\nx\r\n"], ids=["nothing", "a byte"])
async def test_a_body_that_does_not_come_gives_its_place_back(bench: Bench, head: bytes, begin: bytes) -> None:
    await serve(bench)
    reader, writer = await open_to(bench)
    writer.write(head + begin)
    answer = await reader.readuntil(b"\r\n")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert await bench.ask("/") == (200, "a")
    writer.close()


async def test_a_body_that_comes_by_bytes_gives_its_place_back(bench: Bench) -> None:
    await serve(bench)
    reader, writer = await open_to(bench)
    writer.write(STREAMED)

    async def dribble() -> None:
        while True:
            writer.write(b"x")
            await asyncio.sleep(SHORT / 10)

    dribbling = asyncio.create_task(dribble())
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 408 ")
    assert await bench.ask("/") == (200, "a")
    dribbling.cancel()
    writer.close()


async def test_a_client_that_does_not_read_gives_its_place_back(bench: Bench) -> None:
    async def much(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * (0 if request.path == "/" else 50_000_000))

    await serve(bench, much)
    _, writer = await open_to(bench)
    writer.write(b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n")
    seen: list[int] = []

    async def served_again() -> bool:
        seen.append((await bench.ask("/"))[0])
        return seen[-1] == 200 and 503 in seen

    await until(served_again, told=lambda: seen)
    writer.close()


@pytest.mark.parametrize("begin", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-A:"], ids=["nothing", "half a head"])
async def test_a_connection_that_asks_for_nothing_is_closed(bench: Bench, begin: bytes) -> None:
    await serve(bench)
    reader, writer = await open_to(bench)
    writer.write(begin)
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()


async def test_each_kibibyte_earns_a_body_another_second(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 50.0, 50.0, 60.0, 60.0, 69.0])
    held = Patience(lambda: next(moments))

    async def piece(size: int) -> bytes:
        return b"x" * size

    await held.piece(piece(0))  # 50 s for nothing: 10 s are left
    await held.piece(piece(10 * 1024))  # 10 s for as many KiB: 10 s are left
    await held.piece(piece(0))  # 9 s for nothing: 1 s is left
    monkeypatch.setattr(patience, "SECONDS", 0.0)
    moments = iter([0.0])

    async def never() -> bytes:
        await asyncio.Event().wait()
        return b""

    with pytest.raises(NotForwarded) as refused:
        await held.piece(never())
    assert refused.value.status == 408
