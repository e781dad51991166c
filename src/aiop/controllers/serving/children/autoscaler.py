"""The HorizontalPodAutoscaler."""

from typing import Any

from aiop.controllers.serving.names import workload_labels
from aiop.controllers.serving.scaling.plan import ScalingPlan
from aiop.runtime.client.builtin import HORIZONTALPODAUTOSCALERS
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.children import Child


def autoscaler(workload: ObjectKey, plan: ScalingPlan, deployment: str) -> Child:
    """The HorizontalPodAutoscaler that aims at ``deployment``; only for an active plan.

    Without metrics Kubernetes would put its own default in.
    """
    spec: dict[str, Any] = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment},
        "minReplicas": plan.minimum,
        "maxReplicas": plan.maximum,
        "metrics": [target.metric for target in plan.targets],
    }
    if plan.behavior:
        spec["behavior"] = plan.behavior
    labels = workload_labels(workload.name)
    return Child(HORIZONTALPODAUTOSCALERS, workload, {"metadata": {"labels": labels}, "spec": spec})
