"""`kubectl exec`, and what stands on it, as `kubectl cp`."""

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from aiop.sim.processes.errors import ProcessPodError
from aiop.sim.processes.podaccess import Streams
from aiop.sim.server.refusals import bad_request
from aiop.sim.server.streams.asked import Asked
from aiop.sim.server.streams.channels import ERROR, PROTOCOLS, STDERR, STDOUT, Channels

_SUCCESS = {"metadata": {}, "status": "Success"}


async def execute(asked: Asked) -> web.StreamResponse:
    """Run the command, its streams on a WebSocket; the last message says how it ended."""
    container, command = asked.container(running=True), asked.request.query.getall("command", [])
    if not command:
        raise bad_request("you must specify at least one command for the container")
    if not speaks(asked.request, PROTOCOLS):
        raise bad_request(
            f"exec is served over a WebSocket with the protocol {' or '.join(PROTOCOLS)} only, as kubectl 1.31 and "
            "later speak it"
        )
    channels = Channels()
    await channels.open(asked.request)
    status = await _run(asked, container, command, channels)
    if status is not None:
        await channels.send(ERROR, msgspec.json.encode(status))
    await channels.close()
    return channels.response


def speaks(request: web.Request, protocols: tuple[str, ...]) -> bool:
    """True if the client asks for a WebSocket with one of these protocols."""
    offered = {each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",")}
    return request.headers.get("Upgrade", "").lower() == "websocket" and not offered.isdisjoint(protocols)


async def _run(asked: Asked, container: str, command: list[str], channels: Channels) -> dict[str, Any] | None:
    """How it ended; None if the client left before, which ends the command."""
    reading = asyncio.ensure_future(channels.read())
    running = asyncio.ensure_future(
        asked.pods.execute(asked.key, container, command, _streams(asked, channels), tty=asked.flag("tty"))
    )
    try:
        await asyncio.wait({reading, running}, return_when=asyncio.FIRST_COMPLETED)
        return _ended(running) if running.done() else None
    finally:
        for task in (reading, running):
            task.cancel()
        await asyncio.gather(reading, running, return_exceptions=True)


def _streams(asked: Asked, channels: Channels) -> Streams:
    async def stdout(data: bytes) -> None:
        await channels.send(STDOUT, data)

    async def stderr(data: bytes) -> None:
        await channels.send(STDERR, data)

    return Streams(
        stdin=channels.input() if asked.flag("stdin") else None,
        stdout=stdout if asked.flag("stdout") else None,
        stderr=stderr if asked.flag("stderr") else None,
        sizes=channels.sizes() if asked.flag("tty") else None,
    )


def _ended(running: "asyncio.Future[int]") -> dict[str, Any]:
    try:
        code = running.result()
    except ProcessPodError as error:
        return _failure("InternalError", f"{error}", 500)
    if not code:
        return _SUCCESS
    causes = [{"reason": "ExitCode", "message": str(code)}]
    words = f"command terminated with non-zero exit code: exit status {code}"
    return {**_failure("NonZeroExitCode", words, 0), "details": {"causes": causes}}


def _failure(reason: str, message: str, code: int) -> dict[str, Any]:
    failure = {"metadata": {}, "status": "Failure", "reason": reason, "message": message}
    return {**failure, "code": code} if code else failure
