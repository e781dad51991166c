"""What `autoscaling` asks to aim at, and in which metric's unit. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.controllers.serving.pod.resources import GPU_SLICE
from aiop.controllers.serving.settings import ServingSettings

# What Kubernetes takes when nobody says.
_DEFAULT_CPU = 80
# How the product label of a GPU that is shared out in equal slices ends: …-MIG-1g.5gb.
_SLICED_PRODUCT = "-MIG-"


@dataclass(frozen=True, slots=True)
class Measure:
    """Something to aim at, as the autoscaler knows it.

    ``resource`` is cpu or memory, in percent of the request; else ``pods_metric`` is a metric of pods, whose values are
    percents, or ratios of 0 to 1 if ``ratio``.
    """

    resource: str = ""
    pods_metric: str = ""
    ratio: bool = False

    @property
    def name(self) -> str:
        """cpu, memory, or the metric's name."""
        return self.resource or self.pods_metric


@dataclass(frozen=True, slots=True)
class Target:
    """``percent`` of a measure. ``field`` is where the user set it; ``words`` what people call it."""

    field: str
    words: str
    measure: Measure
    percent: int

    def __str__(self) -> str:
        return f"{self.words} {self.percent} %"

    @property
    def metric(self) -> dict[str, Any]:
        """The entry of the HorizontalPodAutoscaler's `metrics`; amounts are as the API server keeps them."""
        if self.measure.resource:
            target = {"type": "Utilization", "averageUtilization": self.percent}
            return {"type": "Resource", "resource": {"name": self.measure.resource, "target": target}}
        target = {"type": "AverageValue", "averageValue": _amount(self.percent, ratio=self.measure.ratio)}
        return {"type": "Pods", "pods": {"metric": {"name": self.measure.pods_metric}, "target": target}}


def gpu_measure(spec: AIWorkloadSpec, settings: ServingSettings) -> Measure:
    """What a GPU target is measured by: of a slice of a GPU the exporter knows no utilisation, but a ratio."""
    if _gets_a_slice(spec):
        return Measure(pods_metric=settings.gpu_metric_mig, ratio=True)
    return Measure(pods_metric=settings.gpu_metric)


def targets(spec: AIWorkloadSpec, settings: ServingSettings) -> Iterator[Target]:
    """What `autoscaling` asks for, readable or not; CPU at Kubernetes' own default if it names nothing."""
    wanted = spec.autoscaling
    if wanted is None:
        return
    cpu, memory, gpu = (
        wanted.target_cpu_utilization,
        wanted.target_memory_utilization,
        wanted.target_gpu_utilization,
    )
    if cpu is None and memory is None and gpu is None:
        cpu = _DEFAULT_CPU
    if cpu is not None:
        yield Target("targetCPUUtilization", "CPU", Measure(resource="cpu"), cpu)
    if memory is not None:
        yield Target("targetMemoryUtilization", "memory", Measure(resource="memory"), memory)
    if gpu is not None:
        yield Target("targetGPUUtilization", "GPU", gpu_measure(spec, settings), gpu)


def asked_amounts(spec: AIWorkloadSpec) -> Mapping[str, str]:
    """What each server asks for, by resource: a limit without a request counts as one."""
    return {**spec.resources.limits, **spec.resources.requests}


def _gets_a_slice(spec: AIWorkloadSpec) -> bool:
    if any(name.startswith(GPU_SLICE) for name in asked_amounts(spec)):
        return True
    if spec.gpu is None:
        return False
    products = spec.gpu.product or []
    return spec.gpu.mig is not None or (bool(products) and all(_SLICED_PRODUCT in each for each in products))


def _amount(percent: int, *, ratio: bool) -> str:
    """As a quantity in its canonical form: any other would be rewritten, and never look like what we want."""
    if not ratio:
        return str(percent)
    return f"{percent * 10}m" if percent % 100 else str(percent // 100)
