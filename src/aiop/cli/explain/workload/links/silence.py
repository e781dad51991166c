"""Nobody has looked at the spec yet: the operator is down, behind, or has only just been told."""

from aiop.cli.explain.explanation import Finding, Source
from aiop.cli.explain.workload.links.conditions import needed_and_unread
from aiop.cli.explain.workload.operator import Pulse, pulse_of
from aiop.cli.explain.workload.replay import Scene

REASON = "OperatorSilent"


def unseen(scene: Scene) -> Finding | None:
    """What is wanted is not on record, or not made, and nothing else stands in the way."""
    evidence = scene.evidence
    made = scene.planned and scene.deployment is not None
    if evidence.seen and (made or needed_and_unread(scene)):
        return None
    pulse = pulse_of(evidence)
    return Finding(
        REASON,
        _told(scene, pulse),
        pulse.source or Source("AIWorkload", evidence.observed.key.name, "status.observedGeneration"),
        next="nothing changes until the operator looks at it"
        if pulse.alive is not True
        else "it should look at any moment",
        fix=pulse.fix,
        numbers={"generation": evidence.generation, "observedGeneration": evidence.observed_generation},
    )


def _told(scene: Scene, pulse: Pulse) -> str:
    evidence = scene.evidence
    if not evidence.observed_generation:
        what = "the operator has said nothing of it yet"
    elif not evidence.seen:
        what = (
            f"the operator has not looked at generation {evidence.generation} yet; its status speaks of generation "
            f"{evidence.observed_generation}"
        )
    else:
        what = "the operator has not made the Deployment of the wanted revision yet"
    return f"{what}; {pulse.words}" if pulse.words else what
