"""Connections that are aborted, never closed, and requests that are sent once.

asyncio sends what it has buffered before it closes, the kernel sends again what was not acknowledged, and aiohttp sends
some requests again whose connection broke. Each could bring a write to the server after another leader took over.
"""

import asyncio
import socket
import ssl
import struct

import aiohttp

# Less than the five seconds between the end of a leader's permit and the first moment of a takeover: what the server
# has not acknowledged by then is dropped, even if this process is stopped meanwhile.
_UNACKNOWLEDGED_MILLISECONDS = 4000
# A quiet connection is tried after 15 s, and again each 5 s: one that is half open is gone half a minute later.
_QUIET_SECONDS = 15
_PROBE_SECONDS = 5
_PROBES = 3
# A watch's chunk holds an object; etcd's own limit for one is 1.5 MiB.
_READ_BUFFER = 2**21
# On, after 0 seconds: closing resets the connection and forgets what was not sent.
_NO_FAREWELL = struct.pack("ii", 1, 0)
# By name, since no platform has them all.
_TCP_OPTIONS = {
    "TCP_USER_TIMEOUT": _UNACKNOWLEDGED_MILLISECONDS,
    "TCP_KEEPIDLE": _QUIET_SECONDS,
    "TCP_KEEPALIVE": _QUIET_SECONDS,  # what macOS calls TCP_KEEPIDLE
    "TCP_KEEPINTVL": _PROBE_SECONDS,
    "TCP_KEEPCNT": _PROBES,
}


def new_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket that notices within half a minute that the other side is gone, and resets when it is closed."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_FAREWELL)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _TCP_OPTIONS.items():
            if hasattr(socket, name):
                made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    except BaseException:
        made.close()
        raise
    return made


def abort(transport: asyncio.BaseTransport) -> None:
    """Drop a connection with all that it has not sent; one that was dropped before is left alone.

    TLS of Python before 3.11.4 forgets its protocol when it is closed a second time, and cannot be aborted any more.
    """
    if isinstance(transport, asyncio.Transport) and getattr(transport, "_ssl_protocol", transport) is not None:
        transport.abort()


def open_session(tls: ssl.SSLContext) -> aiohttp.ClientSession:
    """A session with such connections, as many as are needed: their number is the informers' and the lane's to bound.

    The environment's proxies are not asked; say the proxy with each request.
    """
    connector = _Connector(ssl=tls, limit=0, socket_factory=new_socket)
    return aiohttp.ClientSession(connector=connector, middlewares=(connector.once,), read_bufsize=_READ_BUFFER)


class _Connector(aiohttp.TCPConnector):
    """Remembers which connection a request was given, so that it is aborted if the request is given up."""

    def __init__(self, *, ssl: ssl.SSLContext, limit: int, socket_factory: aiohttp.SocketFactoryType) -> None:
        super().__init__(ssl=ssl, limit=limit, socket_factory=socket_factory)
        self._given: dict[aiohttp.ClientRequest, asyncio.Transport] = {}

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: "list[aiohttp.tracing.Trace]",
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
    ) -> aiohttp.connector.Connection:
        """A connection for the request, open or new."""
        connection = await super().connect(req, traces, timeout)
        if connection.transport is not None:
            self._given[req] = connection.transport
        return connection

    async def once(self, req: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Send the request and await the answer's head; whatever goes wrong, nothing of the request is sent any more.

        A connection that breaks raises ClientConnectionError: aiohttp would send a PUT or DELETE again for its own.
        """
        try:
            return await send(req)
        except BaseException as error:
            if req in self._given:
                abort(self._given[req])
            if isinstance(error, (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
                raise aiohttp.ClientConnectionError(str(error) or type(error).__name__) from error
            raise
        finally:
            self._given.pop(req, None)
