"""`kubectl logs`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from aiohttp import web

from aiop.sim.processes.errors import NothingLogged
from aiop.sim.processes.podaccess import LogOptions
from aiop.sim.server.refusals import bad_request
from aiop.sim.server.streams.asked import Asked

# How soon it is noticed that a client who follows a silent log has left.
_LOOK_SECONDS = 1.0


async def logs(asked: Asked) -> web.StreamResponse:
    """The container's log as plain text, as it is and, if it is followed, as it comes."""
    container, options = asked.container(), _options(asked)
    async with aclosing(asked.pods.logs(asked.key, container, options)) as pieces:  # type: ignore[type-var]  # an async generator
        try:
            first = await anext(pieces, b"")
        except NothingLogged as error:
            raise bad_request(_why_nothing(asked, container, options) or str(error)) from error
        return await _stream(asked.request, first, pieces)


async def _stream(request: web.Request, first: bytes, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    try:
        await response.prepare(request)
        if first:
            await response.write(first)
        async for piece in _while_heard(request, pieces):
            await response.write(piece)
        await response.write_eof()
    except ConnectionResetError:
        pass  # the client has read enough
    return response


async def _while_heard(request: web.Request, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces until there are no more or the client has left, which a log that is silent would not show."""
    while True:
        coming = asyncio.ensure_future(anext(pieces, b""))
        try:
            while not (await asyncio.wait({coming}, timeout=_LOOK_SECONDS))[0]:
                if request.transport is None or request.transport.is_closing():
                    return
            if not (piece := coming.result()):
                return
        finally:
            coming.cancel()
            await asyncio.wait({coming})
        yield piece


def _options(asked: Asked) -> LogOptions:
    seconds, time = asked.number("sinceSeconds", least=1), asked.request.query.get("sinceTime")
    if seconds is not None and time:
        raise bad_request("at most one of sinceTime or sinceSeconds may be specified")
    since = _ago(seconds) if seconds is not None else _moment(time) if time else None
    return LogOptions(
        follow=asked.flag("follow"),
        previous=asked.flag("previous"),
        tail_lines=asked.number("tailLines", least=0),
        limit_bytes=asked.number("limitBytes", least=1),
        since=since,
        timestamps=asked.flag("timestamps"),
    )


def _ago(seconds: int) -> datetime | None:
    """So long ago; None, which is from the beginning, for what was before all calendars."""
    try:
        return datetime.now(UTC) - timedelta(seconds=seconds)
    except OverflowError:
        return None


def _moment(time: str) -> datetime:
    try:
        return datetime.fromisoformat(time).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise bad_request(f'sinceTime: "{time}" is not a time of RFC 3339') from error


def _why_nothing(asked: Asked, container: str, options: LogOptions) -> str:
    """In the kubelet's words, if the container waits."""
    if options.previous:
        return ""
    status = asked.pod.get("status") or {}
    for each in [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]:
        waiting = (each.get("state") or {}).get("waiting")
        if each["name"] == container and waiting:
            head = f'container "{container}" in pod "{asked.key.name}" is waiting to start: '
            return head + str(waiting.get("message") or waiting.get("reason") or "")
    return ""
