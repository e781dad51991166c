"""Tasks that are watched over: one that dies takes the others along, and the reason is not lost."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Self


class TaskDied(Exception):
    """Raised when a supervised task ended though it should run on; the cause is chained."""


class Supervisor:
    """Runs tasks that should never end by themselves.

    Promised: the first one to end, with or without an error, cancels all others, and ``wait`` raises TaskDied
    that names it. ``stop`` cancels all and returns when they have ended. Leaving the context stops too.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopping = False

    def start(self, name: str, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run ``work`` as a supervised task of that name."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def wait(self) -> None:
        """Wait until a task dies; raises TaskDied."""
        await asyncio.shield(self._died)

    @property
    def healthy(self) -> bool:
        """False once a task has died."""
        return not self._died.done()

    async def stop(self) -> None:
        """Cancel every task and wait for its end; never raises what they raise."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._died.done() and not self._died.cancelled():
            self._died.exception()  # seen here at the latest, so that no warning follows

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._stopping or self._died.done() or task.cancelled():
            return
        died = TaskDied(f"task {task.get_name()!r} ended")
        died.__cause__ = task.exception()
        self._died.set_exception(died)
        for other in self._tasks:
            other.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
