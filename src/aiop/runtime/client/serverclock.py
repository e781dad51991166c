"""The API server's wall clock, as its answers' Date header shows it.

Timestamps in objects are the cluster's; how long ago they were is asked of the cluster's clock, not of this machine's.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from aiop.runtime.kit.clock import Clock


class ServerClock:
    """A Clock whose ``now`` is the API server's, as far as a header in whole seconds tells; ``clock`` counts on.

    Until an answer with a Date has come, and from a server that sends none, it is ``clock``'s own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard = ""
        self._ahead = timedelta()

    def heard(self, headers: Mapping[str, str]) -> None:
        """An answer has come; what makes no sense as a date changes nothing."""
        date = headers.get("Date", "")
        if not date or date == self._heard:
            return
        self._heard = date
        with suppress(ValueError, TypeError, OverflowError):
            self._ahead = parsedate_to_datetime(date).astimezone(UTC) - self._clock.now()

    def monotonic(self) -> float:
        """As ``clock`` counts."""
        return self._clock.monotonic()

    def now(self) -> datetime:
        """The server's wall clock, aware, in UTC; a second off at most, and the time that the answer took."""
        return self._clock.now() + self._ahead

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task for ``seconds``."""
        await self._clock.sleep(seconds)
