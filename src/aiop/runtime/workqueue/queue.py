"""The queue of keys that need work. No I/O, and no time but the clock's.

Promised: a key waits at most once and is worked on by at most one worker; added while worked on, it runs once more
afterwards; of two priorities the higher wins, of two times the earlier; inside a priority, first ready, first served.
"""

import asyncio
import heapq
import itertools
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from aiop.runtime.kit.backoff import Backoff
from aiop.runtime.kit.clock import Clock

K = TypeVar("K", bound=Hashable)

# client-go's per-item limiter: 5 ms, doubled, up to 1000 s.
ITEM_BACKOFF = Backoff(initial=0.005, factor=2.0, maximum=1000.0)
# One pop in this many comes from the lowest priority that waits, so that none starves (decision 12).
_FAIR_EVERY = 8


class QueueShutDown(Exception):
    """Raised when a worker asks a queue for work that has been shut down."""


class QueueMetrics(Protocol):
    """What a queue counts; the manager binds it to Prometheus under controller-runtime's names."""

    def added(self, queue: str) -> None:
        """A key was added."""

    def retried(self, queue: str) -> None:
        """A key was added by its back-off."""

    def depth(self, queue: str, depth: int) -> None:
        """So many keys are ready."""

    def waited(self, queue: str, seconds: float) -> None:
        """A key waited so long."""

    def worked(self, queue: str, seconds: float) -> None:
        """A key was worked on so long."""


class _Unmeasured:
    def added(self, queue: str) -> None: ...
    def retried(self, queue: str) -> None: ...
    def depth(self, queue: str, depth: int) -> None: ...
    def waited(self, queue: str, seconds: float) -> None: ...
    def worked(self, queue: str, seconds: float) -> None: ...


@dataclass(slots=True)
class _Waiting:
    priority: int
    ready_at: float
    order: int


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
        self._processing: dict[K, float] = {}
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
        now = self._clock.monotonic()
        return sum(1 for key, item in self._waiting.items() if item.ready_at <= now and key not in self._processing)

    def __repr__(self) -> str:
        return f"<WorkQueue {self._name}: {len(self._waiting)} waiting, {len(self._processing)} in work>"

    def add(self, key: K, priority: int = 0) -> None:
        """``key`` needs work now; a pending delay is absorbed."""
        self.add_after(key, 0.0, priority)

    def add_after(self, key: K, seconds: float, priority: int = 0) -> None:
        """``key`` needs work in ``seconds``; the earlier of two times and the higher of two priorities count."""
        if self._shut_down:
            return
        self._metrics.added(self._name)
        moment = self._clock.monotonic() + max(0.0, seconds)
        known = self._waiting.get(key)
        if known and known.ready_at <= moment and known.priority >= priority:
            return
        self._waiting[key] = _Waiting(
            priority=max(priority, known.priority) if known else priority,
            ready_at=min(moment, known.ready_at) if known else moment,
            order=next(self._order),
        )
        self._place(key)

    def add_rate_limited(self, key: K, priority: int = 0) -> None:
        """``key`` failed: it comes again after its own back-off."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self._metrics.retried(self._name)
        self.add_after(key, ITEM_BACKOFF.delay(failures), priority)

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
        started = self._processing.pop(key)
        self._metrics.worked(self._name, self._clock.monotonic() - started)
        if not self._processing:
            self._idle.set()
        if key in self._waiting:
            self._place(key)

    def shut_down(self) -> None:
        """Drop what waits and send every waiting worker home; work in progress goes on."""
        self._shut_down = True
        self._waiting.clear()
        self._ready.clear()
        self._delayed.clear()
        if self._timer is not None:
            self._timer.cancel()
        for getter in self._getters:
            if not getter.done():
                getter.set_result(None)

    async def drained(self) -> None:
        """Return once nobody works on anything."""
        await self._idle.wait()

    def _place(self, key: K) -> None:
        item = self._waiting[key]
        if item.ready_at > self._clock.monotonic():
            heapq.heappush(self._delayed, (item.ready_at, item.order, key))
            self._set_timer()
        elif key not in self._processing:
            heapq.heappush(self._ready.setdefault(item.priority, []), (item.order, key))
            self._metrics.depth(self._name, len(self))
            self._wake()

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
                if item and item.order == order and key not in self._processing:
                    return self._take(key, item)
            del self._ready[priority]
        self._pops -= 1
        return None

    def _take(self, key: K, item: _Waiting) -> K:
        del self._waiting[key]
        now = self._clock.monotonic()
        self._processing[key] = now
        self._idle.clear()
        self._metrics.waited(self._name, now - item.ready_at)
        self._metrics.depth(self._name, len(self))
        return key

    def _promote(self) -> None:
        now = self._clock.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            _, order, key = heapq.heappop(self._delayed)
            item = self._waiting.get(key)
            if item and item.order == order and key not in self._processing:
                heapq.heappush(self._ready.setdefault(item.priority, []), (order, key))

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
        for _ in range(sum(len(heap) for heap in self._ready.values())):
            self._wake()
        self._timer = None
        self._set_timer()
