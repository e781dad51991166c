"""Who is told of changes, one after the other, and who wants to hear of everything again from time to time."""

import asyncio
import random as random_module
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic

import structlog

from aiop.runtime.informer.events import Event, EventType, Handler
from aiop.runtime.informer.metrics import InformerMetrics
from aiop.runtime.informer.store import Store, V
from aiop.runtime.kit.clock import Clock

log = structlog.get_logger(__name__)

# Resyncs that began together drift apart by so much of their period.
_RESYNC_JITTER = 0.1
# A resync lets others run after so many objects; a handler takes some microseconds for one.
_RESYNC_BATCH = 100
# Below this a resync would be a loop.
_SHORTEST_RESYNC_SECONDS = 1.0


@dataclass(eq=False, slots=True)
class _Registration(Generic[V]):
    """A handler that was added; ``active`` until it is removed."""

    handler: Handler[V]
    resync_seconds: float | None
    active: bool = True


class Handlers(Generic[V]):
    """The handlers of one informer.

    Promised: one that raises hurts nobody else; one that is removed hears nothing more, not even the rest of what is
    being told; one that joins meanwhile has seen the store as it is then.
    """

    def __init__(
        self, informer: str, store: Store[V], clock: Clock, random: random_module.Random, metrics: InformerMetrics
    ) -> None:
        self._informer = informer
        self._store = store
        self._clock = clock
        self._random = random
        self._metrics = metrics
        self._registered: list[_Registration[V]] = []
        self._resyncs: dict[_Registration[V], asyncio.Task[None]] = {}
        self._running = False

    def add(self, handler: Handler[V], resync_seconds: float | None) -> None:
        """Tell it of each object that is there, and from now on of every change. Raises ValueError below 1 s."""
        if resync_seconds is not None and resync_seconds < _SHORTEST_RESYNC_SECONDS:
            message = f"a resync takes at least {_SHORTEST_RESYNC_SECONDS:g} s, not {resync_seconds:g}"
            raise ValueError(message)
        registration = _Registration(handler, resync_seconds)
        self._registered.append(registration)
        for key, view in self._store.all_observed().items():
            self._tell(registration, Event(EventType.ADDED, key, None, view, initial=True))
        if self._running:
            self._begin_resync(registration)

    def remove(self, handler: Handler[V]) -> None:
        """Tell it nothing more; nothing to do if it is not there. One that was added twice is still told once."""
        for registration in self._registered:
            if registration.handler == handler:
                registration.active = False
                self._registered.remove(registration)
                self._end_resync(registration)
                return

    @property
    def listening(self) -> bool:
        """False while there is nobody to be told."""
        return bool(self._registered)

    def notify(self, *events: Event[V]) -> None:
        """Tell everybody, one handler after the other, each in order."""
        for registration in tuple(self._registered):
            for event in events:
                self._tell(registration, event)

    @asynccontextmanager
    async def resyncing(self) -> AsyncIterator[None]:
        """Resyncs happen while this context lasts."""
        self._running = True
        for registration in self._registered:
            self._begin_resync(registration)
        try:
            yield
        finally:
            self._running = False
            tasks = tuple(self._resyncs.values())
            for registration in tuple(self._resyncs):
                self._end_resync(registration)
            await asyncio.gather(*tasks, return_exceptions=True)

    def _tell(self, registration: _Registration[V], event: Event[V]) -> None:
        if not registration.active:
            return
        try:
            registration.handler(event)
        except Exception:  # a handler's fault must not reach the stream or the other handlers
            self._metrics.failed(self._informer)
            log.exception("event handler failed", informer=self._informer, object=str(event.key))

    def _begin_resync(self, registration: _Registration[V]) -> None:
        if registration.active and registration.resync_seconds is not None:
            work = self._resync(registration, registration.resync_seconds)
            self._resyncs[registration] = asyncio.get_running_loop().create_task(work, name=f"{self._informer} resync")

    def _end_resync(self, registration: _Registration[V]) -> None:
        task = self._resyncs.pop(registration, None)
        if task is not None:
            task.cancel()

    async def _resync(self, registration: _Registration[V], seconds: float) -> None:
        """From the store alone: the API server hears nothing of it."""
        while True:
            await self._clock.sleep(seconds * self._random.uniform(1 - _RESYNC_JITTER, 1 + _RESYNC_JITTER))
            for number, key in enumerate(self._store.all_observed(), start=1):
                view = self._store.observed(key)
                if view is not None:
                    self._tell(registration, Event(EventType.MODIFIED, key, view, view))
                if number % _RESYNC_BATCH == 0:
                    await self._clock.sleep(0)
