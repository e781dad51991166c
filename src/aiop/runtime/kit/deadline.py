"""A time limit on a piece of work, counted by the clock that is passed in."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiop.runtime.kit.clock import Clock

T = TypeVar("T")


class DeadlineExceeded(TimeoutError):
    """Raised when a piece of work was cancelled because its time was up."""


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` returns or raises; raises DeadlineExceeded if that takes more than ``seconds``.

    Promised: when this returns or raises, ``work`` has ended; it is cancelled at its limit, and with its caller. Not
    promised: an end in time, if ``work`` does not let itself be cancelled.
    """
    task = asyncio.ensure_future(work)
    alarm = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((task, alarm), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            message = f"not done within {seconds:g} s"
            raise DeadlineExceeded(message)
        return task.result()
    finally:
        task.cancel()
        alarm.cancel()
        await asyncio.gather(task, alarm, return_exceptions=True)
