"""Watches: what an API server tells a client line by line."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from aiop.runtime.kit.clock import Clock
from aiop.sim.server.kinds import Kind
from aiop.sim.server.refusals import expired
from aiop.sim.storage.store import Change, End, Store, Stored, TooOld

# How often a quiet watch is told where the world is (the real server: about once a minute).
_BOOKMARK_SECONDS = 60.0

Render = Callable[[Stored], bytes]


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """What a watch asks for; ``version`` empty means: begin with what is there."""

    kind: Kind
    namespace: str
    match: Callable[[Mapping[str, Any]], bool]
    version: str
    timeout_seconds: float
    bookmarks: bool
    initial_events: bool


async def watch_lines(store: Store, request: WatchRequest, clock: Clock, render: Render) -> AsyncIterator[bytes]:
    """The lines of a watch, until its time is up."""
    try:
        begin = request.version in {"", "0"} or request.initial_events
        since = store.version if begin else int(request.version)
        subscription = store.subscribe(request.kind.bucket, since)
    except TooOld:
        status = expired(f"too old resource version: {request.version}").status
        yield _line("ERROR", msgspec.json.encode(status))
        return
    try:
        if begin:
            for stored in store.items(request.kind.bucket, request.namespace):
                if request.match(stored.obj):
                    yield _line("ADDED", render(stored))
        if request.initial_events and request.bookmarks:
            yield _bookmark(request.kind, store.version, initial_end=True)
        async for line in _follow(store, subscription.changes, request, clock, render):
            yield line
    finally:
        store.unsubscribe(subscription)


async def _follow(
    store: Store, changes: "asyncio.Queue[Change | End]", request: WatchRequest, clock: Clock, render: Render
) -> AsyncIterator[bytes]:
    deadline = clock.monotonic() + request.timeout_seconds
    while (left := deadline - clock.monotonic()) > 0:
        change = await _next(changes, min(left, _BOOKMARK_SECONDS), clock)
        if isinstance(change, End):
            return
        if change is None:
            if request.bookmarks:
                yield _bookmark(request.kind, store.version)
            continue
        line = _told(change, request, render)
        if line is not None:
            yield line


async def _next(changes: "asyncio.Queue[Change | End]", seconds: float, clock: Clock) -> Change | End | None:
    """The next change, or None if none comes within ``seconds`` of the given clock."""
    if not changes.empty():
        return changes.get_nowait()
    getting = asyncio.ensure_future(changes.get())
    sleeping = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({getting, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        return getting.result() if getting.done() else None
    finally:
        getting.cancel()
        sleeping.cancel()


def _told(change: Change, request: WatchRequest, render: Render) -> bytes | None:
    """What the watcher sees of a change: an object that leaves its selector arrives as deleted."""
    if request.namespace and change.key.namespace != request.namespace:
        return None
    was = change.old is not None and request.match(change.old.obj)
    now = change.new is not None and request.match(change.new.obj)
    if now and change.new is not None:
        return _line("MODIFIED" if was else "ADDED", render(change.new))
    if not was or change.old is None:
        return None
    last = change.last
    if change.new is not None:  # it changed and no longer fits: the last state that did, at this version
        meta = {**change.old.obj["metadata"], "resourceVersion": str(change.version)}
        last = Stored({**change.old.obj, "metadata": meta}, change.version)
    return _line("DELETED", render(last))


def _line(kind: str, data: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + data + b"}\n"


def _bookmark(kind: Kind, version: int, *, initial_end: bool = False) -> bytes:
    metadata: dict[str, Any] = {"resourceVersion": str(version), "creationTimestamp": None}
    if initial_end:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    body = {"kind": kind.resource.kind, "apiVersion": kind.resource.api_version, "metadata": metadata}
    return _line("BOOKMARK", msgspec.json.encode(body))
