"""One term of leadership: what is done first, what runs then, and how it all ends."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, NoReturn

import structlog

from aiop.runtime.client.errors import ConnectionFailed, RequestTimedOut, ServerError, TooManyRequests
from aiop.runtime.controller.controller import Controller
from aiop.runtime.kit.backoff import Backoff, BackoffState
from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.deadline import DeadlineExceeded, within
from aiop.runtime.kit.tasks import TaskDied
from aiop.runtime.manager.errors import WorkerDidNotStop

log = structlog.get_logger(__name__)

Preparation = Callable[[], Awaitable[None]]
Runnable = tuple[str, Callable[[], Coroutine[Any, Any, None]]]

# An API server that is away when a term begins is waited for; what it refuses for good ends the process.
_PASSING = (ConnectionFailed, RequestTimedOut, ServerError, TooManyRequests)
_RETRY = Backoff(initial=0.5, factor=2.0, maximum=15.0)


class Term:
    """`run` it once; whatever comes of that, end it by `drain` or `cancel`."""

    def __init__(
        self,
        clock: Clock,
        *,
        controllers: Sequence[Controller],
        runnables: Sequence[Runnable],
        preparations: Sequence[Preparation],
    ) -> None:
        self._clock = clock
        self._controllers = controllers
        self._runnables = runnables
        self._preparations = preparations
        self._tasks: list[asyncio.Task[None]] = []
        self._stuck = ""

    async def run(self) -> NoReturn:
        """Prepare, then run all parts; raises TaskDied when one ends by itself, and what a preparation raises.

        Cancelling it leaves the parts running.
        """
        for preparation in self._preparations:
            await self._prepare(preparation)
        for controller in self._controllers:
            controller.resume()
            self._start(f"controller {controller.name}", controller.run())
        for name, work in self._runnables:
            self._start(name, work())
        log.info("controllers run", controllers=[controller.name for controller in self._controllers])
        await self._first_end()

    async def drain(self, seconds: float, grace: float) -> None:
        """No new pass; running ones may take ``seconds``, then everything is cancelled as `cancel` says.

        Where `cancel` has failed before, that is said again without waiting.
        """
        if self._stuck:
            raise WorkerDidNotStop(self._stuck)
        for controller in self._controllers:
            controller.stop_taking()
        try:
            await within(self._clock, seconds, self._drained())
        except DeadlineExceeded:
            log.warning("a pass did not end in time and is cancelled", seconds=seconds)
        await self.cancel(grace)

    async def cancel(self, grace: float) -> None:
        """End every part at once; raises WorkerDidNotStop if one goes on for more than ``grace`` seconds."""
        for task in self._tasks:
            task.cancel()
        try:
            await within(self._clock, grace, _ended(self._tasks))
        except DeadlineExceeded as error:
            stuck = ", ".join(task.get_name() for task in self._tasks if not task.done())
            self._stuck = f"{stuck} did not stop within {grace:g} s of being cancelled"
            raise WorkerDidNotStop(self._stuck) from error

    async def _prepare(self, preparation: Preparation) -> None:
        delays = BackoffState(_RETRY)
        while True:
            try:
                await preparation()
            except _PASSING as error:
                delay = delays.next(self._clock.monotonic())
                log.warning("preparation failed", error=str(error), retry_in_seconds=delay)
                await self._clock.sleep(delay)
            else:
                return

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work, name=name))

    async def _first_end(self) -> NoReturn:
        # A term without parts lasts until it is cancelled, like any other.
        endless = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait((*self._tasks, endless), return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            if task in done:
                message = f"task {task.get_name()!r} ended"
                raise TaskDied(message) from (None if task.cancelled() else task.exception())
        raise AssertionError("unreachable: something is done")

    async def _drained(self) -> None:
        for controller in self._controllers:
            await controller.drained()


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for all, and look at what they raised, so that nobody is told that it was never looked at."""
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()
