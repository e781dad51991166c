"""A manager with everything around it tame: its clock, its election, its caches, its reconciler."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiop.runtime.client.client import Client
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.controller import Controller, Result
from aiop.runtime.controller.mappers import own_key
from aiop.runtime.informer.informer import Informer
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.thread import Heartbeat
from aiop.runtime.manager.manager import Leadership, Manager
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import FakeClock, settle
from support.listwatch import ScriptedSource
from support.transport import ScriptedTransport

LEASE = ObjectKey("aiop-system", "aiop-manager")


class TameElection:
    """Leads when the test says so."""

    def __init__(self, bench: "ManagerBench", changed: Callable[[bool], None], heartbeat: Heartbeat) -> None:
        self.heartbeat = heartbeat
        self._bench = bench
        self._changed = changed
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        self._bench.told.append("election starts")
        if self._bench.elected_at_once:
            self.lead()

    async def wait(self) -> None:
        await asyncio.shield(self._end)

    async def stop(self, *, release: bool) -> None:
        self._bench.told.append(f"election stops, release={release}")
        if not self._end.done():
            self._end.set_result(None)

    def die(self, error: Exception) -> None:
        self._end.set_exception(error)

    def lead(self) -> None:
        self._bench.gate.open(0, 1e9)
        self._changed(True)

    def lose(self) -> None:
        self._bench.gate.close(0)
        self._changed(False)


class ManagerBench:
    """``told`` is what happened, in order; ``work`` is what a pass does."""

    def __init__(self, source: ScriptedSource, *, alone: bool = False, **addresses: str) -> None:
        self.clock = FakeClock()
        self.told: list[str] = []
        self.elected_at_once = True
        self.gate = LeaseGate(self.clock)
        self.metrics = Metrics()
        self.source = source
        self.work: Callable[[ObjectKey], Awaitable[Any]] = _nothing
        self.elections: list[TameElection] = []
        leadership = None if alone else Leadership(LEASE, "me", self.connect, self.gate)
        self.manager = Manager(
            clock=self.clock, metrics=self.metrics, leadership=leadership, elect=self.elect, **addresses
        )
        self.informer: Informer[CustomObject] = Informer(
            "widgets",
            source,
            decode_custom,
            clock=self.clock,
            random=random.Random(1),
            metrics=self.metrics.informers,
        )
        self.manager.add_informer(self.informer)
        self.controller = self.add_controller("widgets", self)
        self.stop = asyncio.Event()

    @property
    def election(self) -> TameElection:
        return self.elections[0]

    def elect(self, *_args: object, changed: Callable[[bool], None], heartbeat: Heartbeat, **_more: object) -> Any:
        self.elections.append(TameElection(self, changed, heartbeat))
        return self.elections[-1]

    async def connect(self) -> Client:
        return Client(ScriptedTransport(), clock=self.clock)

    def add_controller(self, name: str, reconciler: Any) -> Controller:
        controller = Controller(
            name,
            reconciler,
            clock=self.clock,
            new_id=lambda: "trace",
            workers=2,
            metrics=self.metrics.controllers,
            queue_metrics=self.metrics.queues,
        )
        controller.watches(self.informer, own_key)
        self.manager.add_controller(controller)
        return controller

    def add_part(self, name: str, *, leader_only: bool) -> None:
        """A runnable that tells when it starts and ends."""

        async def work() -> None:
            self.told.append(f"{name} starts")
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self.told.append(f"{name} ends")

        self.manager.add_runnable(name, work, leader_only=leader_only)

    async def reconcile(self, key: ObjectKey) -> Result:
        self.told.append(f"pass {key.name}")
        await self.work(key)
        self.told.append(f"pass {key.name} ends")
        return Result()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[None]"]:
        """Runs the manager; a test awaits the task itself, or lets it be stopped here."""
        task = asyncio.create_task(self.manager.run(self.stop))
        await settle()
        try:
            yield task
            self.stop.set()
            await self.clock.advance(60.0)
            assert task.done(), "the manager did not stop within a minute"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _nothing(_key: ObjectKey) -> None:
    """A pass with nothing to do."""
