"""One HTTP exchange: bytes out, bytes in.

Failures of the network become errors of ours, and nothing is retried but what was refused for old credentials.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

from aiop import __version__
from aiop.runtime.client.connection import Connection
from aiop.runtime.client.errors import ConnectionFailed, RequestTimedOut

_UNAUTHORIZED = 401
# A reader that is refused later than this has lost its connection, not its patience.
_CONNECT_SECONDS = 10.0

RequestObserver = Callable[[str, str, int], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What to send; ``timeout`` is in seconds for the whole exchange, for a stream between two chunks."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Stream(Protocol):
    """An answer that is read as it comes."""

    @property
    def response(self) -> Response:
        """Status and headers; the body only if the status is a failure."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body's chunks; raises ConnectionFailed or RequestTimedOut."""
        ...


class Transport(Protocol):
    """Carries requests; the HTTP one below, or another in tests."""

    async def send(self, request: Request) -> Response:
        """One exchange; raises ConnectionFailed or RequestTimedOut."""
        ...

    def stream(self, request: Request) -> Any:
        """An async context manager that gives a Stream."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...


def _ignore(method: str, host: str, status: int) -> None:
    """Nobody counts the requests."""


class HttpTransport:
    """Carries requests over the connection's own session; ``observe(method, host, status)`` counts them."""

    def __init__(self, connection: Connection, *, observe: RequestObserver = _ignore) -> None:
        self._connection = connection
        self._observe = observe

    async def send(self, request: Request) -> Response:
        """One exchange; a 401 renews the credentials and is tried once more."""
        response = await self._exchange(request)
        if response.status == _UNAUTHORIZED:
            await self._connection.renew()
            response = await self._exchange(request)
        return response

    async def _exchange(self, request: Request) -> Response:
        limits = aiohttp.ClientTimeout(total=request.timeout, sock_connect=_CONNECT_SECONDS)
        async with self._open(request, limits) as answer:
            try:
                body = await answer.read()
            except (aiohttp.ClientError, OSError) as error:
                raise ConnectionFailed(_said(request, error)) from error
            except TimeoutError as error:
                raise RequestTimedOut(_said(request, error)) from error
            return Response(answer.status, answer.headers, body)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator["HttpStream"]:
        """Open a stream; a 401 renews the credentials and is tried once more."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=request.timeout)
        for attempt in (1, 2):
            async with self._open(request, limits) as answer:
                if answer.status == _UNAUTHORIZED and attempt == 1:
                    await self._connection.renew()
                    continue
                body = b"" if answer.ok else await answer.read()
                yield HttpStream(request, answer, Response(answer.status, answer.headers, body))
                return

    @asynccontextmanager
    async def _open(self, request: Request, limits: aiohttp.ClientTimeout) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"User-Agent": f"aiop/{__version__}", **request.headers}
        headers |= await self._connection.authorization()
        try:
            answer = await self._connection.session.request(
                request.method,
                self._connection.host + request.path,
                params=request.query,
                headers=headers,
                data=request.body,
                timeout=limits,
                **self._connection.request_options,
            )
        except TimeoutError as error:
            raise RequestTimedOut(_said(request, error)) from error
        except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
            raise ConnectionFailed(_said(request, error)) from error
        try:
            self._observe(request.method, self._connection.host, answer.status)
            yield answer
        finally:
            answer.release()

    async def aclose(self) -> None:
        """Close the session and give its sockets the moment that TLS needs to end."""
        await self._connection.aclose()
        await asyncio.sleep(0)


class HttpStream:
    """A watch in progress."""

    def __init__(self, request: Request, answer: aiohttp.ClientResponse, response: Response) -> None:
        self._request = request
        self._answer = answer
        self.response = response

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as the network cuts it."""
        try:
            async for chunk in self._answer.content.iter_any():
                yield chunk
        except TimeoutError as error:
            raise RequestTimedOut(_said(self._request, error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionFailed(_said(self._request, error)) from error
        finally:
            self._answer.close()


def _said(request: Request, error: BaseException) -> str:
    """The request's line and the error's words; never a body or a header."""
    return f"{request.method} {request.path}: {error or type(error).__name__}"
