"""How many writes may be under way at once, learnt from the answers. No I/O and no clock of its own.

More by one a round while answers come about as fast as they ever did, a fifth less when they get slow, half as many
when the server says that it is too much. So writes fill what the server gives, whatever that is today.
"""

import math
from statistics import median

# Two controllers of four workers; a server that can take more shows it within a second.
_START = 8
_MOST = 64  # no published figure shows more writes a second beyond that many; they only wait longer in etcd
# A median of fewer answers says more about luck than about the server.
_ROUND = 32
# Slower by this share is still as fast as ever: medians of a round vary so much on a quiet server too.
_STEADY_SHARE = 0.2
_SLOW_SHARE = 0.5
# Nobody misses so many seconds, and a fast server needs the queue that they stand for: etcd writes in batches.
_STEADY_SECONDS = 0.025
_SLOW_SECONDS = 0.05
_SLOWED = 0.8  # gentle, since slowness is a guess
_REFUSED = 0.5  # TCP's answer to a loss: here the server itself said so
# A round that is at least this share of the one before it, though fewer were under way, was slow for another reason.
_NO_BETTER = 0.9
# How long a measured pace is believed: long enough to cost little, short against a cluster's life.
_BELIEVED_SECONDS = 60.0


class AdaptiveLimit:
    """Additive increase, multiplicative decrease, between 1 and ``most``. Times are monotonic seconds.

    The measure is the pace: the best median of a round. A server that is slow by nature is not starved, since a
    limit that went down in vain takes the slowness for the new pace; and every minute half the limit measures the
    pace anew, so that a queue of our own making is never taken for the server's nature for long.
    """

    def __init__(self, *, start: int = _START, most: int = _MOST) -> None:
        self._limit = float(start)
        self._most = most
        self._pace: float | None = None
        self._answers: list[float] = []
        self._full = False
        self._changed_at = -math.inf
        self._slow_before: float | None = None
        self._measure_at: float | None = None
        self._limit_before: float | None = None

    @property
    def value(self) -> int:
        """How many writes may be under way now; never less than 1."""
        return math.floor(self._limit)

    def sent(self, under_way: int) -> None:
        """One more write was sent, and with it so many are under way."""
        self._full = self._full or under_way >= self.value

    def succeeded(self, sent_at: float, now: float) -> None:
        """A write that was sent at ``sent_at`` succeeded; those sent under an older limit say nothing of this one."""
        if sent_at <= self._changed_at:
            return
        self._answers.append(now - sent_at)
        if len(self._answers) >= max(_ROUND, self.value):
            self._judge(median(self._answers), now)

    def overloaded(self, sent_at: float, now: float) -> None:
        """The server refused such a write for its load, or did not answer in time; many at once count once."""
        if sent_at <= self._changed_at:
            return
        if self._limit_before is not None:
            self._limit, self._limit_before = self._limit_before, None
        self._slow_before = None
        self._set(self._limit * _REFUSED, now)

    def _judge(self, seconds: float, now: float) -> None:
        full = self._full
        self._answers.clear()
        self._full = False
        if self._pace is None or self._measure_at is None:
            self._believe(seconds, now)
        elif self._limit_before is not None:
            self._set(self._limit_before, now)
            self._limit_before = None
            self._believe(seconds, now)
        elif now >= self._measure_at:
            self._limit_before = self._limit
            self._set(self._limit / 2, now)
        else:
            self._adapt(self._pace, seconds, now, full=full)

    def _adapt(self, pace: float, seconds: float, now: float, *, full: bool) -> None:
        slow_before, self._slow_before = self._slow_before, None
        if seconds > pace + max(_SLOW_SHARE * pace, _SLOW_SECONDS):
            if slow_before is not None and seconds >= _NO_BETTER * slow_before:
                self._pace = seconds
                return
            self._slow_before = seconds
            self._set(self._limit * _SLOWED, now)
            return
        if seconds < pace:
            self._pace = (pace + seconds) / 2  # half the way: one lucky round is not the rule
        if full and seconds <= pace + max(_STEADY_SHARE * pace, _STEADY_SECONDS):
            self._limit = min(self._limit + 1, self._most)

    def _believe(self, pace: float, now: float) -> None:
        self._pace = pace
        self._measure_at = now + _BELIEVED_SECONDS

    def _set(self, limit: float, now: float) -> None:
        """A new limit; only what is sent under it counts from now on."""
        self._limit = max(1.0, limit)
        self._changed_at = now
        self._answers.clear()
        self._full = False
