"""How long to wait before the next try: an immutable policy and the little state that walks along it."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays in seconds: ``initial``, times ``factor`` each try, at most ``maximum``, plus up to ``jitter`` of itself.

    ``reset_after`` seconds without a failure start it anew; None means only an explicit reset does.
    """

    initial: float
    factor: float = 2.0
    maximum: float = 30.0
    jitter: float = 0.0
    reset_after: float | None = None

    def delay(self, attempt: int, draw: Callable[[], float] = random.random) -> float:
        """The delay before try number ``attempt`` (0 is the first wait); ``draw`` gives numbers in [0, 1)."""
        # Past some exponent a float overflows; the maximum was reached long before.
        exponent = min(attempt, 64)
        base = min(self.initial * self.factor**exponent, self.maximum)
        return base * (1.0 + self.jitter * draw())


class BackoffState:
    """Walks along a policy; ``next(now)`` is the delay to wait now."""

    def __init__(self, policy: Backoff, draw: Callable[[], float] = random.random) -> None:
        self._policy = policy
        self._draw = draw
        self._attempt = 0
        self._last: float | None = None

    def next(self, now: float) -> float:
        """The next delay; ``now`` is monotonic time and serves ``reset_after`` alone."""
        quiet = self._policy.reset_after
        if quiet is not None and self._last is not None and now - self._last >= quiet:
            self._attempt = 0
        self._last = now
        delay = self._policy.delay(self._attempt, self._draw)
        self._attempt += 1
        return delay

    def reset(self) -> None:
        """Begin again at the initial delay."""
        self._attempt = 0
