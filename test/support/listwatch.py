"""Sources for informers: one that says what a test puts into its mouth, one that is a small server."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from aiop.runtime.client.codec import ListPage, WatchEvent
from aiop.runtime.client.errors import ClientError, Expired


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


class ScriptedSource:
    """Each list takes the next of ``lists``; each watch says what ``say`` puts in, until ``end`` or ``fail``.

    ``calls`` tells what was asked: "list", or "watch <resourceVersion>". A list beyond the script waits for ever.
    """

    def __init__(self, *lists: list[ListPage] | ClientError) -> None:
        self.lists: deque[list[ListPage] | ClientError] = deque(lists)
        self.calls: list[str] = []
        self.timeouts: list[int] = []
        self.open = 0
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
        if not self.lists:
            await asyncio.get_running_loop().create_future()
        script = self.lists.popleft()
        if isinstance(script, ClientError):
            raise script
        for each in script:
            yield each
            await asyncio.sleep(0)

    async def watch(self, resource_version: str, timeout_seconds: int) -> AsyncIterator[WatchEvent]:
        self.calls.append(f"watch {resource_version}")
        self.timeouts.append(timeout_seconds)
        self.open += 1
        try:
            while (event := await self._said.get()) is not None:
                if isinstance(event, ClientError):
                    raise event
                yield event
        finally:
            self.open -= 1


class SmallServer:
    """Objects, versions, history and compaction: what a list and a watch promise, and nothing else."""

    def __init__(self, *, page_size: int = 2) -> None:
        self.objects: dict[str, bytes] = {}
        self.version = 1
        self._page_size = page_size
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

    async def watch(self, resource_version: str, timeout_seconds: int) -> AsyncIterator[WatchEvent]:
        last, generation = int(resource_version), self._generation
        if last < self._compacted:
            raise Expired(410, "Expired", "too old")
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
