"""The spec cannot be served as it stands."""

from aiop.cli.explain.explanation import Finding
from aiop.cli.explain.workload.links.conditions import stated
from aiop.cli.explain.workload.replay import Scene


def not_accepted(scene: Scene) -> Finding | None:
    """Why it is refused: in the operator's words, or in those that it would have if it ran."""
    if scene.refusal is None:
        return None
    keeps = scene.evidence.observed.ready_pods(scene.evidence.observed.key.name)
    goes_on = "the last good revision goes on serving until then" if keeps else "nothing is served until then"
    return stated(scene, "Accepted", scene.refusal.reason, scene.refusal.message, next_step=goes_on)
