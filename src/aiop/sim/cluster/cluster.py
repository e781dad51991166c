"""A whole simulated cluster on an API server: nodes, kubelets and, where there are no real ones, all controllers."""

import asyncio
import random as random_module
from collections.abc import Iterator, Sequence
from enum import StrEnum

from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.tasks import Supervisor
from aiop.sim.cluster.api import ClusterAPI
from aiop.sim.cluster.autoscaler import SYNC_SECONDS, Autoscalers
from aiop.sim.cluster.deployment import Deployments
from aiop.sim.cluster.disruption import DisruptionBudgets
from aiop.sim.cluster.endpointslice import EndpointSlices
from aiop.sim.cluster.garbage import GarbageCollector
from aiop.sim.cluster.job import Jobs
from aiop.sim.cluster.kubelet import Kubelets
from aiop.sim.cluster.lives import Lives
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.namespace import Namespaces
from aiop.sim.cluster.nodes import Nodes, NodeSpec
from aiop.sim.cluster.outcomes import Script, scripted
from aiop.sim.cluster.podlife import ScriptedLives
from aiop.sim.cluster.replicaset import ReplicaSets
from aiop.sim.cluster.scheduler import Scheduler
from aiop.sim.cluster.volumes import STORAGECLASSES, Volumes, default_class
from aiop.sim.cluster.world import World
from aiop.sim.metrics.podmetrics import ResourceMetrics


class Parts(StrEnum):
    """What of a cluster is simulated."""

    ALL = "all"
    KUBELETS = "kubelets"


class SimulatedCluster:
    """Gives an API server nodes that run pods. ``run`` it as a task and await ``ready``.

    Promised: nothing polls while nothing happens, heartbeats aside; a server that is away is waited for; the same
    clock and ``random`` on the embedded server give the same story. Not promised: preemption, topology spread,
    pod affinity, StatefulSets, DaemonSets and CronJobs, none of which exist here.

    Pods go as ``script`` says, or as ``lives`` lets them: ``aiop.sim.processes`` runs them as local processes.

    With ``metrics`` autoscalers follow them, looking every ``autoscaler_sync_seconds``; without, they keep to their
    bounds and say that there are none.
    """

    def __init__(
        self,
        api: ClusterAPI,
        clock: Clock,
        random: random_module.Random,
        *,
        nodes: Sequence[NodeSpec],
        parts: Parts = Parts.ALL,
        script: Script = scripted,
        lives: Lives | None = None,
        metrics: ResourceMetrics | None = None,
        autoscaler_sync_seconds: float = SYNC_SECONDS,
    ) -> None:
        self._nodes = Nodes(api, clock, nodes)
        self._kubelets = Kubelets(api, clock, [spec.name for spec in nodes], lives or ScriptedLives(script, random))
        self._world = World(api, clock) if parts is Parts.ALL else None
        self._loops: dict[str, Loop] = {}
        if self._world is not None:
            autoscalers = Autoscalers(self._world, metrics, sync_seconds=autoscaler_sync_seconds)
            self._loops = dict(_loops(self._world, autoscalers))
        self._ready = asyncio.Event()
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Run until cancelled; raises TaskDied if a part of the cluster fails."""
        try:
            async with Supervisor() as supervisor:
                await self._nodes.register()
                supervisor.start("kubelets", self._kubelets.run())
                supervisor.start("heartbeats", self._nodes.run())
                if self._world is not None:
                    await self._world.ensure(STORAGECLASSES, default_class())
                    await self._world.start(supervisor)
                for name, loop in self._loops.items():
                    supervisor.start(name, loop.run())
                self._ready.set()
                await supervisor.wait()
        finally:
            self._over.set()

    async def ready(self) -> None:
        """Wait until the nodes are there and every part works; returns too when ``run`` has ended."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._ready, self._over)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()


def _loops(world: World, autoscalers: Autoscalers) -> Iterator[tuple[str, Loop]]:
    yield "scheduler", Scheduler(world).loop
    yield "deployments", Deployments(world).loop
    yield "replica sets", ReplicaSets(world).loop
    yield "jobs", Jobs(world).loop
    yield "endpoint slices", EndpointSlices(world).loop
    yield "disruption budgets", DisruptionBudgets(world).loop
    yield "autoscalers", autoscalers.loop
    yield "volumes", Volumes(world).loop
    yield "namespaces", Namespaces(world).loop
    yield "garbage collector", GarbageCollector(world).loop
