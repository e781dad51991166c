"""Waiting for work, but not for ever, on whatever clock the cluster runs."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

Sleep = Callable[[float], Awaitable[None]]


class TooLate(Exception):
    """Raised when work has not ended in its time; it was cancelled."""


async def within(seconds: float, sleep: Sleep, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives, if it gives it in time; raises TooLate. Nothing of it runs on afterwards."""
    working = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(sleep(seconds))
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
    finally:
        await cancelled(working)
        await cancelled(waiting)
    raise TooLate


async def cancelled(task: "asyncio.Future[Any] | None") -> None:
    """Cancel it and wait until it has ended, however it does; None and ended ones are no matter."""
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task})
    if task is not None and not task.cancelled():
        with contextlib.suppress(Exception):
            task.exception()
