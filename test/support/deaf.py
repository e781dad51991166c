"""A server that hears the beginning of a request and then reads on only when a test lets it, so that buffers fill."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

# Small, so that the greater part of a large request stays with the client.
_RECEIVE_BUFFER = 16 * 1024


class Accepted(asyncio.Protocol):
    """One connection; ``got`` is what came, ``lost`` is how it ended: an error, or None for a proper end."""

    def __init__(self, deaf: "Deaf") -> None:
        self._deaf = deaf
        self._transport: asyncio.Transport | None = None
        self.got = bytearray()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if not self.got:
            assert self._transport is not None
            self._transport.pause_reading()
            self._deaf.begun.put_nowait(self)
        self.got += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)

    def say(self, data: bytes) -> None:
        """Send this."""
        assert self._transport is not None
        self._transport.write(data)

    def listen(self) -> None:
        """Read from now on."""
        assert self._transport is not None
        self._transport.resume_reading()


class Deaf:
    """``begun`` holds the connections on which something came, in their order."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[Accepted] = asyncio.Queue()

    @asynccontextmanager
    async def running(self, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Accepts until the block ends; gives the port."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        listener.bind(("127.0.0.1", port))
        loop = asyncio.get_running_loop()
        accepting = await loop.create_server(lambda: Accepted(self), sock=listener, ssl=tls)
        try:
            yield listener.getsockname()[1]
        finally:
            accepting.close()
            await accepting.wait_closed()
