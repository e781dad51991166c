"""A server that can do so much at a time: it gets slower beyond that, and refuses beyond some more."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

from aiop.runtime.client.concurrency import AdaptiveLimit

_REFUSAL_SECONDS = 0.002


@dataclass(slots=True)
class Capacity:
    """``at_once`` writes take ``seconds`` each, more queue; beyond ``refuses_above`` they are refused.

    ``spread`` is the deviation of the logarithm of a write's time.
    """

    at_once: float
    seconds: float
    refuses_above: int = 10**9
    spread: float = 0.0

    def takes(self, under_way: int, dice: random.Random) -> float:
        """How long one takes that makes so many under way."""
        return self.seconds * max(1.0, under_way / self.at_once) * dice.lognormvariate(0.0, self.spread)


@dataclass(slots=True)
class Observed:
    """What a stretch of time has shown: writes done a second, refusals, and the limits at the end of each second."""

    rate: float
    refused: int
    limits: list[int]


class Load:
    """Writers without end, as many at once as the limit allows (and ``demand``), on a server; in virtual time."""

    def __init__(
        self, server: Capacity, limit: AdaptiveLimit | None = None, *, demand: int = 10**9, seed: int = 1
    ) -> None:
        self.server = server
        self.limit = limit or AdaptiveLimit()
        self._demand = demand
        self._dice = random.Random(seed)
        self._now = 0.0
        self._order = itertools.count()
        self._under_way: list[tuple[float, int, float, Callable[[float, float], None]]] = []

    def goes_on_for(self, seconds: float) -> Observed:
        """Let so much time pass."""
        end, done, refused, limits = self._now + seconds, 0, 0, [self.limit.value]
        begin, told = self._now, self._now
        while self._now < end:
            while len(self._under_way) < min(self.limit.value, self._demand):
                self._send()
            self._now, _, sent_at, learn = heapq.heappop(self._under_way)
            learn(sent_at, self._now)
            done += learn == self.limit.succeeded
            refused += learn == self.limit.overloaded
            if self._now - told >= 1.0:
                told = self._now
                limits.append(self.limit.value)
        return Observed(done / (self._now - begin), refused, limits)

    def _send(self) -> None:
        under_way = len(self._under_way) + 1
        self.limit.sent(under_way)
        over = under_way > self.server.refuses_above
        takes = _REFUSAL_SECONDS if over else self.server.takes(under_way, self._dice)
        learn = self.limit.overloaded if over else self.limit.succeeded
        heapq.heappush(self._under_way, (self._now + takes, next(self._order), self._now, learn))
