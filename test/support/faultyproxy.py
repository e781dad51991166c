"""A proxy before the real API server that brings bad days, in a thread with an event loop of its own.

TLS on both sides; who calls is known by the caller's own token. What a caller has sent travels on though the caller
may have gone, as packets do.
"""

import asyncio
import json
import random
import ssl
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web
from yarl import URL

from support.certificates import Authority
from support.controlplane import Cluster
from support.faults import Answer, Dropped, Exchange, Fault, Onward, Predicate, always

_START_SECONDS = 30.0
_SHUTDOWN_SECONDS = 0.2
# The longest line of a watch: an object may be 1.5 MiB, and its JSON somewhat more.
_LINE_BYTES = 2**23
_BODY_BYTES = 2**24
# What belongs to one connection and not to the message; and no compression: a compressed watch has no lines.
_HOPS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "keep-alive", "transfer-encoding", "upgrade"}
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A mutating request that came through to the API server: when (monotonic), what, and how it was answered."""

    at: float
    method: str
    path: str
    status: int


class Rule:
    """A fault, and whom it befalls: of what ``when`` names, the ``nth`` alone, every so many, or a ``share`` by chance.

    ``hits`` is how often it befell somebody.
    """

    def __init__(
        self, fault: Fault, when: Predicate, *, share: float = 1.0, every: int = 1, nth: int | None = None
    ) -> None:
        self.fault = fault
        self.hits = 0
        self._when = when
        self._share = share
        self._every = every
        self._nth = nth
        self._seen = 0

    def befalls(self, exchange: Exchange) -> bool:
        if not self._when(exchange):
            return False
        self._seen += 1
        chosen = self._seen == self._nth if self._nth is not None else self._seen % self._every == 0
        hit = chosen and (self._share >= 1.0 or exchange.draw() < self._share)
        self.hits += hit
        return hit


class FaultyProxy:
    """Faultless until ``befalls``; a context manager. ``sent`` are the mutating requests that came through."""

    def __init__(self, cluster: Cluster, folder: Path, *, seed: int = 1) -> None:
        self._upstream, self._trusted, _ = cluster.credentials
        self._folder = folder
        self._random = random.Random(seed)
        self._authority = Authority()
        self._tls = self._authority.server()
        self._rules: tuple[Rule, ...] = ()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._main, name="faulty proxy", daemon=True)
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._flow = asyncio.Event()
        self._tasks: set[asyncio.Task[Answer]] = set()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._session: aiohttp.ClientSession | None = None
        self.port = 0
        self.sent: list[Sent] = []

    @property
    def under_way(self) -> int:
        """How many requests, watches aside, are on their way there or back; their callers may be gone."""
        return len(self._tasks)

    def kubeconfig(self, token: str) -> Path:
        """A kubeconfig for the bearer of ``token`` that leads to the API server by way of here."""
        folder = self._folder
        folder.mkdir(parents=True, exist_ok=True)
        known = {"server": f"https://127.0.0.1:{self.port}"}
        known["certificate-authority"] = self._authority.write(folder / "proxy.crt")
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "proxy",
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "user"}}],
            "clusters": [{"name": "proxy", "cluster": known}],
            "users": [{"name": "user", "user": {"token": token}}],
        }
        path = folder / "kubeconfig"
        path.write_text(json.dumps(content))
        path.chmod(0o600)
        return path

    @contextmanager
    def befalls(
        self,
        fault: Fault,
        when: Predicate = always,
        *,
        share: float = 1.0,
        every: int = 1,
        nth: int | None = None,
    ) -> Iterator[Rule]:
        """From now on, for as long as the context lasts. Of several faults the first is nearest to the caller."""
        rule = Rule(fault, when, share=share, every=every, nth=nth)
        self._rules = (*self._rules, rule)
        try:
            yield rule
        finally:
            self._rules = tuple(each for each in self._rules if each is not rule)

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Nothing passes, in neither direction, on open streams neither; then all that was held arrives."""
        self._loop.call_soon_threadsafe(self._flow.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._flow.set)

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Nobody listens: connections are refused, and those that were open are aborted."""
        self._call(self._close())
        try:
            yield
        finally:
            self._call(self._listen())

    def cut(self) -> None:
        """Abort every connection of a caller, watches too."""
        self._call(self._abort())

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(_START_SECONDS), "the proxy did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_SECONDS)

    def _main(self) -> None:
        self._loop.run_until_complete(self._run())

    async def _run(self) -> None:
        self._flow.set()
        trust = ssl.create_default_context(cafile=self._trusted or None)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            read_bufsize=_LINE_BYTES,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )
        app = web.Application(client_max_size=_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_SECONDS
        )
        await self._runner.setup()
        await self._listen()
        self._started.set()
        await self._stop.wait()
        await self._abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._runner.cleanup()
        await self._session.close()
        await asyncio.sleep(0)  # closed sockets are told of in the loop's next turn

    async def _listen(self) -> None:
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls, reuse_address=True)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    async def _close(self) -> None:
        assert self._site is not None
        await self._site.stop()
        await self._abort()

    async def _abort(self) -> None:
        assert self._runner is not None
        assert self._runner.server is not None
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOPS}
        exchange = Exchange(
            request.method, request.raw_path, headers, await request.read(), self._spawn, self._random.random
        )
        try:
            # A watch ends with its caller; what else was sent arrives, whatever became of the caller.
            answer = await (self._answer(exchange) if exchange.watches else self._arrives(exchange))
            if answer.lines is None:
                return web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))
            return await self._stream(request, answer, answer.lines)
        except (Dropped, aiohttp.ClientError, ConnectionError):  # the API server may be gone, too
            if request.transport is not None:
                request.transport.abort()
            return web.Response()

    async def _arrives(self, exchange: Exchange) -> Answer:
        return await asyncio.shield(self._spawn(self._answer(exchange)))

    async def _answer(self, exchange: Exchange) -> Answer:
        await self._flow.wait()
        way: Onward = lambda: self._forward(exchange)  # noqa: E731 - the end of a chain of such
        for rule in reversed([rule for rule in self._rules if rule.befalls(exchange)]):
            way = _through(rule.fault, exchange, way)
        answer = await way()
        await self._flow.wait()
        return answer

    async def _forward(self, exchange: Exchange) -> Answer:
        assert self._session is not None
        url = URL(self._upstream + exchange.target, encoded=True)
        upstream = await self._session.request(
            exchange.method, url, headers=exchange.headers, data=exchange.body or None, allow_redirects=False
        )
        headers = {name: value for name, value in upstream.headers.items() if name.lower() not in _HOPS}
        if exchange.watches and upstream.ok:
            return Answer(upstream.status, headers=headers, lines=_lines(upstream))
        async with upstream:
            answer = Answer(upstream.status, await upstream.read(), headers)
        if exchange.mutates:
            self.sent.append(Sent(time.monotonic(), exchange.method, exchange.path, answer.status))
        return answer

    async def _stream(self, request: web.Request, answer: Answer, lines: AsyncIterator[bytes]) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=dict(answer.headers))
        async with aclosing(lines):  # type: ignore[type-var]  # an async generator
            await response.prepare(request)
            async for line in lines:
                await self._flow.wait()
                await response.write(line)
        await response.write_eof()
        return response

    def _spawn(self, work: Coroutine[Any, Any, Answer]) -> "asyncio.Task[Answer]":
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: "asyncio.Task[Answer]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited for it was told; often nobody waits any more


def _through(fault: Fault, exchange: Exchange, onward: Onward) -> Onward:
    return lambda: fault(exchange, onward)


async def _lines(upstream: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        while line := await upstream.content.readline():
            yield line
    finally:
        # A farewell by TLS could outlive the event loop.
        if upstream.connection is not None and upstream.connection.transport is not None:
            upstream.connection.transport.abort()
        upstream.close()
