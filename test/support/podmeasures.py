"""Pods and what they use, made up for tests of autoscaling and metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.metrics.podmetrics import ContainerUse, PodMetrics

MIB = 1024 * 1024


@dataclass(slots=True)
class MadeUpMetrics:
    """``use`` is CPU in thousandths by pod; everything was taken just now over ``window_seconds``."""

    now: datetime
    use: dict[ObjectKey, int] = field(default_factory=dict)
    window_seconds: float = 15.0

    def of(self, pod: ObjectKey) -> PodMetrics | None:
        if pod not in self.use:
            return None
        used = {"main": ContainerUse(self.use[pod] * 1_000_000, 100 * MIB)}
        return PodMetrics(pod, "node", self.now, self.window_seconds, used)

    def everything(self) -> Sequence[PodMetrics]:
        return [found for pod in sorted(self.use) if (found := self.of(pod)) is not None]


def measured_pod(
    name: str, *, phase: str = "Running", ready: str = "True", since: str = "2026-01-01T00:00:00Z",
    request: Mapping[str, str] | None = None, namespace: str = "team", **meta: Any,
) -> dict[str, Any]:  # fmt: skip
    """A pod that started at midnight and became ready (or not) at ``since``; it asks for one core."""
    resources = {"requests": {"cpu": "1"} if request is None else dict(request)}
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": since}
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": name, **meta},
        "spec": {"containers": [{"name": "main", "resources": resources}]},
        "status": {"phase": phase, "startTime": "2026-01-01T00:00:00Z", "conditions": [condition]},
    }
