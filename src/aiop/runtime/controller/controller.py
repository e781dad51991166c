"""A controller: changed objects become keys, workers reconcile keys, and the result says when to look again.

Promised: no two workers hold one key; an error or even a panic of one key never stops another; an exception is
retried with that key's own back-off, and no sooner than the API server asked for, a TerminalError is not; a requeue
time resets the back-off. After a success a key has the usual priority again, and nothing of it is kept. No pass begins
in a namespace of which an informer knows nothing yet.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from aiop.runtime.client.errors import ApiError, Conflict, WriteNotPermitted
from aiop.runtime.client.lane import writing_for
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.shard import Shard
from aiop.runtime.controller.errors import TerminalError
from aiop.runtime.controller.mappers import Mapper, Predicate, own_key
from aiop.runtime.informer.informer import Event, Informer
from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.deadline import DeadlineExceeded, within
from aiop.runtime.views.meta import ObjectView
from aiop.runtime.workqueue.queue import ITEM_BACKOFF, QueueMetrics, QueueShutDown, WorkQueue

log = structlog.get_logger(__name__)

# What the first list brings, and what a resync repeats, waits behind what changes now (controller-runtime's number).
INITIAL_PRIORITY = -100
# A namespace that is just being let in is known within this, if not at once: all its streams ask again meanwhile.
_UNKNOWN_SECONDS = 5.0
# Objects that are mapped between two breaths of the event loop: about ten milliseconds.
_BREATH = 1000


@dataclass(frozen=True, slots=True)
class Result:
    """What a pass wants next: to be called again after ``requeue_after`` seconds, or only on a change (None).

    No time at all, or less (a deadline that has passed, say), means soon: after the key's own back-off.
    """

    requeue_after: float | None = None


class Reconciler(Protocol):
    """Brings one object from what is to what should be."""

    async def reconcile(self, key: ObjectKey) -> Result:
        """One pass; raises to be retried, TerminalError not to be. For an object that is gone it has nothing to do."""
        ...


class ControllerMetrics(Protocol):
    """What a controller counts; the manager binds it to controller-runtime's names."""

    def started(self, controller: str, workers: int) -> None:
        """So many workers will run."""

    def busy(self, controller: str, delta: int) -> None:
        """A worker began (+1) or ended (-1) a pass."""

    def reconciled(self, controller: str, result: str, seconds: float) -> None:
        """A pass ended: success, error, terminal, timeout, panic, requeue, requeue_after."""


class _Unmeasured:
    def started(self, controller: str, workers: int) -> None: ...
    def busy(self, controller: str, delta: int) -> None: ...
    def reconciled(self, controller: str, result: str, seconds: float) -> None: ...


class Controller:
    """See the module. ``run`` it as a task, after its informers have synced; after `stop_taking`, `resume` first.

    ``timeout`` is the seconds that a pass may take (None: as long as it likes); then it is cancelled and retried.
    """

    def __init__(
        self,
        name: str,
        reconciler: Reconciler,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        workers: int = 4,
        timeout: float | None = None,
        metrics: ControllerMetrics | None = None,
        queue_metrics: QueueMetrics | None = None,
        shard: Shard | None = None,
    ) -> None:
        self.name = name
        self.informers: list[Informer[Any]] = []
        self._mappers: list[Mapper] = []
        self._primary: Informer[Any] | None = None
        self._reconciler = reconciler
        self._clock = clock
        self._new_id = new_id
        self._workers = workers
        self._timeout = timeout
        self._metrics = metrics or _Unmeasured()
        self._queue_metrics = queue_metrics
        self._shard = shard or Shard()
        self._queue = self._new_queue()
        self._metrics.started(name, workers)

    def watches(
        self,
        informer: Informer[Any],
        mapper: Mapper,
        *,
        predicate: Predicate | None = None,
        resync_seconds: float | None = None,
    ) -> None:
        """Enqueue what ``mapper`` makes of each change, of its old state and of its new one.

        With ``resync_seconds`` also of every object that often, from the cache alone. The informer that is mapped by
        ``own_key`` holds the objects themselves: log lines take generations from it.
        """
        if mapper is own_key:
            self._primary = informer
        self.informers.append(informer)
        self._mappers.append(mapper)

        def handle(event: Event[Any]) -> None:
            if predicate is not None and not predicate(event):
                return
            self._wake(mapper, event, INITIAL_PRIORITY if _can_wait(event) else 0)

        informer.add_handler(handle, resync_seconds=resync_seconds)

    def enqueue(self, key: ObjectKey, priority: int = 0) -> None:
        """``key`` needs a pass; one of another shard is another controller's."""
        if self._shard.holds(key):
            self._queue.add(key, priority)

    def _wake(self, mapper: Mapper, event: Event[Any], priority: int) -> None:
        """Raises what the mapper raised, for the informer to count, but not before the other state was looked at."""
        failed: Exception | None = None
        for view in (event.old, event.new):
            try:
                for key in mapper(view) if view is not None else ():
                    self.enqueue(key, priority)
            except Exception as error:  # noqa: BLE001 - a mapper reads what tenants wrote
                failed = error
        if failed is not None:
            raise failed

    async def run(self) -> None:
        """Work until cancelled; returns once every worker has ended."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._workers):
                group.create_task(self._work(), name=f"{self.name} worker {number}")

    def stop_taking(self) -> None:
        """Let running passes end and begin no more."""
        self._queue.shut_down()

    async def drained(self) -> None:
        """Return once no pass runs."""
        await self._queue.drained()

    async def resume(self) -> None:
        """Forget what waits and begin anew: everything that is known needs a look.

        Objects that went while nothing was taken get no pass; what has to be done at an end needs a finalizer.
        """
        self._queue.shut_down()
        self._queue = self._new_queue()
        for informer, mapper in zip(self.informers, self._mappers, strict=True):
            for number, view in enumerate(informer.store.values(), start=1):
                for key in _mapped(mapper, view):
                    self.enqueue(key, INITIAL_PRIORITY)
                if number % _BREATH == 0:
                    await asyncio.sleep(0)

    def seconds_in_work(self) -> list[float]:
        """For how long each running pass has run."""
        return self._queue.seconds_in_work()

    def _new_queue(self) -> WorkQueue[ObjectKey]:
        return WorkQueue(self._clock, name=self.name, metrics=self._queue_metrics)

    async def _work(self) -> None:
        queue = self._queue
        while True:
            try:
                key = await queue.get()
            except QueueShutDown:
                return
            try:
                await self._pass(key, queue)
            finally:
                queue.done(key)
            # Passes that wait for nothing would hold the event loop until the queue is empty, heartbeat and all.
            await asyncio.sleep(0)

    async def _pass(self, key: ObjectKey, queue: WorkQueue[ObjectKey]) -> None:
        context = {"controller": self.name, "object": str(key), "trace": self._new_id(), **self._generation(key)}
        with structlog.contextvars.bound_contextvars(**context), writing_for(str(key)):
            started = self._clock.monotonic()
            self._metrics.busy(self.name, 1)
            try:
                outcome = await self._attempt(key, queue)
            finally:
                self._metrics.busy(self.name, -1)
            self._metrics.reconciled(self.name, outcome, self._clock.monotonic() - started)

    def _generation(self, key: ObjectKey) -> dict[str, int]:
        """Which state of its spec the pass is about; nothing for an object that is gone or is not ours to know."""
        view = self._primary.store.get(key) if self._primary is not None else None
        return {} if view is None else {"generation": view.metadata.generation}

    async def _attempt(self, key: ObjectKey, queue: WorkQueue[ObjectKey]) -> str:
        try:
            result = await self._reconcile(key)
            wait = result.requeue_after
        except TerminalError as error:
            log.error("pass failed for good", error=str(error))  # noqa: TRY400 - a verdict, not a crash
            queue.forget(key)
            return "terminal"
        except WriteNotPermitted as error:  # the lease is lost, and so is this worker; or a write was only too late
            log.info("pass ended: a write was not permitted", error=str(error))
            queue.add_rate_limited(key)
            return "error"
        except BaseException as error:  # whatever a reconciler raises, it may not take the worker along
            if _ends_the_worker(error):
                raise
            queue.add_rate_limited(key, at_least=_asked_for(error))
            return self._failed(error)
        if wait is not None and not wait > 0:  # nor NaN: "now" again and again would be a hot loop
            queue.add_rate_limited(key)
            return "requeue"
        queue.forget(key)
        if wait is None:
            return "success"
        queue.add_after(key, wait)
        return "requeue_after"

    async def _reconcile(self, key: ObjectKey) -> Result:
        unknown = [informer.name for informer in self.informers if not informer.knows(key.namespace)]
        if unknown:  # what is there would look as if it did not exist
            log.info("pass put off: not all is known of the namespace", waiting_for=unknown)
            return Result(_UNKNOWN_SECONDS)
        work = self._reconciler.reconcile(key)
        if self._timeout is None:
            return await work
        return await within(self._clock, self._timeout, work)

    @staticmethod
    def _failed(error: BaseException) -> str:
        if isinstance(error, DeadlineExceeded):
            log.warning("pass timed out", error=str(error))
            return "timeout"
        if isinstance(error, Conflict):  # two writers met, which is how they are kept apart: no fault of anybody's
            log.info("pass met a newer state and is repeated", error=str(error))
            return "error"
        if isinstance(error, Exception):
            log.warning("pass failed", error=str(error), error_type=type(error).__name__, exc_info=error)
            return "error"
        log.error("pass panicked", error=repr(error))
        return "panic"


def _mapped(mapper: Mapper, view: ObjectView) -> tuple[ObjectKey, ...]:
    """The keys; none for an object that the mapper chokes on, since the others wait behind it."""
    try:
        return tuple(mapper(view))
    except Exception:  # a mapper reads what tenants wrote
        log.exception("mapper failed", object=f"{view.metadata.namespace}/{view.metadata.name}")
        return ()


def _can_wait(event: Event[Any]) -> bool:
    """True for what tells of no change: the first list, and a resync, which repeats a state."""
    return event.initial or event.old == event.new


def _asked_for(error: BaseException) -> float:
    """For how many seconds the API server wants to be left alone; more than the longest back-off is not believed."""
    asked = error.retry_after if isinstance(error, ApiError) else None
    return min(asked or 0.0, ITEM_BACKOFF.maximum)


def _ends_the_worker(error: BaseException) -> bool:
    """True for the end of the process, and for our own cancellation; not for one that leaked out of a pass."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or task.cancelling() > 0
    return isinstance(error, (KeyboardInterrupt, SystemExit))
