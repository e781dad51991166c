"""The life of an operator's process.

Start: servers, informers; once the caches are warm, the election; once this process leads, controllers. So a standby's
first pass follows its election at once, and nobody holds the lease who could not work. Stop: no new passes, running
ones end, the lease is let go, caches, servers.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.controller import Controller
from aiop.runtime.informer.informer import Informer
from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.tasks import Supervisor, TaskDied
from aiop.runtime.leaderelection.elector import Elector, LeaseTimes
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.thread import ElectionThread, Heartbeat
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.manager.servers import Servers
from aiop.runtime.manager.term import Preparation, Runnable, Term

log = structlog.get_logger(__name__)

# Within controller-runtime's 30 s of grace in all passes may end by themselves, then they
# are cancelled. Releasing the lease comes on top, so a pod's own grace should be longer.
_DRAIN_SECONDS = 25.0
_CANCEL_SECONDS = 5.0
# How long a worker may take to let go after the lease is lost, before the process ends rather than risk two leaders.
_LOSS_SECONDS = 10.0
_HEARTBEAT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Leadership:
    """How to lead: which Lease, as whom, and how to connect for it (a connection of its own)."""

    lease: ObjectKey
    identity: str
    connect: Callable[[], Awaitable[Client]]
    gate: LeaseGate
    times: LeaseTimes = field(default_factory=LeaseTimes)


class Election(Protocol):
    """What seeks the lease: a thread of its own, or something tamer in a simulation."""

    def start(self) -> None:
        """Begin to seek it."""

    async def wait(self) -> None:
        """Return once stopped; raises what it died of. Called after `start`."""

    async def stop(self, *, release: bool) -> None:
        """Stop, and with ``release`` free the lease; nothing to do if it was not started."""


class Manager:
    """Owns informers, controllers and other tasks, and runs them in their order. One ``run`` each."""

    def __init__(
        self,
        *,
        clock: Clock,
        metrics: Metrics,
        leadership: Leadership | None = None,
        health_address: str = "",
        metrics_address: str = "",
        elect: Callable[..., Election] = ElectionThread,
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._leadership = leadership
        self._elect = elect
        self._informers: list[Informer[Any]] = []
        self._controllers: list[Controller] = []
        self._always: list[Runnable] = []
        self._while_leading: list[Runnable] = []
        self._preparations: list[Preparation] = []
        self._warm = asyncio.Event()
        self._leading = asyncio.Event()
        self._lost = asyncio.Event()
        self._base: Supervisor | None = None
        self._term: Term | None = None
        self._servers = Servers(
            health_address=health_address,
            metrics_address=metrics_address,
            healthy=self._unhealthy_because,
            ready=self._unready_because,
            exposition=metrics.exposition,
        )

    def add_informer(self, informer: Informer[Any]) -> None:
        """Run it from the start, leading or not."""
        self._informers.append(informer)

    def add_controller(self, controller: Controller) -> None:
        """Run it while this process leads, after all informers have synced; those that it watches come along."""
        self._informers += [informer for informer in controller.informers if informer not in self._informers]
        self._controllers.append(controller)
        self._metrics.queues.watch(controller.name, controller.seconds_in_work)

    def add_runnable(self, name: str, work: Callable[[], Coroutine[Any, Any, None]], *, leader_only: bool) -> None:
        """Run ``work()`` for ever: always, or only while this process leads."""
        (self._while_leading if leader_only else self._always).append((name, work))

    def on_leading(self, work: Preparation) -> None:
        """Do ``work()`` each time this process begins to lead, before any pass.

        While the API server is away it is tried again; any other error ends the process.
        """
        self._preparations.append(work)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until ``stop`` is set, then end in order: within 30 s, and the lease's release on top of it.

        Raises TaskDied if a part ends by itself, what a preparation raises, OSError if an address is taken, and
        WorkerDidNotStop if a worker cannot be ended: it may still be at work, so end the process at once.
        """
        try:
            await self._servers.start()
            async with Supervisor() as base:
                self._base = base
                self._start_base(base)
                await self._operate(stop, base)
        finally:
            await self._servers.stop()

    def _start_base(self, base: Supervisor) -> None:
        for informer in self._informers:
            base.start(f"informer {informer.name}", informer.run())
        for name, work in self._always:
            base.start(name, work())

    async def _operate(self, stop: asyncio.Event, base: Supervisor) -> None:
        """Lead when elected, until told to stop or until something dies; then let go, in order."""
        election = self._election(base)
        watched = [
            asyncio.create_task(self._terms(election), name="leading"),
            asyncio.create_task(self._outlives(election), name="watching over the election"),
            asyncio.create_task(base.wait(), name="watching over tasks"),
            asyncio.create_task(stop.wait(), name="stop"),
        ]
        try:
            done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for task in watched:
                if task in done:
                    task.result()
        finally:
            for task in watched:
                task.cancel()
            await asyncio.gather(*watched, return_exceptions=True)
            await self._let_go(election)

    async def _let_go(self, election: Election | None) -> None:
        """Workers first; the lease is released only once no worker is left that could write."""
        idle = False
        try:
            if self._term is not None:
                await self._term.drain(_DRAIN_SECONDS, _CANCEL_SECONDS)
            idle = True
        finally:
            if election is not None:
                await election.stop(release=idle)

    async def _outlives(self, election: Election | None) -> None:
        """Without its election's thread this process would stand by for ever; raises TaskDied."""
        await self._warm.wait()
        if election is None:
            await asyncio.get_running_loop().create_future()
        else:
            try:
                await election.wait()
            except Exception as error:  # whatever it died of
                message = "the leader election ended"
                raise TaskDied(message) from error

    async def _terms(self, election: Election | None) -> None:
        for informer in self._informers:
            await informer.wait_synced()
        log.info("caches are warm", informers=len(self._informers))
        if election is None:
            self._leading.set()
        else:
            election.start()
        self._warm.set()
        while True:
            await self._leading.wait()
            self._lost.clear()
            if self._leading.is_set():  # else it was lost again before this task could run
                await self._lead()

    async def _lead(self) -> None:
        """One term; returns once the lease is lost and every worker has ended."""
        self._term = Term(
            self._clock,
            controllers=self._controllers,
            runnables=self._while_leading,
            preparations=self._preparations,
        )
        running = asyncio.create_task(self._term.run(), name="term")
        lost = asyncio.create_task(self._lost.wait(), name="loss of the lease")
        try:
            await asyncio.wait((running, lost), return_when=asyncio.FIRST_COMPLETED)
            if not lost.done():
                await self._ended_by_itself(running)
        finally:
            for task in (running, lost):
                task.cancel()
            await asyncio.gather(running, lost, return_exceptions=True)
        await self._term.cancel(_LOSS_SECONDS)
        self._term = None

    async def _ended_by_itself(self, running: "asyncio.Task[Any]") -> None:
        try:
            await running
        except WriteNotPermitted:  # a preparation met the closed gate before the news of the loss came here
            await self._lost.wait()

    def _election(self, base: Supervisor) -> Election | None:
        leadership = self._leadership
        if leadership is None:
            return None
        heartbeat = Heartbeat(self._clock)
        base.start("heartbeat", self._beat(heartbeat))
        loop = asyncio.get_running_loop()
        self._metrics.leads(leadership.lease.name, leading=False)

        def changed(leading: bool) -> None:
            loop.call_soon_threadsafe(self._lead_changed, leadership.lease.name, leading)

        return self._elect(
            Elector(leadership.identity, leadership.times),
            leadership.lease,
            leadership.connect,
            clock=self._clock,
            gate=leadership.gate,
            heartbeat=heartbeat,
            changed=changed,
        )

    def _lead_changed(self, lease: str, leading: bool) -> None:
        self._metrics.leads(lease, leading)
        if leading:
            self._leading.set()
        else:
            self._leading.clear()
            self._lost.set()

    async def _beat(self, heartbeat: Heartbeat) -> None:
        while True:
            heartbeat.beat()
            await self._clock.sleep(_HEARTBEAT_SECONDS)

    def _unhealthy_because(self) -> str:
        return "" if self._base is None or self._base.healthy else "a task died"

    def _unready_because(self) -> str:
        cold = [informer.name for informer in self._informers if not informer.has_synced()]
        return f"not synced: {', '.join(cold)}" if cold else ""


def stop_on_signals(stop: asyncio.Event, *, force: Callable[[], None]) -> None:
    """SIGTERM and SIGINT set ``stop``; a second one calls ``force``."""

    def received() -> None:
        if stop.is_set():
            force()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received)
