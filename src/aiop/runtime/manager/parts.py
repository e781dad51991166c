"""Tasks that run side by side, and how they end: one by itself, which is a fault, or all together within a grace."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.deadline import DeadlineExceeded, within
from aiop.runtime.kit.tasks import TaskDied
from aiop.runtime.manager.errors import WorkerDidNotStop

Runnable = tuple[str, Callable[[], Coroutine[Any, Any, None]]]


class Parts:
    """Tasks that should run until they are ended together.

    Unlike a Supervisor's, the others go on when one dies: an orderly end may need them.
    """

    def __init__(self, clock: Clock) -> None:
        self.stuck = ""
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
        self._died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Looked at whether anybody waits for it or not, so that nobody is told that it never was.
        self._died.add_done_callback(asyncio.Future.exception)

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` as a part of that name, which should not end by itself."""
        self._spawn(name, work).add_done_callback(self._ended)

    async def finish(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` as a part that may end, and wait for that; raises what it raises.

        Cancelling the caller leaves it running.
        """
        await asyncio.shield(self._spawn(name, work))

    async def first_end(self) -> None:
        """Wait until a part ends by itself; raises TaskDied, which names it."""
        await asyncio.shield(self._died)

    async def end(self, grace: float) -> None:
        """Cancel all; raises WorkerDidNotStop if one goes on for more than ``grace`` seconds, ``stuck`` says which.

        Where that has failed before, it is said again without waiting.
        """
        if not self.stuck:
            for task in self._tasks:
                task.cancel()
            try:
                await within(self._clock, grace, _all_end(self._tasks))
            except DeadlineExceeded:
                names = ", ".join(task.get_name() for task in self._tasks if not task.done())
                self.stuck = f"{names} did not stop within {grace:g} s of being cancelled"
        if self.stuck:
            raise WorkerDidNotStop(self.stuck)

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.append(task)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if self._died.done():
            return
        died = TaskDied(f"task {task.get_name()!r} ended")
        died.__cause__ = None if task.cancelled() else task.exception()
        self._died.set_exception(died)


async def race(*works: Coroutine[Any, Any, None]) -> None:
    """Run all until one ends, then cancel the others and wait for their end; raises what that one raised.

    If several end at once, the first in order counts.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        next(task for task in tasks if task.done()).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def set_event(event: asyncio.Event) -> None:
    """Return once ``event`` is set: what a `race` can run."""
    await event.wait()


async def _all_end(tasks: "list[asyncio.Task[None]]") -> None:
    """Wait for all, and look at what they raised."""
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()
