"""One kind's cache, kept by a list and an endless watch.

Promised: per object, handlers see its states in order, some perhaps skipped; the store and its indexes are updated
before a handler runs; a handler that raises hurts nobody else; what a gap hid is found by the diff of a relist.
Not promised: any order between objects, or an ADDED before every DELETED: an own write that showed in the store and
was undone by others before the watch told of it ends with a DELETED too.
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
from aiop.runtime.client.errors import ClientError
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.reflector import Reflector
from aiop.runtime.informer.source import ListWatch
from aiop.runtime.informer.store import IndexFunction, Store, V, key_of
from aiop.runtime.informer.versions import is_newer
from aiop.runtime.kit.clock import Clock

log = structlog.get_logger(__name__)

# A watch asks for a random time between these, so that a thousand watches do not end at once.
_WATCH_SECONDS = (300, 600)


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


class _Identity(msgspec.Struct, rename="camel"):
    """What can be read of objects that are otherwise nonsense, and of bookmarks with their null creationTimestamp."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""


class _Identified(msgspec.Struct):
    metadata: _Identity


_identify = msgspec.json.Decoder(_Identified).decode


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
        self._reflector = Reflector(self._random.random)

    def __repr__(self) -> str:
        state = "synced" if self._synced.is_set() else "not synced"
        return f"<Informer {self.name}: {state}, {len(self.store)} objects, version {self.store.version or 'none'}>"

    def add_handler(self, handler: Handler[V]) -> None:
        """Tell ``handler`` of every change from now on, and first of each object that is there already, once."""
        self._handlers.append(handler)
        for key, view in self.store.all_observed().items():
            self._tell(handler, Event(EventType.ADDED, key, None, view, initial=True))

    def has_synced(self) -> bool:
        """True once the first list is in the store and every handler has seen it."""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Return once ``has_synced``."""
        await self._synced.wait()

    def written(self, data: bytes) -> V:
        """The response to an own write: visible in the store at once, until the watch has caught up.

        A response that is no object (a Status, say) changes nothing. Raises msgspec.DecodeError for nonsense.
        """
        view = self._decode(data)
        self.store.written(view)
        return view

    def deleted(self, key: ObjectKey, uid: str) -> None:
        """An own delete was accepted: the object shows as terminating until the watch says that it is gone."""
        self.store.deleted(key, uid)

    async def run(self) -> None:
        """List, then watch for ever; ends only by cancellation."""
        while True:
            try:
                if self._reflector.list_due:
                    await self._list()
                await self._watch()
                delay = self._reflector.ended(self._clock.monotonic())
            except ClientError as error:
                delay = self._reflector.failed(error, self._clock.monotonic())
                self._metrics.failed(self.name)
                log.warning(
                    "list or watch failed", informer=self.name, error=str(error), retry_in_seconds=round(delay, 1)
                )
            await self._clock.sleep(delay)

    async def _list(self) -> None:
        views: list[V] = []
        version = ""
        mark = self.store.begin_list()
        async with aclosing(self._source.list_pages()) as pages:  # type: ignore[type-var]  # an async generator
            async for page in pages:
                views.extend(view for item in page.items if (view := self._listed(item)) is not None)
                version = page.resource_version
        self._replace(views, version, mark)
        self._reflector.listed()
        self._metrics.relisted(self.name)
        self._seen()
        self._synced.set()

    def _listed(self, item: bytes) -> V | None:
        """The view; of an object that has become nonsense, what was last known, since it is not gone."""
        view = self._decoded(item)
        if view is not None:
            return view
        told = _identity(item)
        known = self.store.observed(ObjectKey(told.namespace, told.name))
        return known if known is not None and known.metadata.uid == told.uid else None

    def _replace(self, views: list[V], version: str, mark: int) -> None:
        before = self.store.all_observed()
        fallen = self.store.replace(views, version, mark)
        after = self.store.all_observed()
        changes = _difference(before, after, initial=not self._synced.is_set())
        told = {event.key for event in changes}
        self._notify(*changes, *self._undone({key: view for key, view in fallen.items() if key not in told}))

    async def _watch(self) -> None:
        self._reflector.watching(self._clock.monotonic())
        events = self._source.watch(self.store.version, self._random.randint(*_WATCH_SECONDS))
        async with aclosing(events) as stream:  # type: ignore[type-var]  # an async generator
            async for event in stream:
                self._receive(event)
                self._seen()

    def _receive(self, event: WatchEvent) -> None:
        if event.type == "BOOKMARK":
            self._advance(_identity(event.object).resource_version)
            return
        if event.type not in EventType.__members__:
            log.warning("event skipped: its type is unknown", informer=self.name, type=event.type)
            return
        view = self._decoded(event.object)
        if view is None:
            self._lost_sight(event)
            return
        self._change(EventType(event.type), view)
        self._advance(view.metadata.resource_version)

    def _change(self, event_type: EventType, view: V) -> None:
        key = key_of(view)
        if event_type is EventType.DELETED:
            if self.store.remove(key, view.metadata.uid, view.metadata.resource_version) is not None:
                self._notify(Event(EventType.DELETED, key, view, None))
            return
        old = self.store.observed(key)
        if self.store.put(view):
            self._notify(*_steps(key, old, view))

    def _lost_sight(self, event: WatchEvent) -> None:
        """An object that makes no sense: its last good state stays, unless that very object is gone."""
        told = _identity(event.object)
        key = ObjectKey(told.namespace, told.name)
        known = self.store.observed(key)
        if known is not None and (event.type == EventType.DELETED or known.metadata.uid != told.uid):
            gone = self.store.remove(key, known.metadata.uid, told.resource_version)
            if gone is not None:
                self._notify(Event(EventType.DELETED, key, gone, None))
        self._advance(told.resource_version)

    def _advance(self, version: str) -> None:
        if is_newer(version, self.store.version):
            self._reflector.progressed()
            self._notify(*self._undone(self.store.passed(version)))

    def _undone(self, fallen: dict[ObjectKey, V]) -> list[Event[V]]:
        """Own writes that showed in the store and are not what became of the object: somebody may have relied on it."""
        events = []
        for key, shown in fallen.items():
            now = self.store.observed(key)
            if now is None:
                events.append(Event(EventType.DELETED, key, shown, None))
            elif now != shown:
                events.append(Event(EventType.MODIFIED, key, shown, now))
        return events

    def _decoded(self, data: bytes) -> V | None:
        """The view, or None for an object that makes no sense: one bad object may not stop the stream."""
        try:
            view = self._decode(data)
            if view.metadata.name:
                return view
            reason = "it has no name"
        except Exception as error:  # noqa: BLE001 - what a hostile object makes a decoder raise is not foreseeable
            reason = str(error)
        self._metrics.skipped(self.name)
        told = _identity(data)
        log.warning(
            "object skipped: it cannot be decoded",
            informer=self.name,
            object=str(ObjectKey(told.namespace, told.name)) if told.name else "unknown",
            error=reason,
        )
        return None

    def _notify(self, *events: Event[V]) -> None:
        # A handler that joins meanwhile has seen the store as it is now.
        for handler in tuple(self._handlers):
            for event in events:
                self._tell(handler, event)

    def _tell(self, handler: Handler[V], event: Event[V]) -> None:
        try:
            handler(event)
        except Exception:  # a handler's fault must not reach the stream or the other handlers
            self._metrics.failed(self.name)
            log.exception("event handler failed", informer=self.name, object=str(event.key))

    def _seen(self) -> None:
        self._metrics.active(self.name, self._clock.now().timestamp(), len(self.store))


def _steps(key: ObjectKey, old: V | None, new: V, *, initial: bool = False) -> list[Event[V]]:
    """What happened between two states; another UID is another object."""
    if old is None:
        return [Event(EventType.ADDED, key, None, new, initial=initial)]
    if old.metadata.uid != new.metadata.uid:
        return [Event(EventType.DELETED, key, old, None), Event(EventType.ADDED, key, None, new)]
    return [Event(EventType.MODIFIED, key, old, new)]


def _difference(before: dict[ObjectKey, V], after: dict[ObjectKey, V], *, initial: bool) -> list[Event[V]]:
    """What a list shows to have happened, deletions first."""
    events = [Event(EventType.DELETED, key, old, None) for key, old in before.items() if key not in after]
    for key, new in after.items():
        old = before.get(key)
        if old is None or _identity_of(old) != _identity_of(new):
            events += _steps(key, old, new, initial=initial)
    return events


def _identity_of(view: V) -> tuple[str, str]:
    return view.metadata.uid, view.metadata.resource_version


def _identity(data: bytes) -> _Identity:
    """Whose JSON it is, as far as that can be read."""
    try:
        return _identify(data).metadata
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _Identity()


def index_by_owner(kind: str) -> Callable[[V], Iterable[str]]:
    """An index function: the UID of the controlling owner of that kind."""

    def owner(view: V) -> Iterable[str]:
        controller = view.metadata.controller()
        return (controller.uid,) if controller is not None and controller.kind == kind else ()

    return owner
