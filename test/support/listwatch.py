"""Sources for informers: one that says what a test puts into its mouth, one that is a small server."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec

from aiop.runtime.client.codec import ListPage, WatchEvent
from aiop.runtime.client.errors import BadRequest, Cause, ClientError, Expired, ServerError
from aiop.runtime.client.resource import Resource
from aiop.runtime.informer.decoding import TypeMeta

WIDGETS = Resource("example.com", "v1", "Widget", "widgets")
ANYTHING = TypeMeta("", "")
Script = Sequence[ListPage | ClientError]


def widget(name: str, version: int, *, uid: str = "", labels: dict[str, str] | None = None, **metadata: Any) -> bytes:
    """An object's JSON; its UID is its name unless said otherwise."""
    meta = {
        "name": name,
        "namespace": "default",
        "uid": uid or f"uid-{name}",
        "resourceVersion": str(version),
        "labels": labels or {},
        **metadata,
    }
    return msgspec.json.encode({"kind": "Widget", "metadata": meta, "spec": {"version": version}})


def page(version: int, *items: bytes, more: str = "") -> ListPage:
    return ListPage(str(version), items, more)


def added(data: bytes) -> WatchEvent:
    return WatchEvent("ADDED", data)


def modified(data: bytes) -> WatchEvent:
    return WatchEvent("MODIFIED", data)


def deleted(data: bytes) -> WatchEvent:
    return WatchEvent("DELETED", data)


def bookmark(version: int) -> WatchEvent:
    """As API servers up to 1.34 send it, null and all."""
    return WatchEvent(
        "BOOKMARK",
        b'{"kind":"Widget","metadata":{"resourceVersion":"%d","creationTimestamp":null},"spec":null}' % version,
    )


def end_of_initial(version: int) -> WatchEvent:
    """The bookmark that marks the end of a list by watch."""
    return WatchEvent(
        "BOOKMARK",
        b'{"kind":"Widget","apiVersion":"example.com/v1","metadata":{"resourceVersion":"%d",'
        b'"annotations":{"k8s.io/initial-events-end":"true"}}}' % version,
    )


class ScriptedSource:
    """Each list takes the next of ``lists``; each watch says what ``say`` puts in, until ``end`` or ``fail``.

    ``calls`` tells what was asked: "list", "watch list" or "watch <resourceVersion>". A list beyond the script waits
    for ever; one that has an error among its pages fails there. ``refusals`` meet the next watches. ``confirmed`` are
    the versions that the server was asked to have reached; it is ``behind`` as often as said. Lists by watch are
    refused, unknown to ``calls``, unless ``by_watch``: then they give the script's lists as events and go on as a
    watch; a list without a page has no end yet.
    """

    resource = WIDGETS

    def __init__(self, *lists: Script | ClientError, by_watch: bool = False, expected: TypeMeta = ANYTHING) -> None:
        self.expected = expected
        self.lists: deque[Script | ClientError] = deque(lists)
        self._by_watch = by_watch
        self.calls: list[str] = []
        self.timeouts: list[int] = []
        self.open = 0
        self.refusals: deque[ClientError] = deque()
        self.confirmed: list[str] = []
        self.behind: deque[ClientError] = deque()
        self._said: asyncio.Queue[WatchEvent | ClientError | None] = asyncio.Queue()

    def say(self, *events: WatchEvent) -> None:
        for event in events:
            self._said.put_nowait(event)

    def end(self) -> None:
        self._said.put_nowait(None)

    def fail(self, error: ClientError) -> None:
        self._said.put_nowait(error)

    async def list_pages(self) -> AsyncIterator[ListPage]:
        self.calls.append("list")
        async for each in self._told(await self._next_script()):
            yield each

    async def confirm(self, resource_version: str) -> None:
        self.confirmed.append(resource_version)
        if self.behind:
            raise self.behind.popleft()

    async def watch_list(self, timeout_seconds: int, opened: Callable[[], None]) -> AsyncIterator[WatchEvent]:
        if not self._by_watch:
            raise BadRequest(400, "Invalid", "sendInitialEvents is forbidden")
        self.calls.append("watch list")
        script = await self._next_script()
        version = ""
        async with self._opened(timeout_seconds, opened):
            async for each in self._told(script):
                for item in each.items:
                    yield added(item)
                version = each.resource_version
            if version:
                yield end_of_initial(int(version))
            async for event in self._stream():
                yield event

    async def watch(
        self, resource_version: str, timeout_seconds: int, opened: Callable[[], None]
    ) -> AsyncIterator[WatchEvent]:
        self.calls.append(f"watch {resource_version}")
        if self.refusals:
            raise self.refusals.popleft()
        async with self._opened(timeout_seconds, opened):
            async for event in self._stream():
                yield event

    async def _next_script(self) -> Script:
        if not self.lists:
            await asyncio.get_running_loop().create_future()
        script = self.lists.popleft()
        if isinstance(script, ClientError):
            raise script
        return script

    @staticmethod
    async def _told(script: Script) -> AsyncIterator[ListPage]:
        for each in script:
            if isinstance(each, ClientError):
                raise each
            yield each
            await asyncio.sleep(0)

    @asynccontextmanager
    async def _opened(self, timeout_seconds: int, opened: Callable[[], None]) -> AsyncIterator[None]:
        self.timeouts.append(timeout_seconds)
        self.open += 1
        opened()
        try:
            yield
        finally:
            self.open -= 1

    async def _stream(self) -> AsyncIterator[WatchEvent]:
        while (event := await self._said.get()) is not None:
            if isinstance(event, ClientError):
                raise event
            yield event


def behind(version: str) -> ServerError:
    """What a server says that has not come as far as ``version``."""
    cause = Cause("", "ResourceVersionTooLarge", f"Too large resource version: {version}")
    return ServerError(504, "Timeout", cause.message, causes=(cause,), retry_after=1.0)


class SmallServer:
    """Objects, versions, history and compaction: what lists and a watch promise, and nothing else.

    Lists by watch are refused unless ``by_watch``.
    """

    resource = WIDGETS
    expected = ANYTHING

    def __init__(self, *, page_size: int = 2, by_watch: bool = False) -> None:
        self.objects: dict[str, bytes] = {}
        self.version = 1
        self._page_size = page_size
        self._by_watch = by_watch
        self._history: list[tuple[int, WatchEvent]] = []
        self._compacted = 0
        self._cut: ClientError | None = None
        self._generation = 0
        self._change = asyncio.Event()

    def put(self, name: str, uid: str) -> bytes:
        self.version += 1
        data = widget(name, self.version, uid=uid)
        event = modified(data) if name in self.objects else added(data)
        self.objects[name] = data
        self._tell(event)
        return data

    def delete(self, name: str) -> None:
        uid = msgspec.json.decode(self.objects.pop(name))["metadata"]["uid"]
        self.version += 1
        self._tell(deleted(widget(name, self.version, uid=uid)))

    def bookmark(self) -> None:
        self._tell(bookmark(self.version))

    def compact(self) -> None:
        self._compacted = self.version

    def cut(self, error: ClientError | None) -> None:
        """End every open watch, by ``error`` if there is one."""
        self._cut = error
        self._generation += 1
        self._wake()

    async def list_pages(self) -> AsyncIterator[ListPage]:
        version, items = self.version, list(self.objects.values())
        for start in range(0, max(1, len(items)), self._page_size):
            yield page(version, *items[start : start + self._page_size])
            await asyncio.sleep(0)

    async def confirm(self, resource_version: str) -> None:
        if int(resource_version) > self.version:
            raise behind(resource_version)

    async def watch_list(self, timeout_seconds: int, opened: Callable[[], None]) -> AsyncIterator[WatchEvent]:
        if not self._by_watch:
            raise BadRequest(400, "Invalid", "sendInitialEvents is forbidden")
        opened()
        version, generation = self.version, self._generation
        for item in reversed(tuple(self.objects.values())):
            if self._generation == generation:
                yield added(item)
            await asyncio.sleep(0)
        if self._generation == generation:
            yield end_of_initial(version)
        async with aclosing(self._after(version, generation)) as events:
            async for event in events:
                yield event

    async def watch(
        self, resource_version: str, timeout_seconds: int, opened: Callable[[], None]
    ) -> AsyncIterator[WatchEvent]:
        last = int(resource_version)
        if last < self._compacted:
            raise Expired(410, "Expired", "too old")
        opened()
        async with aclosing(self._after(last, self._generation)) as events:
            async for event in events:
                yield event

    async def _after(self, last: int, generation: int) -> AsyncGenerator[WatchEvent, None]:
        position = next((index for index, (at, _) in enumerate(self._history) if at > last), len(self._history))
        while self._generation == generation:
            while position < len(self._history):
                yield self._history[position][1]
                position += 1
                if self._generation != generation:
                    break
            else:
                await self._change.wait()
        if self._cut is not None:
            raise self._cut

    def _tell(self, event: WatchEvent) -> None:
        self._history.append((self.version, event))
        self._wake()

    def _wake(self) -> None:
        self._change.set()
        self._change = asyncio.Event()
