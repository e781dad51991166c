"""One HTTP exchange: bytes out, bytes in.

Failures of the network become errors of ours, and nothing is retried but what was refused for old credentials.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp

from aiop import __version__
from aiop.runtime.client.connection import Connection
from aiop.runtime.client.errors import AnswerTooLong, ClientError, ProtocolError, RequestTimedOut
from aiop.runtime.client.sockets import abort
from aiop.runtime.client.unreached import unreached

_UNAUTHORIZED = 401
_REDIRECTS = range(300, 400)
_USER_AGENT = f"aiop/{__version__}"
# A reader that is refused later than this has lost its connection, not its patience.
_CONNECT_SECONDS = 10.0
# The unit of a server's time-out below a second; less would be 0, and 0 means the server's own default.
SHORTEST_SECONDS = 0.001

RequestObserver = Callable[[str, str, int], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What to send; ``timeout`` is in seconds for the whole exchange, for a stream between two chunks.

    ``most_bytes`` is how long an answer may be that is read whole (None: as long as it likes), once it is unpacked.
    ``may_leave`` is asked at the moment that the body would leave, however late that is; it may raise a ClientError.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float | None = None
    most_bytes: int | None = None
    may_leave: Callable[[], object] | None = field(default=None, compare=False)


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
        """One exchange; raises ConnectionFailed, RequestTimedOut, ProtocolError or AnswerTooLong."""
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
    """Carries requests over the connection's own session; ``observe(method, host, status)`` counts them.

    ``user_agent`` is how the server's logs name us. A redirect is never followed, since neither the credentials nor a
    write are for others: it raises ProtocolError.
    """

    def __init__(
        self, connection: Connection, *, user_agent: str = _USER_AGENT, observe: RequestObserver = _ignore
    ) -> None:
        self._connection = connection
        self._user_agent = user_agent
        self._observe = observe

    async def send(self, request: Request) -> Response:
        """One exchange; a 401 renews the credentials and is tried once more, in the time that is left."""
        used, now = self._connection.generation, asyncio.get_running_loop().time
        started = now()
        response = await self._exchange(request)
        if response.status == _UNAUTHORIZED:
            await self._connection.renew(used)
            response = await self._exchange(_later(request, now() - started))
        return response

    async def _exchange(self, request: Request) -> Response:
        limits = aiohttp.ClientTimeout(total=request.timeout, sock_connect=_CONNECT_SECONDS)
        async with self._open(request, limits) as answer:
            with _mapped(request):
                body = await _whole(answer, request)
            return Response(answer.status, answer.headers, body)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator["HttpStream"]:
        """Open a stream; a 401 renews the credentials and is tried once more."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=request.timeout)
        for attempt in (1, 2):
            used = self._connection.generation
            async with self._open(request, limits) as answer:
                if answer.status == _UNAUTHORIZED and attempt == 1:
                    await self._connection.renew(used)
                    continue
                with _mapped(request):
                    body = b"" if answer.ok else await answer.read()
                yield HttpStream(request, answer, Response(answer.status, answer.headers, body))
                return

    @asynccontextmanager
    async def _open(self, request: Request, limits: aiohttp.ClientTimeout) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"User-Agent": self._user_agent, **request.headers}
        headers |= await self._connection.authorization()
        with _mapped(request):
            answer = await self._connection.session.request(
                request.method,
                self._connection.host + request.path,
                params=request.query,
                headers=headers,
                data=_Body(request) if request.body else None,
                timeout=limits,
                allow_redirects=False,
                **self._connection.request_options,
            )
        held = answer.connection
        transport = held.transport if held is not None else None
        try:
            self._observe(request.method, self._connection.host, answer.status)
            _refuse_redirect(request, answer)
            yield answer
        except BaseException:
            if transport is not None and not answer.content.is_eof():  # at the end, it may serve another already
                abort(transport)
            raise
        finally:
            _leave(answer)

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
            with _mapped(self._request):
                async for chunk in self._answer.content.iter_any():
                    yield chunk
        finally:
            _leave(self._answer)


class _Body(aiohttp.BytesPayload):
    """A body that asks once more whether it may leave: the event loop may have been stuck since its request began."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.body or b"")
        self._may_leave = request.may_leave

    async def write_with_length(self, writer: aiohttp.abc.AbstractStreamWriter, content_length: int | None) -> None:
        """Nothing waits between the question and the bytes; the head has waited for them in aiohttp's buffer."""
        if self._may_leave is not None:
            self._may_leave()
        await super().write_with_length(writer, content_length)


def duration(seconds: float) -> str:
    """The value of the API's ``timeout`` parameter; never more than ``seconds``."""
    return f"{math.floor(seconds)}s" if seconds >= 1 else f"{math.floor(seconds / SHORTEST_SECONDS)}ms"


def _later(request: Request, seconds: float) -> Request:
    """The same request for the rest of its time; raises RequestTimedOut if none is left."""
    if request.timeout is None:
        return request
    left = request.timeout - seconds
    if left < SHORTEST_SECONDS:
        message = f"{request.method} {request.path}: the credentials came too late"
        raise RequestTimedOut(message)
    query = tuple((name, duration(left) if name == "timeout" else value) for name, value in request.query)
    return replace(request, query=query, timeout=left)


async def _whole(answer: aiohttp.ClientResponse, request: Request) -> bytes:
    if request.most_bytes is None:
        return await answer.read()
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > request.most_bytes:
            message = f"{request.method} {request.path}: the answer has more than {request.most_bytes} bytes"
            raise AnswerTooLong(message)
    return bytes(body)


def _leave(answer: aiohttp.ClientResponse) -> None:
    """Give a connection back whose answer was read whole, and abort any other.

    A farewell by TLS would wait for a server that may be gone, and its socket would outlive the event loop.
    """
    connection = answer.connection
    if connection is not None and connection.transport is not None:
        abort(connection.transport)
    answer.release()


@contextmanager
def _mapped(request: Request) -> Iterator[None]:
    """Failures of the network as errors of ours; a TimeoutError first, for it is an OSError too."""
    try:
        yield
    except TimeoutError as error:
        message = f"{_line(request)}: {error or type(error).__name__}"
        raise RequestTimedOut(message) from error
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error.__cause__, ClientError):  # raised by ``may_leave``
            raise error.__cause__ from None
        raise unreached(_line(request), error) from error


def _line(request: Request) -> str:
    """What an error may say of it: never a query, a body or a header."""
    return f"{request.method} {request.path}"


def _refuse_redirect(request: Request, answer: aiohttp.ClientResponse) -> None:
    """Raises ProtocolError for one; it names the host alone, since a path and a query may hold secrets."""
    if answer.status not in _REDIRECTS:
        return
    try:
        host = urlsplit(answer.headers.get("Location", "")).hostname
    except ValueError:  # no URL at all
        host = None
    to = f" to the host {host!r}" if host else ""
    message = f"{request.method} {request.path}: {answer.status}, a redirect{to}; name the API server's own URL"
    raise ProtocolError(message)
