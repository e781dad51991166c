"""`kubectl port-forward`: TCP connections to a pod's ports, as streams of SPDY inside a WebSocket.

Each connection is a pair of streams with the same request ID: one for its data, one on which is said why it failed.
"""

import asyncio
import contextlib
import re
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from aiop.sim.processes.errors import ProcessPodError
from aiop.sim.server.refusals import bad_request
from aiop.sim.server.streams.asked import Asked
from aiop.sim.server.streams.execution import speaks
from aiop.sim.server.streams.spdy.errors import BadFrame
from aiop.sim.server.streams.spdy.frames import Data, Frame, GoAway, Ping, Reader, Reset, SynStream, Writer

_PROTOCOL = "SPDY/3.1+portforward.k8s.io"
_LARGEST_MESSAGE = 1024 * 1024
_PIECE = 32 * 1024
# Each holds two sockets' worth of buffers.
_MOST_CONNECTIONS = 128
# Pieces that a pod has not taken yet; then the client is read no more until it has.
_MOST_WAITING = 16
_CONNECT_SECONDS = 5.0
_REFUSED_STREAM = 3
_PORT = re.compile("[1-9][0-9]{0,4}")
_HIGHEST_PORT = 65535


@dataclass(slots=True)
class _Connection:
    """``port`` and stream numbers are 0 until they are known; an empty piece ends the input."""

    port: int = 0
    data: int = 0
    error: int = 0
    input: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(_MOST_WAITING))
    task: asyncio.Task[None] | None = None


async def forward_ports(asked: Asked) -> web.StreamResponse:
    """Forward until the client leaves."""
    if not speaks(asked.request, (_PROTOCOL,)):
        raise bad_request(
            f"port-forward is served over a WebSocket with the protocol {_PROTOCOL} only, as kubectl 1.31 and later "
            "speak it"
        )
    socket = web.WebSocketResponse(protocols=(_PROTOCOL,), max_msg_size=_LARGEST_MESSAGE)
    await socket.prepare(asked.request)
    session = _Session(asked, socket)
    try:
        await session.run()
    finally:
        await session.close()
    return socket


class _Session:
    def __init__(self, asked: Asked, socket: web.WebSocketResponse) -> None:
        self._asked = asked
        self._socket = socket
        self._reader, self._writer = Reader(), Writer()
        self._connections: dict[str, _Connection] = {}
        self._by_stream: dict[int, _Connection] = {}

    async def run(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY:
                continue
            try:
                for frame in self._reader.take(message.data):
                    await self._take(frame)
            except BadFrame:
                return

    async def close(self) -> None:
        tasks = [each.task for each in self._connections.values() if each.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._socket.close()

    async def _take(self, frame: Frame) -> None:
        match frame:
            case SynStream():
                await self._open(frame)
            case Data(stream, data, over) if (connection := self._by_stream.get(stream)) is not None:
                if stream == connection.data:
                    await self._feed(connection, data, over=over)
            case Reset(stream) if (connection := self._by_stream.get(stream)) is not None:
                if connection.task is not None:
                    connection.task.cancel()
            case Ping(number):
                await self._send(self._writer.ping(number))
            case GoAway() | _:
                pass

    async def _open(self, frame: SynStream) -> None:
        identity, port = frame.headers.get("requestid", ""), frame.headers.get("port", "")
        full = identity not in self._connections and len(self._connections) >= _MOST_CONNECTIONS
        if full or not _PORT.fullmatch(port) or int(port) > _HIGHEST_PORT:
            await self._send(self._writer.reset(frame.stream, _REFUSED_STREAM))
            return
        connection = self._connections.setdefault(identity, _Connection())
        connection.port = int(port)
        self._by_stream[frame.stream] = connection
        if frame.headers.get("streamtype") == "error":
            connection.error = frame.stream
        else:
            connection.data = frame.stream
        await self._send(self._writer.reply(frame.stream))
        if connection.data and connection.error and connection.task is None:
            connection.task = asyncio.create_task(self._serve(identity, connection))

    async def _feed(self, connection: _Connection, data: bytes, *, over: bool) -> None:
        """A connection that has ended takes nothing more, and holds up nobody."""
        for piece in (*([data] if data else []), *([b""] if over else [])):
            put = asyncio.ensure_future(connection.input.put(piece))
            waits = {put, *([connection.task] if connection.task else [])}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            put.cancel()

    async def _serve(self, identity: str, connection: _Connection) -> None:
        failure = ""
        try:
            failure = await self._join(connection)
        finally:
            del self._connections[identity]
            for stream in (connection.data, connection.error):
                self._by_stream.pop(stream, None)
        await self._send(self._writer.data(connection.error, failure.encode(), over=True))
        await self._send(self._writer.data(connection.data, b"", over=True))

    async def _join(self, connection: _Connection) -> str:
        """Until both sides have ended; returns why it failed, if it did."""
        key, port = self._asked.key, connection.port
        try:
            address = self._asked.pods.address(key, port)
            async with asyncio.timeout(_CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(address.host, address.port)
        except (ProcessPodError, OSError) as error:
            return f"error forwarding port {port} to pod {key.name}: {error or 'no answer'}"
        feeding = asyncio.create_task(_write(connection.input, writer))
        try:
            while piece := await reader.read(_PIECE):
                await self._send(self._writer.data(connection.data, piece))
        except OSError as error:
            return f"error forwarding port {port} to pod {key.name}: {error}"
        finally:
            feeding.cancel()
            writer.close()
        return ""

    async def _send(self, frame: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            await self._socket.send_bytes(frame)


async def _write(pieces: asyncio.Queue[bytes], writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await pieces.get():
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
