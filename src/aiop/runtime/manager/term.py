"""One term of leadership: what is done first, what runs then, and how it all ends."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from aiop.runtime.client.errors import (
    ConnectionFailed,
    RequestTimedOut,
    ServerError,
    TooManyRequests,
    WriteNotPermitted,
)
from aiop.runtime.controller.controller import Controller
from aiop.runtime.kit.backoff import Backoff, BackoffState
from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.deadline import DeadlineExceeded, within
from aiop.runtime.manager.parts import Parts, Runnable, race, set_event

log = structlog.get_logger(__name__)

Preparation = Callable[[], Awaitable[None]]

# An API server that is away when a term begins is waited for; what it refuses for good ends the process. A write that
# the gate refuses was too late: either the lease is lost, which ends the term, or the next one is in time.
_PASSING = (ConnectionFailed, RequestTimedOut, ServerError, TooManyRequests, WriteNotPermitted)
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
        self._parts = Parts(clock)

    async def run(self) -> None:
        """Prepare, then run all parts; raises TaskDied when one ends by itself, and what a preparation raises.

        Cancelling it leaves running what runs.
        """
        for preparation in self._preparations:
            await self._parts.finish("preparation", self._prepare(preparation))
        for controller in self._controllers:
            await controller.resume()
            self._parts.start(f"controller {controller.name}", controller.run())
        for name, work in self._runnables:
            self._parts.start(name, work())
        log.info("controllers run", controllers=[controller.name for controller in self._controllers])
        await self._parts.first_end()

    async def drain(self, seconds: float, grace: float, lost: asyncio.Event) -> None:
        """No new pass; running ones may take ``seconds``, but not outlast the lease; then all ends as `cancel` says.

        Where `cancel` has failed before, that is said again without waiting.
        """
        for controller in self._controllers:
            controller.stop_taking()
        try:
            if not self._parts.stuck:
                await within(self._clock, seconds, race(set_event(lost), self._drained()))
        except DeadlineExceeded:
            log.warning("a pass did not end in time and is cancelled", seconds=seconds)
        finally:
            await self.cancel(grace)

    async def cancel(self, grace: float) -> None:
        """End every part at once; raises WorkerDidNotStop if one goes on for more than ``grace`` seconds."""
        for controller in self._controllers:
            controller.stop_taking()  # what happens before the next term is found by its look at everything
        await self._parts.end(grace)

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

    async def _drained(self) -> None:
        for controller in self._controllers:
            await controller.drained()
