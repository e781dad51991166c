"""A clock that a test moves by hand."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

# Rounds of the event loop after which whatever a step set free has run; tests here chain a few awaits at most.
SETTLE_ROUNDS = 50


class FakeClock:
    """Stands still until ``advance`` moves it; sleepers wake in order of their deadlines."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._elapsed = 0.0
        self._start = start
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def monotonic(self) -> float:
        return self._elapsed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Move time on, waking every sleeper on the way at its own moment."""
        target = self._elapsed + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            moment, _, woken = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, moment)
            if not woken.done():
                woken.set_result(None)
            await settle()
        self._elapsed = target
        await settle()


async def settle(rounds: int = SETTLE_ROUNDS) -> None:
    """Let every task that can run, run."""
    for _ in range(rounds):
        await asyncio.sleep(0)
