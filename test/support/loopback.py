"""An API server that says what a test wants, on a loopback socket that is bound before the event loop runs."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
_SHUTDOWN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came over the wire."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def empty_object(_request: web.Request) -> web.StreamResponse:
    return web.json_response({})


class Loopback:
    """``answer`` is what it says next, ``seen`` what it was asked; nobody listens before ``running``."""

    def __init__(self, listener: socket.socket, folder: Path) -> None:
        self._listener = listener
        self._folder = folder
        self._runner: web.AppRunner | None = None
        self.port: int = listener.getsockname()[1]
        self.answer: Answer = empty_object
        self.seen: list[Seen] = []

    @property
    def last(self) -> Seen:
        return self.seen[-1]

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        assert self._runner is not None
        assert self._runner.server is not None
        return len(self._runner.server.connections)

    def kubeconfig(self, *, user: Mapping[str, object] | None = None, scheme: str = "http", **cluster: Any) -> str:
        """A kubeconfig for this server, written now: the path of the file."""
        path = self._folder / "kubeconfig"
        known = {"server": f"{scheme}://127.0.0.1:{self.port}", **cluster}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [{"name": "test", "cluster": known}],
            "users": [{"name": "test", "user": user or {"token": "made-up"}}],
        }
        path.write_text(json.dumps(content))
        return str(path)

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_SECONDS
        )
        await self._runner.setup()
        await web.SockSite(self._runner, self._listener, ssl_context=tls).start()
        try:
            yield
        finally:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0]
        self.seen.append(Seen(request.method, path, dict(request.query), request.headers.copy(), await request.read()))
        return await self.answer(request)


@contextmanager
def loopback(folder: Path) -> Iterator[Loopback]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield Loopback(listener, folder)


def says(status: int, body: object, **headers: str) -> Answer:
    """The same answer to everything; bytes go out as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=data, headers=sent, content_type="application/json")

    return answer


def in_turn(*answers: Answer) -> Answer:
    """One answer after the other; one request too many is a fault of the test's subject."""
    left = list(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        return await left.pop(0)(request)

    return answer


def streams(*chunks: bytes, cut: bool = False) -> Answer:
    """A stream of ``chunks``; ``cut`` drops the connection in place of the proper end."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if cut:
            assert request.transport is not None
            request.transport.close()
        else:
            await response.write_eof()
        return response

    return answer


def breaks_off(status: int = 200) -> Answer:
    """Promises a hundred bytes, sends a few and drops the connection."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"kind":')
        assert request.transport is not None
        request.transport.close()
        return response

    return answer


def stalls_after(*chunks: bytes) -> Answer:
    """A stream that says nothing more after ``chunks``, and does not end by itself."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        await asyncio.Event().wait()
        return response

    return answer
