"""The proxy does what it says, seen from both sides on loopback."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from support.certificates import Authority
from support.controlplane import Cluster
from support.faults import (
    Exchange,
    answers,
    cuts_line,
    delays,
    duplicates,
    expires,
    falls_silent,
    is_lease,
    is_watch,
    is_write,
    kills,
    loses_answer,
    on,
    refuses,
    swallows,
)
from support.faultyproxy import FaultyProxy
from support.loopback import Loopback, loopback, says, streams

WIDGETS = "/apis/example.com/v1/namespaces/one/widgets"
LINES = (b'{"type":"ADDED","object":{"n":1}}\n', b'{"type":"ADDED","object":{"n":2}}\n')
BOUND_SECONDS = 20.0


class Bench:
    """An API server, the proxy before it, and a caller."""

    def __init__(self, server: Loopback, proxy: FaultyProxy, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.proxy = proxy
        self._session = session

    async def call(self, method: str, path: str = WIDGETS, *, seconds: float = BOUND_SECONDS) -> tuple[int, bytes]:
        limit = aiohttp.ClientTimeout(total=seconds)
        url = f"https://127.0.0.1:{self.proxy.port}{path}"
        body = None if method == "GET" else b'{"kind":"Widget"}'
        async with self._session.request(method, url, data=body, timeout=limit) as answer:
            return answer.status, await answer.read()

    async def watch(self, seconds: float = BOUND_SECONDS) -> tuple[int, bytes]:
        return await self.call("GET", f"{WIDGETS}?watch=true&resourceVersion=5", seconds=seconds)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND_SECONDS):
            while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread
                await asyncio.sleep(0.01)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    authority = Authority()
    with ExitStack() as stack:
        server = stack.enter_context(loopback(tmp_path))
        async with server.running(authority.server()):
            known: dict[str, Any] = {"certificate-authority": authority.write(tmp_path / "server.crt")}
            kubeconfig = Path(server.kubeconfig(scheme="https", **known))
            proxy = stack.enter_context(FaultyProxy(Cluster(kubeconfig), tmp_path / "proxy"))
            async with calling(proxy) as session:
                yield Bench(server, proxy, session)


@asynccontextmanager
async def calling(proxy: FaultyProxy) -> AsyncIterator[aiohttp.ClientSession]:
    config = json.loads(proxy.kubeconfig("secret").read_text())
    trust = ssl.create_default_context(cafile=config["clusters"][0]["cluster"]["certificate-authority"])
    headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust), headers=headers) as session:
        yield session


async def test_what_nobody_disturbs_passes_as_it_is(bench: Bench) -> None:
    bench.server.answer = says(201, {"made": True}, Audit_Id="7")
    assert await bench.call("POST", WIDGETS + "?fieldManager=a%2Fb") == (201, b'{"made": true}')
    seen = bench.server.last
    assert (seen.method, seen.path, dict(seen.query)) == ("POST", WIDGETS, {"fieldManager": "a/b"})
    assert seen.headers["Authorization"] == "Bearer secret"
    assert seen.json == {"kind": "Widget"}
    assert [(each.method, each.path, each.status) for each in bench.proxy.sent] == [("POST", WIDGETS, 201)]


async def test_a_watch_passes_line_by_line_before_it_ends(bench: Bench) -> None:
    more = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(LINES[0])
        await more.wait()
        await response.write(LINES[1])
        await response.write_eof()
        return response

    bench.server.answer = answer
    url = f"https://127.0.0.1:{bench.proxy.port}{WIDGETS}?watch=true"
    async with calling(bench.proxy) as session, session.get(url) as watch:
        assert await watch.content.readline() == LINES[0]
        more.set()
        assert await watch.content.read() == LINES[1]


async def test_a_storm_answers_in_the_servers_place_until_it_is_over(bench: Bench) -> None:
    with bench.proxy.befalls(answers(429, "TooManyRequests", retry_after=3), is_write) as storm:
        status, body = await bench.call("POST")
        assert (status, json.loads(body)["reason"]) == (429, "TooManyRequests")
        assert (await bench.call("GET"))[0] == 200
        assert (await bench.call("POST", "/apis/coordination.k8s.io/v1/namespaces/one/leases"))[0] == 200
    assert storm.hits == 1
    assert (await bench.call("POST"))[0] == 200


async def test_a_fault_may_befall_the_nth_alone_or_every_so_many(bench: Bench) -> None:
    with bench.proxy.befalls(answers(500, "InternalError"), nth=2):
        assert [(await bench.call("GET"))[0] for _ in range(4)] == [200, 500, 200, 200]
    with bench.proxy.befalls(answers(409, "Conflict"), every=3):
        assert [(await bench.call("GET"))[0] for _ in range(6)] == [200, 200, 409, 200, 200, 409]
    with bench.proxy.befalls(answers(503, "ServiceUnavailable"), share=0.5) as rule:
        told = [(await bench.call("GET"))[0] for _ in range(40)]
    assert 5 < told.count(503) == rule.hits < 35


async def test_a_lost_answer_leaves_the_work_done(bench: Bench) -> None:
    with bench.proxy.befalls(loses_answer(), is_write), pytest.raises(aiohttp.ClientError):
        await bench.call("POST")
    assert [seen.method for seen in bench.server.seen] == ["POST"]


async def test_a_refused_or_swallowed_request_never_arrives(bench: Bench) -> None:
    with bench.proxy.befalls(refuses()), pytest.raises(aiohttp.ClientError):
        await bench.call("POST")
    with bench.proxy.befalls(swallows()), pytest.raises(TimeoutError):
        await bench.call("POST", seconds=0.2)
    assert bench.server.seen == []


async def test_a_delayed_write_arrives_though_its_caller_is_gone(bench: Bench) -> None:
    with bench.proxy.befalls(delays(0.4, 0.4), is_write), pytest.raises(TimeoutError):
        await bench.call("POST", seconds=0.1)
    assert bench.server.seen == []
    await bench.until(lambda: len(bench.server.seen) == 1)


async def test_a_delayed_answer_comes_after_the_work(bench: Bench) -> None:
    with bench.proxy.befalls(delays(0.3, 0.3, back=True)), pytest.raises(TimeoutError):
        await bench.call("POST", seconds=0.2)
    assert len(bench.server.seen) == 1


async def test_a_duplicate_arrives_later(bench: Bench) -> None:
    with bench.proxy.befalls(duplicates(0.05, 0.1), is_write):
        assert (await bench.call("PATCH"))[0] == 200
        await bench.until(lambda: len(bench.server.seen) == 2)
    assert bench.server.seen[0].body == bench.server.seen[1].body
    await bench.until(lambda: len(bench.proxy.sent) == 2)


@pytest.mark.parametrize(("before", "arrived"), [(True, 2), (False, 3)])
async def test_death_comes_at_a_chosen_write(bench: Bench, before: bool, arrived: int) -> None:
    deaths: list[int] = []
    with bench.proxy.befalls(kills(lambda: deaths.append(1), before=before), is_write, nth=3):
        await bench.call("POST")
        await bench.call("POST")
        with pytest.raises(aiohttp.ClientError):
            await bench.call("POST")
    assert deaths == [1]
    assert len(bench.server.seen) == arrived


async def test_a_watch_is_cut_within_a_line(bench: Bench) -> None:
    bench.server.answer = streams(*LINES)
    with bench.proxy.befalls(cuts_line(1, at=10), is_watch), pytest.raises(aiohttp.ClientError):
        await bench.watch()


async def test_a_watch_ends_with_an_expiry_in_its_stream(bench: Bench) -> None:
    bench.server.answer = streams(*LINES)
    with bench.proxy.befalls(expires(after=1), is_watch):
        _, body = await bench.watch()
    first, second = body.splitlines(keepends=True)
    assert first == LINES[0]
    assert (json.loads(second)["type"], json.loads(second)["object"]["code"]) == ("ERROR", 410)


async def test_a_silent_watch_opens_and_says_nothing(bench: Bench) -> None:
    bench.server.answer = streams(*LINES)
    with bench.proxy.befalls(falls_silent(), on("widgets", is_watch)):
        assert await bench.watch() == (200, b"")


async def test_a_stall_holds_everything_and_then_lets_it_through(bench: Bench) -> None:
    calls: list[asyncio.Task[Any]] = []
    with bench.proxy.stalled():
        calls = [asyncio.create_task(bench.call("POST")) for _ in range(3)]
        done, _ = await asyncio.wait(calls, timeout=0.3)
        assert not done
        assert bench.server.seen == []
    assert [status for status, _ in await asyncio.gather(*calls)] == [200, 200, 200]


async def test_while_nobody_listens_connections_are_refused(bench: Bench) -> None:
    await bench.call("GET")
    with bench.proxy.closed(), pytest.raises(aiohttp.ClientError):
        await bench.call("GET")
    assert (await bench.call("GET"))[0] == 200


async def test_cut_connections_end_their_watches(bench: Bench) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(LINES[0])
        await asyncio.sleep(BOUND_SECONDS)
        return response

    bench.server.answer = answer
    url = f"https://127.0.0.1:{bench.proxy.port}{WIDGETS}?watch=true"
    async with calling(bench.proxy) as session, session.get(url) as watch:
        assert await watch.content.readline() == LINES[0]
        bench.proxy.cut()
        with pytest.raises(aiohttp.ClientError):
            await watch.content.read()


def test_requests_are_told_apart() -> None:
    def exchange(method: str, target: str) -> Exchange:
        return Exchange(method, target, {}, b"", asyncio.ensure_future, lambda: 0.0)

    assert is_write(exchange("POST", WIDGETS))
    assert not is_write(exchange("POST", "/apis/events.k8s.io/v1/namespaces/one/events"))
    assert not is_write(exchange("PUT", "/apis/coordination.k8s.io/v1/namespaces/one/leases/x"))
    assert is_lease(exchange("PUT", "/apis/coordination.k8s.io/v1/namespaces/one/leases/x"))
    assert is_watch(exchange("GET", WIDGETS + "?watch=1"))
    assert not is_watch(exchange("GET", WIDGETS))
