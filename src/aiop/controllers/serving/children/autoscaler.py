"""The HorizontalPodAutoscaler, and which metrics it may use."""

from dataclasses import dataclass

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.autoscaling import Autoscaling
from aiop.controllers.serving.names import workload_labels
from aiop.runtime.client.builtin import HORIZONTALPODAUTOSCALERS
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.children import Child

# What Kubernetes takes when nobody says.
_DEFAULT_CPU = 80


@dataclass(frozen=True, slots=True)
class ScalingPlan:
    """What autoscaling comes to. ``cpu`` is the CPU target in percent, None if it cannot be used.

    ``notes`` are sentences for the condition: what was left out, and why.
    """

    minimum: int
    maximum: int
    cpu: int | None
    notes: tuple[str, ...]

    @property
    def active(self) -> bool:
        """True if there is at least one metric to scale by."""
        return self.cpu is not None


def scaling_plan(spec: AIWorkloadSpec) -> ScalingPlan | None:
    """What `autoscaling` comes to, or None if it is off.

    An autoscaler with one metric that cannot be read never scales down, so a metric is put in only if it can be read.
    """
    wanted = spec.autoscaling
    if wanted is None or not wanted.enabled:
        return None
    cpu = _cpu_target(wanted)
    notes = []
    if cpu is not None and "cpu" not in {**spec.resources.limits, **spec.resources.requests}:
        notes.append(
            f"targetCPUUtilization {cpu} is left out: percent of what? Set resources.requests.cpu or .limits.cpu."
        )
        cpu = None
    if wanted.target_gpu_utilization is not None:
        notes.append(
            f"targetGPUUtilization {wanted.target_gpu_utilization} is left out: this cluster serves no GPU metric "
            "to autoscalers."
        )
    if spec.replicas not in range(wanted.min_replicas, wanted.max_replicas + 1):
        notes.append(
            f"spec.replicas {spec.replicas} is only the number to begin with, and lies outside "
            f"{wanted.min_replicas} to {wanted.max_replicas}."
        )
    return ScalingPlan(wanted.min_replicas, wanted.max_replicas, cpu, tuple(notes))


def autoscaler(workload: ObjectKey, plan: ScalingPlan, deployment: str) -> Child:
    """The HorizontalPodAutoscaler that aims at ``deployment``; only for an active plan."""
    target = {"type": "Utilization", "averageUtilization": plan.cpu}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment},
        "minReplicas": plan.minimum,
        "maxReplicas": plan.maximum,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    labels = workload_labels(workload.name)
    return Child(HORIZONTALPODAUTOSCALERS, workload, {"metadata": {"labels": labels}, "spec": spec})


def _cpu_target(wanted: Autoscaling) -> int | None:
    if wanted.target_cpu_utilization is not None:
        return wanted.target_cpu_utilization
    return _DEFAULT_CPU if wanted.target_gpu_utilization is None else None
