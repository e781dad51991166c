"""Several managers that divide the shards of one cluster among themselves, by Leases and by a clock of the test's."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.shard import Shard, shard_of
from aiop.runtime.client.transport import Request, Response
from aiop.runtime.controller.controller import Controller, Reconciler, Result
from aiop.runtime.controller.mappers import own_key
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.manager.leadership import Leadership
from aiop.runtime.manager.manager import Manager
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import FakeClock, settle
from support.leaseserver import LeaseServer, LeaseTransport
from support.listwatch import ScriptedSource, page, widget
from support.running import end
from support.taskelection import TaskElection
from support.transport import ScriptedTransport, ok

SHARDS = 3
NAMESPACES = ("default", "team-a", "team-b", "team-c", "team-d", "team-e")
KEYS = tuple(ObjectKey(namespace, name) for namespace in NAMESPACES for name in ("one", "two"))


# What is led as a whole: one shard of one.
QUEUE = ObjectKey("aiop-system", "queue")


def lease(shard: int) -> ObjectKey:
    return ObjectKey("aiop-system", f"shard-{shard}")


class Cluster:
    """``passes`` are the moment, the key and who; ``faults`` are what must never be."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.leases = LeaseServer(self.clock)
        self.passes: list[tuple[float, ObjectKey, str]] = []
        self.faults: list[str] = []
        self._in_work: dict[ObjectKey, str] = {}

    def begins(self, key: ObjectKey, who: str) -> None:
        if key in self._in_work:
            self.faults.append(f"{who} works on {key}, and so does {self._in_work[key]}")
        self._in_work[key] = who
        self.passes.append((self.clock.monotonic(), key, who))

    def ends(self, key: ObjectKey) -> None:
        self._in_work.pop(key, None)

    def writes(self, namespace: str, who: str) -> None:
        holder = self.holders()[shard_of(namespace, SHARDS)]
        if holder != who:
            self.faults.append(f"{who} writes in {namespace}, which {holder} leads")

    def holders(self) -> list[str]:
        return [self.leases.held(lease(shard).name) for shard in range(SHARDS)]

    def workers(self, since: float) -> dict[ObjectKey, set[str]]:
        """Who has begun a pass for each key since then."""
        return {key: {who for at, worked, who in self.passes if worked == key and at >= since} for key in KEYS}


class Replica:
    """One manager with a controller a shard; each pass writes once, takes half a second and comes again in another.

    ``with_queue`` adds one for everything, with a lease of its own; its passes are only counted.
    """

    def __init__(self, cluster: Cluster, name: str, *, with_queue: bool = False) -> None:
        self.name = name
        self.queue_passes = 0
        self.terms = [0] * (SHARDS + with_queue)
        self.ways = [LeaseTransport(cluster.leases) for _ in self.terms]
        self._cluster = cluster
        gate = LeaseGate(cluster.clock, shards=SHARDS)
        self._queue_gate = LeaseGate(cluster.clock)
        self._client = Client(ScriptedTransport(self._written), clock=cluster.clock, gate=gate)
        metrics = Metrics()
        self._manager = Manager(
            clock=cluster.clock,
            metrics=metrics,
            leaderships=[
                *(
                    Leadership(lease(shard), name, self._way(shard), gate, shard=Shard(shard, SHARDS))
                    for shard in range(SHARDS)
                ),
                *([Leadership(QUEUE, name, self._way(SHARDS), self._queue_gate)] if with_queue else []),
            ],
            elect=TaskElection,
        )
        widgets = [widget(key.name, 1, uid=str(key), namespace=key.namespace) for key in KEYS]
        informer: StreamInformer[CustomObject] = StreamInformer(
            "widgets",
            ScriptedSource([page(1, *widgets)]),
            decode_custom,
            clock=cluster.clock,
            random=random.Random(1),
            metrics=metrics.informers,
        )
        self._manager.add_informer(informer)
        for shard in range(SHARDS):
            self._add(informer, shard, self, Shard(shard, SHARDS))
        if with_queue:
            self._add(informer, SHARDS, _Counting(self), Shard())

    async def reconcile(self, key: ObjectKey) -> Result:
        self._cluster.begins(key, self.name)
        try:
            await self._client.patch(CONFIGMAPS, key, {}, patch_type=PatchType.MERGE, field_manager=self.name)
            await self._cluster.clock.sleep(0.5)
        finally:
            self._cluster.ends(key)
        return Result(requeue_after=0.5)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Runs it, and stops it in order; what it gives kills it: nobody is told, and no lease is released."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._manager.run(stop))
        await settle()

        async def kill() -> None:
            for way in self.ways:
                way.down = True
            await end(task)

        try:
            yield kill
            stop.set()
            await self._cluster.clock.advance(60.0)
            assert task.done(), "the manager did not stop within a minute"
        finally:
            await end(task)

    def may_queue(self) -> bool:
        try:
            return self._queue_gate.permit(KEYS[0]) > 0
        except WriteNotPermitted:
            return False

    def _add(self, informer: StreamInformer[CustomObject], shard: int, reconciler: Reconciler, holds: Shard) -> None:
        controller = Controller(
            f"widgets-{shard}",
            reconciler,
            clock=self._cluster.clock,
            new_id=lambda: "trace",
            workers=4,
            shard=holds,
        )
        controller.watches(informer, own_key)
        self._manager.add_controller(controller, shard=shard)

        async def led() -> None:
            self.terms[shard] += 1

        self._manager.on_leading(led, shard=shard)

    def _way(self, shard: int) -> Callable[[], Awaitable[Client]]:
        async def connect() -> Client:
            return Client(self.ways[shard], clock=self._cluster.clock)

        return connect

    async def _written(self, request: Request) -> Response:
        self._cluster.writes(request.path.split("/")[4], self.name)
        return ok({})


class _Counting:
    """The queue's reconciler."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    async def reconcile(self, key: ObjectKey) -> Result:
        del key
        self._replica.queue_passes += 1
        return Result()
