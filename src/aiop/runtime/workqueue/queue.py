"""The queue of keys that need work. No I/O, and no time but the clock's.

Promised: a key waits at most once and is worked on by at most one worker; added while worked on, it runs once more
afterwards; of two priorities the higher wins, of two times the earlier; inside a priority, first ready, first served.
Not promised: that what waits at a shutdown is still done (whoever begins anew looks at everything anyway).
"""

import asyncio
import heapq
import itertools
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from aiop.runtime.kit.backoff import Backoff
from aiop.runtime.kit.clock import Clock

K = TypeVar("K", bound=Hashable)

# client-go's per-item limiter: 5 ms, doubled, up to 1000 s.
ITEM_BACKOFF = Backoff(initial=0.005, factor=2.0, maximum=1000.0)
# One pop in this many comes from the lowest priority that waits, so that none starves.
_FAIR_EVERY = 8
# Overtaken entries stay in the heap of delays until their time comes; beyond this many, and once they outnumber the
# living, the heap is built anew, so that a key with a resync of hours leaves no trail behind.
_GHOSTS_TOLERATED = 64


class QueueShutDown(Exception):
    """Raised when a worker asks a queue for work that has been shut down."""


class QueueMetrics(Protocol):
    """What a queue counts; the manager binds it to Prometheus under controller-runtime's names."""

    def added(self, queue: str) -> None:
        """A key became due that was not: added at once, or when its delay ended. Adds that it absorbs do not count."""

    def retried(self, queue: str) -> None:
        """A key was added by its back-off."""

    def depth(self, queue: str, priority: int, depth: int) -> None:
        """So many keys of that priority are due, those included whose last pass is not over yet."""

    def waited(self, queue: str, seconds: float) -> None:
        """A key waited so long."""

    def worked(self, queue: str, seconds: float) -> None:
        """A key was worked on so long."""


class _Unmeasured:
    def added(self, queue: str) -> None: ...
    def retried(self, queue: str) -> None: ...
    def depth(self, queue: str, priority: int, depth: int) -> None: ...
    def waited(self, queue: str, seconds: float) -> None: ...
    def worked(self, queue: str, seconds: float) -> None: ...


@dataclass(slots=True)
class _Waiting:
    priority: int
    ready_at: float
    order: int  # of becoming due; of being added, while it is delayed
    due: bool = False
    ready: bool = False  # due, and nobody works on the key


@dataclass(frozen=True, slots=True)
class _InWork:
    priority: int
    since: float


class WorkQueue(Generic[K]):
    """See the module. One event loop only."""

    def __init__(self, clock: Clock, *, name: str = "", metrics: QueueMetrics | None = None) -> None:
        self._clock = clock
        self._name = name
        self._metrics = metrics or _Unmeasured()
        self._order = itertools.count()
        self._ready: dict[int, list[tuple[int, K]]] = {}  # by priority, heaps of (order, key)
        self._waiting: dict[K, _Waiting] = {}  # every key that is to run: ready or delayed
        self._delayed: list[tuple[float, int, K]] = []
        self._processing: dict[K, _InWork] = {}
        self._ready_count = 0
        self._depths: Counter[int] = Counter()  # of what is due, by priority
        self._failures: dict[K, int] = {}
        self._getters: list[asyncio.Future[None]] = []
        self._timer: asyncio.Task[None] | None = None
        self._timer_at = 0.0
        self._pops = 0
        self._shut_down = False
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        """How many keys are ready now and not being worked on."""
        self._promote()
        return self._ready_count

    def __repr__(self) -> str:
        return f"<WorkQueue {self._name}: {len(self._waiting)} waiting, {len(self._processing)} in work>"

    def add(self, key: K, priority: int = 0) -> None:
        """``key`` needs work now; a pending delay is absorbed."""
        self.add_after(key, 0.0, priority)

    def add_after(self, key: K, seconds: float, priority: int = 0) -> None:
        """``key`` needs work in ``seconds``; the earlier of two times and the higher of two priorities count."""
        if self._shut_down:
            return
        self._promote()  # what became ready before now stands before it
        moment = self._clock.monotonic() + max(0.0, seconds)
        known = self._waiting.get(key)
        if known is None:
            item = _Waiting(priority, moment, next(self._order))
        elif known.ready_at <= moment and known.priority >= priority:
            return
        else:
            self._unplace(known)
            moment, priority = min(moment, known.ready_at), max(priority, known.priority)
            item = _Waiting(priority, moment, next(self._order), due=known.due)
        self._waiting[key] = item
        self._place(key, item)

    def add_rate_limited(self, key: K, priority: int | None = None, *, at_least: float = 0.0) -> None:
        """``key`` failed: it comes again after its own back-off, with the priority that it was taken with.

        ``priority`` says otherwise; a key that is not in work has 0. ``at_least`` seconds pass in any case, unless it
        is added meanwhile.
        """
        if priority is None:
            in_work = self._processing.get(key)
            priority = in_work.priority if in_work else 0
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self._metrics.retried(self._name)
        self.add_after(key, max(at_least, ITEM_BACKOFF.delay(failures)), priority)

    def forget(self, key: K) -> None:
        """``key`` succeeded or is gone: its back-off begins anew, and nothing of it is kept."""
        self._failures.pop(key, None)

    def num_requeues(self, key: K) -> int:
        """How often ``key`` failed since it was last forgotten."""
        return self._failures.get(key, 0)

    async def get(self) -> K:
        """The next key; call ``done`` for it. Raises QueueShutDown. A cancelled getter takes nothing along."""
        while True:
            if self._shut_down:
                raise QueueShutDown
            key = self._pop()
            if key is not None:
                return key
            getter = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            self._set_timer()
            try:
                await getter
            except asyncio.CancelledError:
                if getter.done() and not getter.cancelled():
                    self._wake()  # it was woken for work that it will not do
                raise
            finally:
                if getter in self._getters:
                    self._getters.remove(getter)

    def done(self, key: K) -> None:
        """The worker is through with ``key``; what was added meanwhile is ready now."""
        in_work = self._processing.pop(key)
        self._metrics.worked(self._name, self._clock.monotonic() - in_work.since)
        if not self._processing:
            self._idle.set()
        item = self._waiting.get(key)
        if item is not None and item.due:
            self._make_ready(key, item)

    def shut_down(self) -> None:
        """Drop what waits and send every waiting worker home; work in progress goes on."""
        self._shut_down = True
        self._waiting.clear()
        self._ready.clear()
        self._delayed.clear()
        self._ready_count = 0
        for priority in self._depths:
            self._metrics.depth(self._name, priority, 0)
        self._depths.clear()
        if self._timer is not None:
            self._timer.cancel()
        for getter in self._getters:
            if not getter.done():
                getter.set_result(None)

    def seconds_in_work(self) -> list[float]:
        """For how long each key in work has been so: their sum and their maximum are metrics of controller-runtime."""
        now = self._clock.monotonic()
        return [now - in_work.since for in_work in self._processing.values()]

    async def drained(self) -> None:
        """Return once nobody works on anything."""
        await self._idle.wait()

    def _place(self, key: K, item: _Waiting) -> None:
        if item.ready_at <= self._clock.monotonic():
            self._make_due(key, item)
            return
        heapq.heappush(self._delayed, (item.ready_at, item.order, key))
        self._bury_ghosts()
        self._set_timer()

    def _make_due(self, key: K, item: _Waiting) -> None:
        if not item.due:
            item.due = True
            self._metrics.added(self._name)
        self._count_due(item.priority, 1)
        if key not in self._processing:
            self._make_ready(key, item)

    def _make_ready(self, key: K, item: _Waiting) -> None:
        item.ready = True
        self._ready_count += 1
        heapq.heappush(self._ready.setdefault(item.priority, []), (item.order, key))
        self._wake()

    def _unplace(self, item: _Waiting) -> None:
        """Its entry in a heap stays behind as a ghost, known by its order."""
        if item.due:
            self._count_due(item.priority, -1)
        if item.ready:
            self._ready_count -= 1

    def _count_due(self, priority: int, change: int) -> None:
        self._depths[priority] += change
        self._metrics.depth(self._name, priority, self._depths[priority])

    def _bury_ghosts(self) -> None:
        if len(self._delayed) < _GHOSTS_TOLERATED + 2 * len(self._waiting):
            return
        self._delayed = [entry for entry in self._delayed if self._lives(entry[2], entry[1])]
        heapq.heapify(self._delayed)

    def _lives(self, key: K, order: int) -> bool:
        item = self._waiting.get(key)
        return item is not None and item.order == order

    def _pop(self) -> K | None:
        self._promote()
        self._pops += 1
        fair = self._pops % _FAIR_EVERY == 0
        for priority in sorted(self._ready, reverse=not fair):
            heap = self._ready[priority]
            while heap:
                order, key = heapq.heappop(heap)
                item = self._waiting.get(key)
                # An entry that was overtaken by a later add is a ghost; the later one has its own place.
                if item and item.ready and item.order == order:
                    return self._take(key, item)
            del self._ready[priority]
        self._pops -= 1
        return None

    def _take(self, key: K, item: _Waiting) -> K:
        del self._waiting[key]
        self._unplace(item)
        now = self._clock.monotonic()
        self._processing[key] = _InWork(item.priority, now)
        self._idle.clear()
        self._metrics.waited(self._name, now - item.ready_at)
        return key

    def _promote(self) -> None:
        """Delays that are over become ready, in the order of their times."""
        if not self._delayed:
            return
        now = self._clock.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            _, order, key = heapq.heappop(self._delayed)
            if not self._lives(key, order):
                continue
            item = self._waiting[key]
            item.order = next(self._order)
            self._make_due(key, item)

    def _wake(self) -> None:
        while self._getters:
            getter = self._getters.pop(0)
            if not getter.done():
                getter.set_result(None)
                return

    def _set_timer(self) -> None:
        """One sleeping task for the earliest delay; a later one needs none of its own."""
        if not self._delayed or self._shut_down:
            return
        moment = self._delayed[0][0]
        if self._timer is not None and not self._timer.done():
            if self._timer_at <= moment:
                return
            self._timer.cancel()
        self._timer_at = moment
        self._timer = asyncio.get_running_loop().create_task(self._sleep_until(moment), name=f"queue {self._name}")

    async def _sleep_until(self, moment: float) -> None:
        await self._clock.sleep(max(0.0, moment - self._clock.monotonic()))
        self._promote()
        self._timer = None
        self._set_timer()
