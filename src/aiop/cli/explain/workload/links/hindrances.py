"""Children that cannot be made: their name is a stranger's, or the API server forbids them."""

from dataclasses import replace

from aiop.cli.explain.explanation import Finding, Source
from aiop.cli.explain.workload.advice import fix_of
from aiop.cli.explain.workload.details.quotas import exceeded
from aiop.cli.explain.workload.links.conditions import stated
from aiop.cli.explain.workload.replay import FORBIDDEN, Scene
from aiop.controllers.serving.refusals import TRIED_AGAIN

_AGAIN = "the operator tries again every minute"


def name_taken(scene: Scene) -> Finding | None:
    """An object that is not ours has the name of a child."""
    taken = scene.evidence.namesakes
    said = scene.evidence.conditions.get("Degraded")
    if taken:
        kind, _, name = taken[0].partition(" ")
        return Finding(
            "NameConflict",
            f"{', '.join(taken)} exists and belongs to somebody else, so the child of that name cannot be made",
            Source(kind, name, "metadata.ownerReferences"),
            next=_AGAIN,
            fix=fix_of("NameConflict"),
        )
    if said is not None and said.reason == "NameConflict":
        return stated(scene, "Degraded", said.reason, said.message, next_step=_AGAIN)
    return None


def forbidden(scene: Scene) -> Finding | None:
    """A child that the API server refused; the operator alone was told, so its condition is the source."""
    said = scene.evidence.conditions.get("Progressing")
    if said is None or said.status != "False" or said.reason not in FORBIDDEN:
        return None
    # The condition says all at once; the last time is the operator's own, whatever the server's words have in them.
    before, again, advice = said.message.rpartition(TRIED_AGAIN)
    found = stated(scene, "Progressing", said.reason, before if again else said.message, next_step=_AGAIN)
    return exceeded(scene.evidence, replace(found, fix=advice.removeprefix("; ") if again else found.fix))
