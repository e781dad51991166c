"""Findings that stand in a condition of the workload's own."""

from aiop.cli.explain.explanation import Finding, Source, Unread
from aiop.cli.explain.workload.advice import fix_of
from aiop.cli.explain.workload.replay import Scene

# Without these nothing can be said of servers by themselves.
_NEEDED = frozenset({"pods", "deployments", "controllerrevisions", "replicasets"})


def needed_and_unread(scene: Scene) -> list[Unread]:
    """The kinds that the caller may not read, and without which the conditions are all there is."""
    return [each for each in scene.evidence.unread if each.resource in _NEEDED]


def only_told(scene: Scene) -> Finding | None:
    """What the conditions say, where the children cannot be read."""
    if not needed_and_unread(scene):
        return None
    said = scene.evidence.conditions
    degraded, ready = said.get("Degraded"), said.get("Ready")
    if degraded is not None and degraded.status == "True":
        return stated(scene, "Degraded", degraded.reason, degraded.message)
    if ready is not None and ready.status == "False":
        return stated(scene, "Ready", ready.reason, ready.message)
    return None


def stated(
    scene: Scene, kind: str, reason: str, message: str, *, next_step: str = "", harmless: bool = False
) -> Finding:
    """What a condition says, or would say if the operator had looked."""
    name = scene.evidence.observed.key.name
    said = scene.evidence.conditions.get(kind)
    agreed = said is not None and said.reason == reason
    part = f"condition {kind}" if agreed else f"what the condition {kind} would say"
    return Finding(
        reason, message, Source("AIWorkload", name, part), next=next_step, fix=fix_of(reason), harmless=harmless
    )
