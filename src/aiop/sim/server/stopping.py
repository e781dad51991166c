"""The end of a server whose clients keep their connections for later requests."""

from aiohttp import web

from aiop.runtime.client.sockets import abort


async def cut(runner: web.AppRunner) -> None:
    """Stop listening and drop every connection; none is left to the loop that may end next.

    aiohttp closes them in good order, which for TLS waits for the other side's close.
    """
    transports = [each.transport for each in runner.server.connections] if runner.server else []
    await runner.cleanup()
    for transport in filter(None, transports):
        abort(transport)
