"""The demo's load counts every answer, and counts as right only what is."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from aiop.cli.demo.load import SENTENCES_A_REQUEST, Load

PATIENCE_SECONDS = 30.0
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def right(request: web.Request) -> web.Response:
    texts = (await request.json())["text"]
    return web.json_response({"predictions": [{"label": "positive"} for _ in texts]})


@asynccontextmanager
async def sent_to(answer: Answer) -> AsyncIterator[Load]:
    """A load on a server that answers so."""
    app = web.Application()
    app.router.add_post("/api/v1/predict", answer)
    async with TestServer(app) as server:
        load = Load(str(server.make_url("/api/v1/predict")))
        running = asyncio.create_task(load.run())
        try:
            yield load
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - plain numbers, without events
            await asyncio.sleep(0.001)


async def test_nothing_is_sent_before_there_is_a_rate_nor_after_it() -> None:
    seen: list[int] = []

    async def count(request: web.Request) -> web.Response:
        seen.append(len((await request.json())["text"]))
        return await right(request)

    async with sent_to(count) as load:
        await asyncio.sleep(0)
        assert (seen, load.answered, load.failed) == ([], 0, 0)
        load.rate = 1000.0
        await until(lambda: load.answered >= 3)
        load.rate = 0.0
        await until(lambda: not load.under_way)
    assert set(seen) == {SENTENCES_A_REQUEST}
    assert (load.answered, load.failed, load.first_failure) == (len(seen), 0, "")
    assert len(seen) >= 3


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (503, "no pod is ready", "503: no pod is ready"),
        (200, "no JSON", "200: no JSON"),
        (200, json.dumps([]), "200: []"),
        (200, json.dumps({"predictions": [{}]}), '200: {"predictions": [{}]}'),
        (500, json.dumps({"predictions": [{}] * SENTENCES_A_REQUEST}), "500: "),
    ],
)
async def test_any_other_answer_counts_as_failed_and_the_first_is_kept(status: int, body: str, words: str) -> None:
    async def wrong(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    async with sent_to(wrong) as load:
        load.rate = 1000.0
        await until(lambda: load.failed >= 2)
    assert load.answered == 0
    assert load.first_failure.startswith(words)


async def test_a_connection_that_is_cut_counts_as_failed() -> None:
    async def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with sent_to(cut) as load:
        load.rate = 1000.0
        await until(lambda: load.failed >= 1)
    assert "ServerDisconnected" in load.first_failure or "ClientOSError" in load.first_failure


async def test_a_server_that_does_not_keep_up_is_not_buried() -> None:
    under_way = most = 0
    may_answer = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await may_answer.wait()
        under_way -= 1
        return await right(request)

    async with sent_to(slow) as load:
        load.rate = 10_000.0
        await until(lambda: under_way == 16)
        await asyncio.sleep(0.05)
        may_answer.set()
        await until(lambda: load.answered >= 32)
    assert most == 16
