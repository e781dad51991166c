"""Time as an argument, so that a simulation can own it."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What every part of the operator knows of time.

    Promised: ``monotonic`` never goes back and counts suspended time too; ``now`` is the wall clock in
    UTC and may jump; ``sleep`` returns no earlier than asked. Not promised: that the two run alike.
    """

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment."""
        ...

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task for ``seconds`` (0 yields to the event loop once)."""
        ...


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """CLOCK_BOOTTIME where there is one: a lease must run on while the machine sleeps."""
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task for ``seconds``."""
        await asyncio.sleep(seconds)
