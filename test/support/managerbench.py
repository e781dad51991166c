"""A manager with everything around it tame: its clock, its election, its caches, its reconciler."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import Request, Response
from aiop.runtime.conditions.events import EventRecorder, ObjectReference
from aiop.runtime.controller.controller import Controller, Result
from aiop.runtime.controller.mappers import own_key
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.thread import Heartbeat
from aiop.runtime.manager.leadership import Leadership
from aiop.runtime.manager.manager import Manager
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import FakeClock, settle
from support.leaseserver import LeaseServer, LeaseTransport
from support.listwatch import ScriptedSource, page, widget
from support.running import end
from support.taskelection import TaskElection
from support.transport import ScriptedTransport, echo

LEASE = ObjectKey("aiop-system", "aiop-manager")


class Stubborn:
    """A pass that does not let itself be cancelled until ``released``."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def work(self, _key: ObjectKey) -> None:
        while not self.released.is_set():
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                continue


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
        self._bench.gate.close(0)
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
    """``told`` is what happened, in order; ``work`` is what a pass does.

    Its election leads when the test says so; with ``by_lease`` it is a real one, but for the thread, over ``server``.
    """

    def __init__(
        self, source: ScriptedSource, *, alone: bool = False, by_lease: bool = False, **addresses: str
    ) -> None:
        self.clock = FakeClock()
        self.server = LeaseServer(self.clock)
        self.stubborn = Stubborn()
        self.told: list[str] = []
        self.elected_at_once = True
        self.gate = LeaseGate(self.clock)
        self.metrics = Metrics()
        self.source = source
        self.work: Callable[[ObjectKey], Awaitable[Any]] = _nothing
        self.elections: list[TameElection] = []
        self._events: EventRecorder | None = None
        leaderships = [] if alone else [Leadership(LEASE, "me", self.connect, self.gate)]
        self.manager = Manager(
            clock=self.clock,
            metrics=self.metrics,
            leaderships=leaderships,
            elect=TaskElection if by_lease else self.elect,
            **addresses,
        )
        self.informer: StreamInformer[CustomObject] = StreamInformer(
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
        return Client(LeaseTransport(self.server), clock=self.clock)

    def permitted(self) -> bool:
        """True while a pass may write."""
        try:
            return self.gate.permit(ObjectKey("default", "one")) > 0
        except WriteNotPermitted:
            return False

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

    def add_events(self, *, seconds: float) -> list[str]:
        """Each pass ends with an event, which takes so long to write: the notes that were written."""
        written: list[str] = []

        async def write(request: Request) -> Response:
            await self.clock.sleep(seconds)
            written.append(msgspec.json.decode(request.body or b"null")["note"])
            return await echo(request)

        client = Client(ScriptedTransport(write), clock=self.clock, gate=self.gate)
        self._events = EventRecorder(client, self.clock, "test", "me", lambda: "id")
        self.manager.add_runnable("events", self._events.run, leader_only=False)
        self.manager.on_drained("events", self._events.written)
        return written

    async def reconcile(self, key: ObjectKey) -> Result:
        self.told.append(f"pass {key.name}")
        await self.work(key)
        if self._events is not None:
            about = ObjectReference("example.com/v1", "Widget", key.namespace, key.name, f"uid-{key.name}")
            self._events.record(about, "Normal", "Done", f"{key.name} is done", "Reconcile")
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
            self.stubborn.released.set()
            await end(task)


async def _nothing(_key: ObjectKey) -> None:
    """A pass with nothing to do."""


def bench(*names: str, alone: bool = False, by_lease: bool = False) -> ManagerBench:
    """With these widgets in the cache."""
    source = ScriptedSource([page(1, *(widget(name, 1) for name in names))])
    return ManagerBench(source, alone=alone, by_lease=by_lease)


def preparing(this: ManagerBench, *errors: Exception) -> None:
    """A preparation that fails so often before it succeeds."""
    left = list(errors)

    async def prepare() -> None:
        this.told.append("prepare")
        if left:
            raise left.pop(0)

    this.manager.on_leading(prepare)
