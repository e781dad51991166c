"""As much of an API server as an election needs: Leases with versions, lists and watches."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from aiop.runtime.client.errors import ConnectionFailed, RequestTimedOut
from aiop.runtime.client.transport import Request, Response
from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.deadline import DeadlineExceeded, within
from support.transport import ok, refusal

Spec = dict[str, Any]


class LeaseServer:
    """The Leases of one namespace, for candidates in any thread.

    ``holders`` tells who held a Lease after each write of it, and when; ``held(name)`` who holds that one now.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.version = 100
        self.leases: dict[str, dict[str, Any]] = {}
        self.holders: list[tuple[float, str]] = []
        self._watches: list[_Watch] = []
        self._lock = threading.RLock()

    def held(self, name: str) -> str:
        """The holder; empty if it is free or was never made."""
        return str(self.leases[name]["spec"].get("holderIdentity") or "") if name in self.leases else ""

    def put(self, name: str, spec: Spec) -> dict[str, Any]:
        event = "MODIFIED" if name in self.leases else "ADDED"
        self.version += 1
        lease = {"metadata": {"name": name, "resourceVersion": str(self.version), "uid": f"uid-{name}"}, "spec": spec}
        self.leases[name] = lease
        self.holders.append((self.clock.monotonic(), spec.get("holderIdentity") or ""))
        self._tell(event, lease)
        return lease

    def delete(self, name: str) -> None:
        lease = self.leases.pop(name)
        self.version += 1
        self._tell("DELETED", {**lease, "metadata": {**lease["metadata"], "resourceVersion": str(self.version)}})

    def end_watches(self) -> None:
        for watch in self._watches:
            watch.say(None)

    def answer(self, request: Request) -> Response:
        with self._lock:
            return self._answer(request)

    def _answer(self, request: Request) -> Response:
        name = request.path.partition("/leases")[2].strip("/")
        body = msgspec.json.decode(request.body or b"null")
        known = self.leases.get(name)
        match request.method:
            case "GET" if not name:
                found = [
                    lease for lease in self.leases.values() if _selected(request) in {lease["metadata"]["name"], ""}
                ]
                return ok({"metadata": {"resourceVersion": str(self.version)}, "items": found})
            case "POST":
                taken = body["metadata"]["name"] in self.leases
                return refusal(409, "AlreadyExists") if taken else ok(self.put(body["metadata"]["name"], body["spec"]))
            case _ if known is None:
                return refusal(404, "NotFound")
            case "PUT":
                if body["metadata"]["resourceVersion"] != known["metadata"]["resourceVersion"]:
                    return refusal(409, "Conflict")
                return ok(self.put(name, body["spec"]))
        return ok(known)

    @asynccontextmanager
    async def watching(self, request: Request) -> AsyncIterator["asyncio.Queue[bytes | None]"]:
        watch = _Watch(_selected(request))
        with self._lock:
            self._watches.append(watch)
        try:
            yield watch.lines
        finally:
            with self._lock:
                self._watches.remove(watch)

    def _tell(self, event: str, lease: dict[str, Any]) -> None:
        line = msgspec.json.encode({"type": event, "object": lease}) + b"\n"
        with self._lock:
            for watch in self._watches:
                if watch.selected in {lease["metadata"]["name"], ""}:
                    watch.say(line)


class _Watch:
    """One open watch; it belongs to the event loop that opened it."""

    def __init__(self, selected: str) -> None:
        self.selected = selected
        self.lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def say(self, line: bytes | None) -> None:
        self._loop.call_soon_threadsafe(self.lines.put_nowait, line)


def _selected(request: Request) -> str:
    """The one name that the request asks for; empty: all."""
    return dict(request.query).get("fieldSelector", "").removeprefix("metadata.name=")


class LeaseTransport:
    """One candidate's way to the server, with the faults that a test sets."""

    def __init__(self, server: LeaseServer) -> None:
        self.server = server
        self.requests: list[str] = []
        self.down = False  # refuses every request
        self.hung = False  # swallows writes: they neither arrive nor end
        self.mute = False  # does the writes, and loses the answers
        self.deaf = False  # holds back what watches say
        self.closed = False

    async def send(self, request: Request) -> Response:
        self.requests.append(f"{request.method} {request.path.rpartition('/')[2]}")
        await asyncio.sleep(0)
        if self.down:
            raise ConnectionFailed(request.method)
        writes = request.method != "GET"
        if writes and self.hung:
            await asyncio.get_running_loop().create_future()
        response = self.server.answer(request)
        if writes and self.mute:
            await asyncio.get_running_loop().create_future()
        return response

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator["_Stream"]:
        self.requests.append("WATCH")
        await asyncio.sleep(0)
        if self.down:
            raise ConnectionFailed(request.method)
        async with self.server.watching(request) as lines:
            yield _Stream(self, lines, request.timeout or 0.0)

    async def aclose(self) -> None:
        self.closed = True


class _Stream:
    def __init__(self, transport: LeaseTransport, lines: "asyncio.Queue[bytes | None]", silence: float) -> None:
        self.response = Response(200, {}, b"")
        self._transport = transport
        self._lines = lines
        self._silence = silence

    async def chunks(self) -> AsyncIterator[bytes]:
        while True:
            try:
                line = await within(self._transport.server.clock, self._silence, self._next())
            except DeadlineExceeded as error:
                raise RequestTimedOut("silence") from error
            if line is None:
                return
            yield line

    async def _next(self) -> bytes | None:
        while True:
            line = await self._lines.get()
            if not self._transport.deaf:
                return line
