"""Running parts of the runtime for the length of a test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiop.runtime.informer.informer import Informer
from support.clock import settle


async def end(task: "asyncio.Task[Any]") -> None:
    """Cancel it until it ends, however much it would like to finish first."""
    for _ in range(20):
        if task.done():
            break
        task.cancel()
        await settle()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def run_informer(informer: Informer[Any]) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Runs it; what it gives lets everything that can happen, happen. Fails if the informer ends by itself."""
    task = asyncio.create_task(informer.run())
    await settle()
    try:
        yield settle
        assert not task.done(), "the informer ended by itself"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
