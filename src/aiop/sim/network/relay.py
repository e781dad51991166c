"""Two TCP connections made one: bytes both ways, ends passed on, never more than a piece in hand."""

import asyncio
from contextlib import suppress

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_PIECE = 64 * 1024


async def relay(client: Ends, server: Ends) -> None:
    """Until both sides have ended, or either breaks; then both are closed."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_pump(client[0], server[1]))
            group.create_task(_pump(server[0], client[1]))
    except* OSError:
        pass  # one side is gone, and the other learns it by the close
    finally:
        for _, writer in (client, server):
            writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while piece := await source.read(_PIECE):
        sink.write(piece)
        await sink.drain()
    with suppress(OSError):
        if sink.can_write_eof():
            sink.write_eof()
