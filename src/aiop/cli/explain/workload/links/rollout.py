"""The wanted revision does not serve alone yet, though nothing is wrong with its servers."""

from aiop.cli.explain.explanation import Finding
from aiop.cli.explain.workload.links.conditions import needed_and_unread, stated
from aiop.cli.explain.workload.links.servers import deadline_of
from aiop.cli.explain.workload.replay import Scene


def rolling(scene: Scene) -> Finding | None:
    """How the rollout goes."""
    # What is under way by the operator's settings is the operator's to say.
    said = (scene.conditions if scene.resolved else scene.evidence.conditions).get("Progressing")
    if said is None or needed_and_unread(scene):
        return None
    if said.status == "True":
        found = stated(scene, "Progressing", said.reason, said.message)
        deadline = deadline_of(scene)
        if deadline is None:
            return _with(found, "it goes on by itself")
        return Finding(
            found.reason,
            found.message,
            found.source,
            next="it goes on by itself; without progress it counts as stuck",
            at=deadline,
            fix=found.fix,
        )
    if said.reason == "ProgressDeadlineExceeded":
        return stated(scene, "Progressing", said.reason, said.message, next_step="the last good revision goes on")
    return None


def _with(found: Finding, next_step: str) -> Finding:
    return Finding(found.reason, found.message, found.source, next=next_step, fix=found.fix)
