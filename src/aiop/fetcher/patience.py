"""How often and how long a request is tried again that failed in a way that may pass."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import tenacity

from aiop.fetcher.errors import FetchError, Interrupted, Unreachable

# Doubled for each try in a row that brought nothing; the last one outlasts a server's restart.
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 20.0
# A source that gives a few bytes each time and then breaks off may not hold a stream for ever.
_MOST_TRIES = 100
_Result = TypeVar("_Result")


@dataclass(slots=True)
class _Tries:
    """Counts tries in a row without progress; tenacity asks it whether to stop and how long to wait."""

    attempts: int
    progress: Callable[[], int]
    fruitless: int = 0
    _before: int = field(default=-1)

    def again(self, state: tenacity.RetryCallState) -> bool:
        """Whether the error may pass; tenacity asks this first, so the counting is done here."""
        error = state.outcome.exception() if state.outcome else None
        now = self.progress()
        self.fruitless = self.fruitless + 1 if now <= self._before else 1
        self._before = max(now, self._before)
        return isinstance(error, FetchError) and error.transient

    def stop(self, state: tenacity.RetryCallState) -> bool:
        return self.fruitless >= self.attempts or state.attempt_number >= _MOST_TRIES

    def wait(self, _state: tenacity.RetryCallState) -> float:
        return float(min(_FIRST_WAIT * 2.0 ** (self.fruitless - 1), _LONGEST_WAIT))


def persist(
    request: Callable[[], _Result],
    attempts: int,
    sleep: Callable[[float], None],
    progress: Callable[[], int] = lambda: 0,
) -> _Result:
    """What ``request`` returns, calling it again with growing waits while it raises transient errors.

    It is given up after ``attempts`` tries in a row in which ``progress()`` did not grow, or 100 in all: Unreachable is
    raised with the last error's text. Other errors pass through. ``sleep`` takes seconds and may raise.
    """
    tries = _Tries(attempts, progress)
    retrying = tenacity.Retrying(
        retry=tries.again,
        stop=tries.stop,
        wait=tries.wait,
        sleep=sleep,
        reraise=True,
    )
    try:
        return retrying(request)
    except Interrupted as error:
        raise Unreachable(f"{error} It was tried {tries.fruitless} times.") from error
