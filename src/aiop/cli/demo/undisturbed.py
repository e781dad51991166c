"""Work that comes to its end before its caller goes on, even a caller that is cancelled."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def undisturbed(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` returns or raises; a cancellation waits for its end."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def in_thread(work: Callable[[], T]) -> T:
    """``work`` in a thread, undisturbed: what it still writes after a cancellation would outlive its folder."""
    return await undisturbed(asyncio.to_thread(work))
