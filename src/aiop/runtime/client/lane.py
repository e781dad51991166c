"""The write lane: how many writes are under way at a time, and whose is next.

Without it one owner's ten thousand writes would stand before a neighbour's one, and an overloaded server would be sent
ever more.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Protocol

from aiop.runtime.client.concurrency import AdaptiveLimit
from aiop.runtime.client.errors import ApiError, RequestTimedOut
from aiop.runtime.kit.clock import Clock

# 429, and what an API server answers that shuts down, starts, or did not get done in time.
_OVERLOADED = {429, 503, 504}
# Whoever wants us to be silent for longer is asked again after this: a mistaken header may not stop the operator.
_LONGEST_PAUSE_SECONDS = 30.0

_owner: ContextVar[str] = ContextVar("the owner of writes", default="")


@contextmanager
def writing_for(owner: str) -> Iterator[None]:
    """Writes of this task, and of tasks that it starts, are ``owner``'s; outside of any such block the owner is ""."""
    token = _owner.set(owner)
    try:
        yield
    finally:
        _owner.reset(token)


class LaneMetrics(Protocol):
    """What a lane shows; the manager binds it to names."""

    def changed(self, in_flight: int, limit: int, waiting: int) -> None:
        """So many writes are under way, may be, and wait."""

    def waited(self, seconds: float) -> None:
        """A write got its turn after so long."""


class _Unmeasured:
    def changed(self, in_flight: int, limit: int, waiting: int) -> None: ...
    def waited(self, seconds: float) -> None: ...


class WriteLane:
    """Hands out slots for writes, to the owners in turn.

    Promised: a free slot goes to the owner who has waited longest since its last one, and among its writes to the
    first; no more are out than the limit allows; a server's Retry-After holds up every slot, for 30 s at most; who
    stops waiting takes nothing along; owners that do not wait are not remembered. Not promised: a bound on the wait,
    which is the caller's to set by a time-out or a cancellation, and any retry. Belongs to one event loop.
    """

    def __init__(self, clock: Clock, *, limit: AdaptiveLimit | None = None, metrics: LaneMetrics | None = None) -> None:
        self._clock = clock
        self._limit = limit or AdaptiveLimit()
        self._metrics = metrics or _Unmeasured()
        self._turns = _Turns()
        self._in_flight = 0
        self._paused_until = 0.0
        self._alarm: asyncio.Task[None] | None = None

    @property
    def in_flight(self) -> int:
        """How many slots are out."""
        return self._in_flight

    @property
    def limit(self) -> int:
        """How many may be out now."""
        return self._limit.value

    @property
    def waiting(self) -> int:
        """How many writes wait."""
        return len(self._turns)

    @property
    def owners(self) -> int:
        """How many owners are remembered: those whose writes wait."""
        return self._turns.owners

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a turn and hold a slot for the block: one request, whose error, if any, leaves the block."""
        asked_at = self._clock.monotonic()
        await self._turn(_owner.get())
        sent_at = self._clock.monotonic()
        self._metrics.waited(sent_at - asked_at)
        try:
            yield
        except (ApiError, RequestTimedOut) as error:
            self._learn(error, sent_at)
            raise
        else:
            self._limit.succeeded(sent_at, self._clock.monotonic())
        finally:
            self._give_back()

    async def _turn(self, owner: str) -> None:
        if not self._turns and self._free():
            self._take()
            self._show()
            return
        turn = asyncio.get_running_loop().create_future()
        self._turns.add(owner, turn)
        self._arrange()
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # the slot came in the same moment
                self._give_back()
            else:
                self._turns.remove(owner, turn)
                self._arrange()
            raise

    def _learn(self, error: ApiError | RequestTimedOut, sent_at: float) -> None:
        now = self._clock.monotonic()
        if isinstance(error, ApiError):
            if error.status not in _OVERLOADED:
                return
            self._paused_until = max(self._paused_until, now + min(error.retry_after or 0.0, _LONGEST_PAUSE_SECONDS))
        self._limit.overloaded(sent_at, now)

    def _free(self) -> bool:
        return self._in_flight < self._limit.value and self._clock.monotonic() >= self._paused_until

    def _take(self) -> None:
        self._in_flight += 1
        self._limit.sent(self._in_flight)

    def _give_back(self) -> None:
        self._in_flight -= 1
        self._arrange()

    def _arrange(self) -> None:
        """Give out what is free, and see to it that somebody looks again when a pause ends and writes wait for it."""
        while self._turns and self._free():
            if self._turns.next():
                self._take()
        pause = self._paused_until - self._clock.monotonic()
        if self._alarm is not None and not self._turns:
            self._alarm.cancel()
            self._alarm = None
        elif self._alarm is None and self._turns and pause > 0:
            self._alarm = asyncio.get_running_loop().create_task(self._look_again(pause), name="pause of the writes")
        self._show()

    async def _look_again(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._alarm = None
        self._arrange()

    def _show(self) -> None:
        self._metrics.changed(self._in_flight, self._limit.value, len(self._turns))


class _Turns:
    """Waiting turns, by owner; owners take theirs one after the other."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, dict[asyncio.Future[None], None]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def owners(self) -> int:
        return len(self._waiting)

    def add(self, owner: str, turn: "asyncio.Future[None]") -> None:
        self._waiting.setdefault(owner, {})[turn] = None
        self._count += 1

    def remove(self, owner: str, turn: "asyncio.Future[None]") -> None:
        """Nothing to do if it has gone already."""
        turns = self._waiting.get(owner, {})
        if turn in turns:
            del turns[turn]
            self._count -= 1
            if not turns:
                del self._waiting[owner]

    def next(self) -> bool:
        """Tell the next one that it is its turn; False if it was just about to leave."""
        owner, turns = next(iter(self._waiting.items()))
        turn = next(iter(turns))
        self.remove(owner, turn)
        if turns:
            self._waiting.move_to_end(owner)
        if turn.done():
            return False
        turn.set_result(None)
        return True
