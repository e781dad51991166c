"""Weighs the processes of every pod at a steady pace; a rate needs two weighings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import Clock
from aiop.sim.metrics.podmetrics import ContainerUse, PodMetrics
from aiop.sim.processes.errors import ProcessPodError
from aiop.sim.processes.podaccess import PodAccess, RunningPod, Usage

# As metrics-server's --metric-resolution.
RESOLUTION_SECONDS = 15.0
_NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Weighing:
    uid: str
    at: float
    containers: Mapping[str, Usage]


class Scraper:
    """See ResourceMetrics; ``run`` it as a task.

    Promised: what is told of a pod is a rate between two weighings of the same run of each of its containers, and
    nothing is told of a pod that has ended or of which a container started since.
    """

    def __init__(self, pods: PodAccess, clock: Clock, *, resolution_seconds: float = RESOLUTION_SECONDS) -> None:
        self._pods = pods
        self._clock = clock
        self._resolution_seconds = resolution_seconds
        self._weighed: dict[ObjectKey, _Weighing] = {}
        self._metrics: dict[ObjectKey, PodMetrics] = {}

    def of(self, pod: ObjectKey) -> PodMetrics | None:
        """The newest metrics of a pod."""
        return self._metrics.get(pod)

    def everything(self) -> Sequence[PodMetrics]:
        """The newest metrics of every pod, by namespace and name."""
        return [self._metrics[key] for key in sorted(self._metrics)]

    async def run(self) -> None:
        """Weigh until cancelled."""
        while True:
            await self.weigh()
            await self._clock.sleep(self._resolution_seconds)

    async def weigh(self) -> None:
        """Weigh every pod once."""
        weighed: dict[ObjectKey, _Weighing] = {}
        metrics: dict[ObjectKey, PodMetrics] = {}
        for pod in self._pods.running():
            try:
                used = await self._pods.usage(pod.key)
            except ProcessPodError:
                continue  # it has ended since
            weighed[pod.key] = _Weighing(pod.uid, self._clock.monotonic(), used)
            told = _between(pod, self._weighed.get(pod.key), weighed[pod.key], self._clock.now())
            if told is not None:
                metrics[pod.key] = told
        self._weighed, self._metrics = weighed, metrics


def _between(pod: RunningPod, before: _Weighing | None, now: _Weighing, moment: datetime) -> PodMetrics | None:
    """None if a container of the pod was not weighed twice in one run."""
    if before is None or before.uid != now.uid or now.at <= before.at or not set(pod.containers) <= set(now.containers):
        return None
    seconds = now.at - before.at
    containers = {}
    for name, used in now.containers.items():
        known = before.containers.get(name)
        if known is None or known.cpu_seconds > used.cpu_seconds:
            return None
        rate = (used.cpu_seconds - known.cpu_seconds) / seconds
        containers[name] = ContainerUse(round(rate * _NANO), used.resident_bytes)
    return PodMetrics(pod.key, pod.node, moment, seconds, containers) if containers else None
