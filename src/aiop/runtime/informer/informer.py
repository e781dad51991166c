"""One kind's cache, kept by a list and an endless watch.

Promised: per object, handlers see its states in order, some perhaps skipped; the store and its indexes are updated
before a handler runs; a handler that raises hurts nobody else; what a gap hid is found by the diff of a relist.
Not promised: any order between objects.
"""

import asyncio
import random as random_module
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol

import msgspec
import structlog

from aiop.runtime.client.codec import WatchEvent
from aiop.runtime.client.errors import ClientError, ConnectionFailed, Expired, RequestTimedOut, TooManyRequests
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.source import ListWatch
from aiop.runtime.informer.store import IndexFunction, Store, V, key_of
from aiop.runtime.informer.versions import is_newer
from aiop.runtime.kit.backoff import Backoff, BackoffState
from aiop.runtime.kit.clock import Clock
from aiop.runtime.views.meta import ObjectMeta

log = structlog.get_logger(__name__)

# client-go's reflector: 0.8 s to 30 s with full jitter comes to about 0.22 requests a second while a server is down.
RETRY = Backoff(initial=0.8, factor=2.0, maximum=30.0, jitter=1.0, reset_after=120.0)
# A watch asks for a random time between these, so that a thousand watches do not end at once.
_WATCH_SECONDS = (300, 600)
# A watch that ends sooner than this without an event is refused in disguise and must not be repeated at once.
_SHORT_WATCH_SECONDS = 1.0


class EventType(StrEnum):
    """What happened to an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Event(Generic[V]):
    """A change: ``old`` is None when added, ``new`` is None when deleted (``old`` is then the last known state).

    ``initial`` is true for what was there when the handler or the informer began.
    """

    type: EventType
    key: ObjectKey
    old: V | None
    new: V | None
    initial: bool = False


Handler = Callable[[Event[V]], None]


class InformerMetrics(Protocol):
    """What an informer counts; the manager binds it to Prometheus."""

    def relisted(self, informer: str) -> None:
        """A list replaced the store."""

    def failed(self, informer: str) -> None:
        """A list or watch failed."""

    def skipped(self, informer: str) -> None:
        """An object could not be decoded."""

    def active(self, informer: str, moment: float, objects: int) -> None:
        """The stream said something at that wall-clock time (a staleness gauge's other half)."""


class _Unmeasured:
    def relisted(self, informer: str) -> None: ...
    def failed(self, informer: str) -> None: ...
    def skipped(self, informer: str) -> None: ...
    def active(self, informer: str, moment: float, objects: int) -> None: ...


class _MetadataOnly(msgspec.Struct):
    metadata: ObjectMeta


class Informer(Generic[V]):
    """Keeps ``store`` in step with the API server and tells handlers; ``run`` it once, as a task."""

    def __init__(
        self,
        name: str,
        source: ListWatch,
        decode: Callable[[bytes], V],
        *,
        clock: Clock,
        random: random_module.Random | None = None,
        indexes: Mapping[str, IndexFunction[V]] | None = None,
        metrics: InformerMetrics | None = None,
    ) -> None:
        self.name = name
        self.store: Store[V] = Store(indexes)
        self._source = source
        self._decode = decode
        self._clock = clock
        self._random = random or random_module.Random()  # noqa: S311 - jitter, no secret
        self._metrics = metrics or _Unmeasured()
        self._handlers: list[Handler[V]] = []
        self._synced = asyncio.Event()
        self._version = ""

    def __repr__(self) -> str:
        state = "synced" if self._synced.is_set() else "not synced"
        return f"<Informer {self.name}: {state}, {len(self.store)} objects, version {self._version or 'none'}>"

    def add_handler(self, handler: Handler[V]) -> None:
        """Tell ``handler`` of every change from now on, and first of each object that is there already, once."""
        self._handlers.append(handler)
        for view in self.store.values():
            self._tell(handler, Event(EventType.ADDED, key_of(view), None, view, initial=True))

    def has_synced(self) -> bool:
        """True once the first list is in the store and every handler has seen it."""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Return once ``has_synced``."""
        await self._synced.wait()

    def written(self, data: bytes) -> V:
        """The response to an own write: visible in the store at once, until the watch has caught up."""
        view = self._decode(data)
        self.store.written(view)
        return view

    def deleted(self, key: ObjectKey, uid: str) -> None:
        """An own delete was accepted: the object shows as terminating until the watch says that it is gone."""
        self.store.deleted(key, uid)

    async def run(self) -> None:
        """List, then watch for ever; ends only by cancellation."""
        retry = BackoffState(RETRY, self._random.random)
        listed = False
        while True:
            try:
                if not listed:
                    await self._list()
                    listed = True
                if not await self._watch():
                    await self._clock.sleep(retry.next(self._clock.monotonic()))
            except Expired:
                listed = False  # the resume point is gone; what the gap hid is found by the relist's diff
            except (ConnectionFailed, RequestTimedOut, TooManyRequests) as error:
                await self._pause(retry, error)  # the resume point still stands: no list
            except ClientError as error:
                listed = False
                await self._pause(retry, error)

    async def _pause(self, retry: BackoffState, error: ClientError) -> None:
        self._metrics.failed(self.name)
        asked = getattr(error, "retry_after", None) or 0.0
        seconds = max(asked, retry.next(self._clock.monotonic()))
        log.warning("list or watch failed", informer=self.name, error=str(error), retry_in_seconds=round(seconds, 1))
        await self._clock.sleep(seconds)

    async def _list(self) -> None:
        views: list[V] = []
        version = ""
        async with aclosing(self._source.list_pages()) as pages:  # type: ignore[type-var]  # an async generator
            async for page in pages:
                views.extend(view for item in page.items if (view := self._decoded(item)) is not None)
                version = page.resource_version
        self._replace(views)
        self._version = version
        self._metrics.relisted(self.name)
        self._seen()
        self._synced.set()

    def _replace(self, views: list[V]) -> None:
        before = self.store.all_observed()
        self.store.replace(views)
        initial = not self._synced.is_set()
        after = {key_of(view): view for view in views}
        for key, old in before.items():
            new = after.get(key)
            if new is None or new.metadata.uid != old.metadata.uid:
                self._notify(Event(EventType.DELETED, key, old, None))
        for key, view in after.items():
            known = before.get(key)
            if known is None or known.metadata.uid != view.metadata.uid:
                self._notify(Event(EventType.ADDED, key, None, view, initial=initial))
            elif known.metadata.resource_version != view.metadata.resource_version:
                self._notify(Event(EventType.MODIFIED, key, known, view))

    async def _watch(self) -> bool:
        """Watch until the server ends it; False if it ended at once and told nothing."""
        started = self._clock.monotonic()
        told = 0
        events = self._source.watch(self._version, self._random.randint(*_WATCH_SECONDS))
        async with aclosing(events) as stream:  # type: ignore[type-var]  # an async generator
            async for event in stream:
                told += 1
                self._receive(event)
        return told > 0 or self._clock.monotonic() - started >= _SHORT_WATCH_SECONDS

    def _receive(self, event: WatchEvent) -> None:
        if event.type == "BOOKMARK":
            self._advance(msgspec.json.decode(event.object, type=_MetadataOnly).metadata.resource_version)
            self._seen()
            return
        view = self._decoded(event.object)
        if view is None:
            return
        self._change(event.type, view)
        self._advance(view.metadata.resource_version)
        self._seen()

    def _change(self, event_type: str, view: V) -> None:
        key = key_of(view)
        old = self.store.observed(key)
        if event_type == "DELETED":
            self.store.remove(key)
            if old is not None:
                self._notify(Event(EventType.DELETED, key, view, None))
            return
        self.store.put(view)
        if old is None:
            self._notify(Event(EventType.ADDED, key, None, view))
        elif old.metadata.uid != view.metadata.uid:
            self._notify(Event(EventType.DELETED, key, old, None))
            self._notify(Event(EventType.ADDED, key, None, view))
        else:
            self._notify(Event(EventType.MODIFIED, key, old, view))

    def _advance(self, version: str) -> None:
        if is_newer(version, self._version):
            self._version = version
            self.store.passed(version)

    def _decoded(self, data: bytes) -> V | None:
        """The view, or None for an object that makes no sense: one bad object may not stop the stream."""
        try:
            return self._decode(data)
        except (msgspec.DecodeError, ValueError) as error:
            self._metrics.skipped(self.name)
            log.warning(
                "object skipped: it cannot be decoded", informer=self.name, object=_name(data), error=str(error)
            )
            return None

    def _notify(self, event: Event[V]) -> None:
        for handler in self._handlers:
            self._tell(handler, event)

    def _tell(self, handler: Handler[V], event: Event[V]) -> None:
        try:
            handler(event)
        except Exception:  # a handler's fault must not reach the stream or the other handlers
            self._metrics.failed(self.name)
            log.exception("event handler failed", informer=self.name, object=str(event.key))

    def _seen(self) -> None:
        self._metrics.active(self.name, self._clock.now().timestamp(), len(self.store))


def _name(data: bytes) -> str:
    try:
        meta = msgspec.json.decode(data, type=_MetadataOnly).metadata
    except (msgspec.DecodeError, ValueError):
        return "unknown"
    return f"{meta.namespace}/{meta.name}"


def index_by_owner(kind: str) -> Callable[[V], Iterable[str]]:
    """An index function: the UID of the controlling owner of that kind."""

    def owner(view: V) -> Iterable[str]:
        controller = view.metadata.controller()
        return (controller.uid,) if controller is not None and controller.kind == kind else ()

    return owner
