"""The workload is well, and its autoscaler is not free to do as asked; that holds nothing back now."""

from aiop.cli.explain.explanation import Finding
from aiop.cli.explain.workload.links.conditions import stated
from aiop.cli.explain.workload.replay import Scene

_TOLD_BY_AUTOSCALER = frozenset({"AutoscalerBlocked", "AutoscalerWaiting", "AtMaximum"})


def limited(scene: Scene) -> Finding | None:
    """What the autoscaler says of itself now; that no metric can be read is the operator's to say."""
    fresh = scene.conditions["ScalingActive"]
    if scene.evidence.observed.autoscaler is not None and fresh.reason in _TOLD_BY_AUTOSCALER:
        return stated(scene, "ScalingActive", fresh.reason, fresh.message, harmless=True)
    said = scene.evidence.conditions.get("ScalingActive")
    if said is not None and said.reason == "NoUsableMetric":
        return stated(scene, "ScalingActive", said.reason, said.message, harmless=True)
    return None
