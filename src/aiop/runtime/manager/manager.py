"""The life of an operator's process.

Start: servers, informers, readiness; then, once this process leads, controllers. A standby's caches are warm, so its
first pass follows its election at once. Stop, in reverse: no new passes, running ones end, caches, lease, servers.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from aiop.runtime.client.client import Client
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.controller import Controller
from aiop.runtime.informer.informer import Informer
from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.tasks import Supervisor
from aiop.runtime.leaderelection.elector import Elector, LeaseTimes
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.thread import ElectionThread, Heartbeat
from aiop.runtime.manager.errors import WorkerDidNotStop
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.manager.servers import Servers

log = structlog.get_logger(__name__)

# What a stop may take in all; a pod's own grace is 30 s too (runtime contract S28).
STOP_SECONDS = 30.0
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
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._leadership = leadership
        self._informers: list[Informer[Any]] = []
        self._controllers: list[Controller] = []
        self._runnables: list[tuple[str, Callable[[], Coroutine[Any, Any, None]], bool]] = []
        self._started: list[Callable[[], Awaitable[None]]] = []
        self._leading = asyncio.Event()
        self._lost = asyncio.Event()
        self._base: Supervisor | None = None
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
        """Run it while this process leads, after all informers have synced."""
        self._controllers.append(controller)

    def add_runnable(self, name: str, work: Callable[[], Coroutine[Any, Any, None]], *, leader_only: bool) -> None:
        """Run ``work()`` for ever: always, or only while this process leads."""
        self._runnables.append((name, work, leader_only))

    def on_leading(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do ``work()`` once each time this process begins to lead, before any pass."""
        self._started.append(work)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until ``stop`` is set; raises TaskDied if a part ends by itself, WorkerDidNotStop if one does not end."""
        await self._servers.start()
        try:
            async with Supervisor() as base:
                self._base = base
                election = self._start_base(base)
                try:
                    await self._until(stop, base, self._lead_for_ever())
                finally:
                    if election is not None:
                        await election.stop(release=True)
        finally:
            await self._servers.stop()

    def _start_base(self, base: Supervisor) -> ElectionThread | None:
        for informer in self._informers:
            base.start(f"informer {informer.name}", informer.run())
        for name, work, leader_only in self._runnables:
            if not leader_only:
                base.start(name, work())
        if self._leadership is None:
            self._leading.set()
            return None
        heartbeat = Heartbeat(self._clock)
        base.start("heartbeat", self._beat(heartbeat))
        election = self._election(self._leadership, heartbeat)
        election.start()
        return election

    async def _until(self, stop: asyncio.Event, base: Supervisor, work: Coroutine[Any, Any, None]) -> None:
        """Do ``work`` until told to stop, or until a supervised task dies."""
        tasks = [
            asyncio.create_task(work, name="leading"),
            asyncio.create_task(stop.wait(), name="stop"),
            asyncio.create_task(base.wait(), name="watching over tasks"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _lead_for_ever(self) -> None:
        for informer in self._informers:
            await informer.wait_synced()
        log.info("caches are warm", informers=len(self._informers))
        while True:
            await self._leading.wait()
            self._lost.clear()
            await self._lead()

    async def _lead(self) -> None:
        """One term: controllers run until the lease is lost or the process stops."""
        for work in self._started:
            await work()
        async with Supervisor() as term:
            for controller in self._controllers:
                controller.resume()
                term.start(f"controller {controller.name}", controller.run())
            for name, work, leader_only in self._runnables:
                if leader_only:
                    term.start(name, work())
            log.info("controllers run", controllers=[controller.name for controller in self._controllers])
            lost = asyncio.create_task(self._lost.wait())
            died = asyncio.create_task(term.wait())
            try:
                await asyncio.wait([lost, died], return_when=asyncio.FIRST_COMPLETED)
                if died.done():
                    died.result()
                await self._abandon(term)
            except asyncio.CancelledError:
                await self._drain()
                raise
            finally:
                for task in (lost, died):
                    task.cancel()
                await asyncio.gather(lost, died, return_exceptions=True)

    async def _abandon(self, term: Supervisor) -> None:
        """The lease is lost: cancel at once; the gate is closed already."""
        try:
            async with asyncio.timeout(_LOSS_SECONDS):
                await term.stop()
        except TimeoutError as error:
            message = f"a worker did not stop within {_LOSS_SECONDS:.0f} s of losing the lease"
            raise WorkerDidNotStop(message) from error

    async def _drain(self) -> None:
        """A clean stop: running passes end by themselves, for as long as the grace allows."""
        for controller in self._controllers:
            controller.stop_taking()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                for controller in self._controllers:
                    await controller.drained()
        except TimeoutError:
            log.warning("a pass did not end within the grace and is cancelled", seconds=STOP_SECONDS)

    def _election(self, leadership: Leadership, heartbeat: Heartbeat) -> ElectionThread:
        loop = asyncio.get_running_loop()
        self._metrics.leads(leadership.lease.name, leading=False)

        def changed(leading: bool) -> None:
            loop.call_soon_threadsafe(self._lead_changed, leadership.lease.name, leading)

        return ElectionThread(
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
