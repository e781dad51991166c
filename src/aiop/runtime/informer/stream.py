"""One kind's cache, kept by a list and an endless watch: the informer of all namespaces, or of one."""

import asyncio
import random as random_module
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing

import structlog

from aiop.runtime.client.codec import WatchEvent
from aiop.runtime.client.errors import (
    ClientError,
    ConnectionFailed,
    Forbidden,
    NotFound,
    RequestTimedOut,
    StreamStalled,
)
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.availability import Availability
from aiop.runtime.informer.cache import Cache
from aiop.runtime.informer.decoding import Decoding
from aiop.runtime.informer.events import Handler
from aiop.runtime.informer.handlers import Handlers
from aiop.runtime.informer.informer import Informer
from aiop.runtime.informer.metrics import InformerMetrics, Unmeasured
from aiop.runtime.informer.patience import warnings_meanwhile
from aiop.runtime.informer.recovery import Recovery
from aiop.runtime.informer.reflector import Reflector
from aiop.runtime.informer.responses import object_in
from aiop.runtime.informer.snapshot import Snapshot
from aiop.runtime.informer.source import ListWatch
from aiop.runtime.informer.store import IndexFunction, Store, V
from aiop.runtime.informer.trouble import FIRST_LIST, in_words, not_served
from aiop.runtime.kit.clock import Clock

log = structlog.get_logger(__name__)

# A watch asks for a random time between these, so that a thousand watches do not end at once.
_WATCH_SECONDS = (300, 600)


class StreamInformer(Informer[V]):
    """Follows one ``source``: all objects of a kind, or those of one namespace.

    An ``optional`` one takes a kind that the server does not serve for one without objects, until it is served.
    Informers that share a ``recovery`` come back together after an outage.
    """

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
        optional: bool = False,
        recovery: Recovery | None = None,
    ) -> None:
        self.name = name
        self.store: Store[V] = Store(indexes)
        self._source = source
        self._decode = decode
        self._clock = clock
        self._random = random or random_module.Random()  # noqa: S311 - jitter, no secret
        self._metrics = metrics or Unmeasured()
        self._optional = optional
        self._recovery = recovery or Recovery()
        self._trouble = FIRST_LIST
        self._synced = asyncio.Event()
        self._answered = asyncio.Event()
        self._availability = Availability(name)
        self._reflector = Reflector(self._random.random)
        self._decoding = Decoding(name, decode, source.expected, self._metrics)
        self._handlers = Handlers(name, self.store, clock, self._random, self._metrics)
        self._cache = Cache(name, self.store, self._decoding, self._handlers)
        self._metrics.started(name)

    def __repr__(self) -> str:
        state = "synced" if self._synced.is_set() else "not synced"
        return f"<Informer {self.name}: {state}, {len(self.store)} objects, version {self.store.version or 'none'}>"

    def add_handler(self, handler: Handler[V], *, resync_seconds: float | None = None) -> None:
        """Told of what this stream tells, one handler after the other."""
        self._handlers.add(handler, resync_seconds)

    def remove_handler(self, handler: Handler[V]) -> None:
        """Not told from here on."""
        self._handlers.remove(handler)

    def has_synced(self) -> bool:
        """The first list is in the store."""
        return self._synced.is_set()

    def knows(self, namespace: str) -> bool:  # noqa: ARG002 - it follows from the source
        """Whichever it is: one stream has everything or nothing."""
        return self._synced.is_set()

    @property
    def answered(self) -> bool:
        """True once the first list is in the store, or once the server has said that it is not for us."""
        return self._answered.is_set()

    async def wait_answered(self) -> None:
        """Return once ``answered``."""
        await self._answered.wait()

    async def wait_synced(self) -> None:
        """Until the first list is in the store."""
        await self._synced.wait()

    @property
    def available(self) -> bool:
        """What the last answers said; a 404 is believed after a while."""
        return self._availability.available

    def on_availability(self, callback: Callable[[bool], None]) -> None:
        """Called by the stream, in the event loop."""
        self._availability.on_change(callback)

    @property
    def trouble(self) -> str:
        """The last failure, or the list that is awaited."""
        return self._trouble

    def written(self, data: bytes) -> V:
        """Laid over what the stream tells."""
        view = self._decode(object_in(data))
        self.store.written(view)
        return view

    def deleted(self, key: ObjectKey, uid: str) -> None:
        """Laid over what the stream tells."""
        self.store.deleted(key, uid)

    async def run(self) -> None:
        """The list and the watch, again and again."""
        self._seen()
        async with self._handlers.resyncing():
            while True:
                try:
                    await self._attempt()
                    await self._clock.sleep(self._reflector.ended(self._clock.monotonic()))
                except ClientError as error:
                    await self._wait(self._failed(error), error)

    async def _attempt(self) -> None:
        if not self.store.version:
            self._reflector.list_due = True
        if not self._reflector.list_due:
            if self._reflector.confirm_due:
                await self._source.confirm(self.store.version)
                self._reflector.confirmed()
            await self._watch()
        elif self._reflector.by_watch:
            await self._list_by_watch()
        else:
            await self._list_by_page()
            await self._watch()

    async def _list_by_watch(self) -> None:
        mark = self.store.begin_list()
        self._reflector.watching(self._clock.monotonic())
        events = self._source.watch_list(self._random.randint(*_WATCH_SECONDS), self._reached)
        async with aclosing(events) as stream:  # type: ignore[type-var]  # an async generator
            if await self._gather(stream, mark):
                await self._follow(stream)

    async def _gather(self, stream: AsyncIterator[WatchEvent], mark: int) -> bool:
        """True once the initial events are in the store; False if the stream ended before."""
        snapshot = Snapshot(self.name, self._decoding, self.store)
        async with warnings_meanwhile(self.name, snapshot, self._clock):
            async for event in stream:
                self._seen()
                if snapshot.take(event):
                    self._replace(snapshot, mark)
                    return True
        return False

    async def _list_by_page(self) -> None:
        snapshot, mark = Snapshot(self.name, self._decoding, self.store), self.store.begin_list()
        async with aclosing(self._source.list_pages()) as pages:  # type: ignore[type-var]  # an async generator
            async for page in pages:
                self._reached()
                for item in page.items:
                    snapshot.add(item)
                snapshot.version = page.resource_version
                del page  # the next one comes in its place, not beside it
        self._replace(snapshot, mark)

    async def _watch(self) -> None:
        self._reflector.watching(self._clock.monotonic())
        self._cache.watching()
        events = self._source.watch(self.store.version, self._random.randint(*_WATCH_SECONDS), self._reached)
        async with aclosing(events) as stream:  # type: ignore[type-var]  # an async generator
            await self._follow(stream)

    async def _follow(self, stream: AsyncIterator[WatchEvent]) -> None:
        async for event in stream:
            if self._cache.receive(event):
                self._reflector.progressed()
            self._seen()

    def _replace(self, snapshot: Snapshot[V], mark: int) -> None:
        news = self._availability.set(available=True)
        self._cache.replace(snapshot.views, snapshot.version, mark, initial=not self._synced.is_set())
        self._reflector.listed()
        self._metrics.relisted(self.name)
        self._in_step()
        if news:
            log.info("the API is served now", informer=self.name)
            self._availability.tell()

    def _in_step(self) -> None:
        """The store is what the server says."""
        self._trouble = ""
        self._seen()
        if not self._synced.is_set():
            self._synced.set()
            self._answered.set()
            self._metrics.synced(self.name, synced=True)

    def _reached(self) -> None:
        """The server took a request of ours."""
        self._seen()
        self._availability.reached()
        self._recovery.succeeded(self._clock.monotonic())
        if self._reflector.list_due:
            self._trouble = "waiting for a list" if self._synced.is_set() else FIRST_LIST
        else:
            self._trouble = ""

    def _failed(self, error: ClientError) -> float:
        """The delay before the next try."""
        if self._reflector.refuses_lists_by_watch(error):
            log.info("lists by watch are refused; listing page by page", informer=self.name, error=str(error))
            return 0.0
        delay = self._reflector.failed(error, self._clock.monotonic())
        if isinstance(error, StreamStalled):
            log.info("the watch fell silent and is resumed", informer=self.name, error=str(error))
        elif isinstance(error, NotFound):
            self._absent(error)
        else:
            self._trouble = in_words(error, self._source.resource)
            if isinstance(error, Forbidden):
                self._answered.set()
            self._metrics.failed(self.name)
            retry = round(delay, 1)
            log.warning("list or watch failed", informer=self.name, error=str(error), retry_in_seconds=retry)
        return delay

    def _absent(self, error: NotFound) -> None:
        self._trouble = not_served(self._source.resource)
        now = self._clock.monotonic()
        if self._availability.absent(now):
            level = log.info if self._optional else log.warning
            level(self._trouble, informer=self.name, error=str(error))
        news = self._availability.gone_for(len(self.store), now) and self._availability.set(available=False)
        if news:
            self._cache.replace({}, "", self.store.begin_list(), initial=False)
        if not self._optional:
            self._metrics.failed(self.name)
        elif not self.available:
            self._in_step()
        if news:
            self._availability.tell()

    async def _wait(self, delay: float, error: ClientError) -> None:
        if isinstance(error, (ConnectionFailed, RequestTimedOut)):
            await self._recovery.wait(delay, self._clock, self._random.random)
        else:
            await self._clock.sleep(delay)

    def _seen(self) -> None:
        self._metrics.active(self.name, self._clock.now().timestamp(), len(self.store))
