"""Several streams on one WebSocket: the channel protocol of exec, versions 4 and 5.

A message is one byte that names the channel, then data. In version 5 the byte 255 and a channel's number say that
this channel has ended.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
from aiohttp import WSMsgType, web

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
_CLOSE = 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
# Messages that the command has not read yet; then the client is read no more until it has.
_MOST_WAITING = 16
_LARGEST_MESSAGE = 1024 * 1024
_END = b""


class _Size(msgspec.Struct, rename="pascal"):
    width: int = 0
    height: int = 0


_decode_size = msgspec.json.Decoder(_Size).decode


class Channels:
    """The server's side. ``read`` goes on until the client leaves; everything else is used meanwhile."""

    def __init__(self) -> None:
        # kubectl looks whether we live by pings, which are answered while we read.
        self._socket = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=_LARGEST_MESSAGE)
        self._input: asyncio.Queue[bytes] = asyncio.Queue(_MOST_WAITING)
        self._sizes: asyncio.Queue[tuple[int, int] | None] = asyncio.Queue(_MOST_WAITING)

    @property
    def response(self) -> web.StreamResponse:
        """What the request's handler returns."""
        return self._socket

    async def open(self, request: web.Request) -> None:
        """Shake hands. The empty message tells old clients that all streams are there."""
        await self._socket.prepare(request)
        await self.send(STDOUT, b"")

    async def send(self, channel: int, data: bytes) -> None:
        """Send on a channel; one that nobody hears any more is lost."""
        with contextlib.suppress(ConnectionError):
            await self._socket.send_bytes(bytes([channel]) + data)

    async def close(self) -> None:
        """Say goodbye."""
        await self._socket.close()

    async def read(self) -> None:
        """Hand on what the client sends until it leaves."""
        try:
            async for message in self._socket:
                data = message.data
                if message.type is WSMsgType.TEXT:
                    data = data.encode()
                if message.type in {WSMsgType.BINARY, WSMsgType.TEXT} and data:
                    await self._take(data[0], data[1:])
        finally:
            self._end(self._input, _END)
            self._end(self._sizes, None)

    async def input(self) -> AsyncIterator[bytes]:
        """What comes on stdin."""
        while data := await self._input.get():
            yield data

    async def sizes(self) -> AsyncIterator[tuple[int, int]]:
        """What comes on resize: columns and rows."""
        while (size := await self._sizes.get()) is not None:
            yield size

    async def _take(self, channel: int, data: bytes) -> None:
        if channel == STDIN and data:
            await self._input.put(data)
        elif channel == _CLOSE and data[:1] == bytes([STDIN]):
            await self._input.put(_END)
        elif channel == RESIZE:
            with contextlib.suppress(msgspec.DecodeError, asyncio.QueueFull):
                size = _decode_size(data)
                self._sizes.put_nowait((size.width, size.height))

    @staticmethod
    def _end(queue: "asyncio.Queue[bytes] | asyncio.Queue[tuple[int, int] | None]", end: bytes | None) -> None:
        """The client has left: what it sent last may be lost, its end may not."""
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(end)  # type: ignore[arg-type]  # each queue's own end
