"""The life of an operator's process.

Start: servers; informers; once the caches are warm, what runs whether this process leads or not; then the election;
once this process leads, controllers. So a standby's first pass follows its election at once, and nobody holds the lease
who could not work. Stop, in reverse: no new passes, running ones end, what they left to be written is written, the
lease is let go, then everything else.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import structlog

from aiop.runtime.controller.controller import Controller
from aiop.runtime.informer.informer import Informer
from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.deadline import DeadlineExceeded, within
from aiop.runtime.leaderelection.thread import ElectionThread, Heartbeat
from aiop.runtime.manager.candidacy import Candidacy
from aiop.runtime.manager.leadership import Election, Leadership
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.manager.objectgauges import ObjectGauges
from aiop.runtime.manager.parts import Parts, Runnable, race, set_event
from aiop.runtime.manager.servers import Servers
from aiop.runtime.manager.term import Preparation

log = structlog.get_logger(__name__)

# Together controller-runtime's 30 s of grace: passes may end by themselves, then they are cancelled, then what they
# left to be written is written. Releasing the lease comes on top, so a pod's own grace should be longer.
_DRAIN_SECONDS = 22.0
_CANCEL_SECONDS = 5.0
_FLUSH_SECONDS = 3.0
_HEARTBEAT_SECONDS = 1.0
# How often caches that stay cold are told of: often enough to be seen at the end of a log, too seldom to fill it.
_COLD_SECONDS = 30.0


class Manager:
    """Owns informers, controllers and other tasks, and runs them in their order. One ``run`` each.

    It seeks each lease of ``leaderships`` by itself: a shard that is lost or won disturbs no other. Whatever is added
    for leading belongs to one ``shard``: the position of its leadership (IndexError if there is none). Without any
    leadership this process is the only one, and leads shard 0.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        metrics: Metrics,
        leaderships: Sequence[Leadership] = (),
        health_address: str = "",
        metrics_address: str = "",
        elect: Callable[..., Election] = ElectionThread,
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._informers: list[Informer[Any]] = []
        self._always: list[Runnable] = []
        self._flushes: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._candidacies = [
            Candidacy(clock, leadership, elect=elect, leads=metrics.leads) for leadership in leaderships or (None,)
        ]
        self._failure = ""
        self._servers = Servers(
            health_address=health_address,
            metrics_address=metrics_address,
            healthy=lambda: self._failure,
            ready=self._unready_because,
            exposition=metrics.exposition,
        )

    def add_informer(self, informer: Informer[Any]) -> None:
        """Run it from the start, leading or not; once, however often it is added."""
        if informer not in self._informers:
            self._informers.append(informer)

    def add_controller(self, controller: Controller, *, shard: int = 0) -> None:
        """Run it while this process leads ``shard``, after all informers have synced.

        Those that it watches come along.
        """
        for informer in controller.informers:
            self.add_informer(informer)
        self._candidacies[shard].controllers.append(controller)
        self._metrics.queues.watch(controller.name, controller.seconds_in_work)

    def add_runnable(
        self, name: str, work: Callable[[], Coroutine[Any, Any, None]], *, leader_only: bool, shard: int = 0
    ) -> None:
        """Run ``work()`` for ever, from when all informers have synced, or only while this process leads ``shard``."""
        (self._candidacies[shard].runnables if leader_only else self._always).append((name, work))

    def add_gauges(self, gauges: ObjectGauges[Any], *, shard: int = 0) -> None:
        """Show them while this process leads ``shard``: told by two replicas, each object would count twice."""

        async def text() -> bytes:
            if self.leads(shard=shard):
                return await gauges.exposition()
            gauges.forget()
            return b""

        self._metrics.add(text)

    def on_leading(self, work: Preparation, *, shard: int = 0) -> None:
        """Do ``work()`` each time this process begins to lead ``shard``, before any pass.

        While the API server is away it is tried again; any other error ends the process.
        """
        self._candidacies[shard].preparations.append(work)

    def on_drained(self, name: str, flush: Callable[[], Awaitable[None]]) -> None:
        """Wait for ``flush()`` at the stop: when the last pass has ended, and while the lease is still held.

        All of them together may take 3 s; what fails or takes longer is logged and left.
        """
        self._flushes.append((name, flush))

    def leads(self, *, shard: int = 0) -> bool:
        """True from when this process is told that it leads ``shard`` until it is told that it does not."""
        return self._candidacies[shard].leading

    def busy(self) -> bool:
        """True while a pass runs."""
        controllers = (controller for candidacy in self._candidacies for controller in candidacy.controllers)
        return any(controller.seconds_in_work() for controller in controllers)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until ``stop`` is set, then end in order: within 30 s, and the lease's release on top of it.

        Raises TaskDied if a part ends by itself, what a preparation raises, OSError if an address is taken, and
        WorkerDidNotStop if a part cannot be ended: it may still be at work, so end the process at once. Where one
        follows another, the first is the context of the last.
        """
        async with AsyncExitStack() as ends:  # what started first ends last
            ends.push_async_callback(self._servers.stop)
            await self._servers.start()
            pulse, caches, others = (self._group(ends) for _ in range(3))
            heartbeat = Heartbeat(self._clock)
            pulse.start("heartbeat", self._beat(heartbeat))
            for informer in self._informers:
                caches.start(f"informer {informer.name}", informer.run())
            ends.push_async_callback(self._let_go)
            watched = (pulse.first_end(), caches.first_end(), others.first_end(), set_event(stop))
            await self._operate(self._work(others, heartbeat), *watched)

    def _group(self, ends: AsyncExitStack) -> Parts:
        parts = Parts(self._clock)
        ends.push_async_callback(parts.end, _CANCEL_SECONDS)
        return parts

    async def _operate(self, *works: Coroutine[Any, Any, None]) -> None:
        try:
            await race(*works)
            log.info("told to stop")
        except Exception as error:
            self._failure = str(error)
            # Told now: what goes wrong while the others are stopped may be all that is raised.
            log.error("a part failed; the others are stopped", error=str(error), cause=repr(error.__cause__))  # noqa: TRY400
            raise

    async def _work(self, others: Parts, heartbeat: Heartbeat) -> None:
        await race(self._warm(), self._tell_what_is_cold())
        for name, work in self._always:
            others.start(name, work())
        await race(*(candidacy.campaign(heartbeat) for candidacy in self._candidacies))

    async def _warm(self) -> None:
        for informer in self._informers:
            await informer.wait_synced()
        log.info("caches are warm", informers=len(self._informers))

    async def _tell_what_is_cold(self) -> None:
        while True:
            await self._clock.sleep(_COLD_SECONDS)
            log.warning("caches are not warm yet", waiting_for=self._cold())

    async def _let_go(self) -> None:
        """Workers first; a lease is released only once no worker of its shard is left that could write."""
        try:
            await _all(candidacy.drain(_DRAIN_SECONDS, _CANCEL_SECONDS) for candidacy in self._candidacies)
            await self._flush()
        finally:
            await _all(candidacy.let_go() for candidacy in self._candidacies)

    async def _flush(self) -> None:
        try:
            await within(self._clock, _FLUSH_SECONDS, self._flush_each())
        except DeadlineExceeded:
            log.warning("not all was written that passes left behind", seconds=_FLUSH_SECONDS)

    async def _flush_each(self) -> None:
        for name, flush in self._flushes:
            try:
                await flush()
            except Exception:  # one that fails may not keep the others from being written, nor the lease
                log.exception("not written", part=name)

    async def _beat(self, heartbeat: Heartbeat) -> None:
        while True:
            heartbeat.beat()
            await self._clock.sleep(_HEARTBEAT_SECONDS)

    def _unready_because(self) -> str:
        cold = self._cold()
        return f"not synced: {cold}" if cold else ""

    def _cold(self) -> str:
        """The informers that have not synced, each with its trouble."""
        return ", ".join(_described(informer) for informer in self._informers if not informer.has_synced())


def stop_on_signals(stop: asyncio.Event, *, force: Callable[[], None]) -> None:
    """SIGTERM and SIGINT set ``stop``; a second one calls ``force``."""

    def received() -> None:
        if stop.is_set():
            force()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received)


def _described(informer: Informer[Any]) -> str:
    return f"{informer.name} ({informer.trouble})" if informer.trouble else informer.name


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All at once; every one has ended before the first error is raised, and the others are logged."""
    results = await asyncio.gather(*works, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    for error in errors[1:]:
        log.error("another part failed", error=str(error))
    if errors:
        raise errors[0]
