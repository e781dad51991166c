"""How the revisions of a workload change places in this pass: counts, marks, and what its autoscaler may do. Pure.

An autoscaler that has room follows the load throughout: the target is raised to the live count, then it moves. Where
revisions change places pod by pod it would measure a part of the servers only, so it is held at what that part has,
and the number in all stands in the mark.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.controllers.serving.names import REVISION_LABEL, revision_name
from aiop.controllers.serving.observed import Observed
from aiop.controllers.serving.revision import KnownRevision
from aiop.controllers.serving.rollout.mark import Mark
from aiop.controllers.serving.rollout.room import makes_room, shortage
from aiop.controllers.serving.rollout.steps import (
    Bounds,
    RevisionState,
    Steps,
    autoscaled_steps,
    keepers,
    rolling_steps,
    usual_surge,
)
from aiop.controllers.serving.rollout.way import Situation, Way, choose_way, for_new_amounts
from aiop.controllers.serving.scaling.plan import ScalingPlan


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """``way`` is None when no old server is left; ``wanted`` is the number in all while an autoscaler is held."""

    steps: Steps
    way: Way | None = None
    mark: Mark | None = None
    held: bool = False
    wanted: int = 0

    def mark_for(self, revision: str, live: int) -> str:
        """What the Deployment of a revision with so many pods carries; nothing once it has none."""
        return str(self.mark) if self.mark is not None and self.steps.counts.get(revision, live) else ""

    def scaling(self, plan: ScalingPlan, live: int) -> ScalingPlan:
        """What the autoscaler may do; ``live`` is the count of the one that it aims at."""
        if not self.held:
            return plan
        count = max(1, self.steps.counts.get(self.steps.serving, live))
        return replace(plan, minimum=count, maximum=count)

    @property
    def look_again(self) -> float | None:
        """Seconds after which the way may be another, though nothing has changed."""
        return self.way.look_again if self.way is not None else None

    @property
    def note(self) -> str:
        """A sentence on the autoscaler; empty if it is free."""
        return f"Until the rollout is over it is held at {self.wanted} servers in all." if self.held else ""


@dataclass(frozen=True, slots=True)
class Revisions:
    """The target, the other revisions that have a Deployment, and how all of them are."""

    target: KnownRevision
    others: Sequence[KnownRevision]
    states: Sequence[RevisionState]

    def keepers(self) -> list[RevisionState]:
        """The others that still count."""
        return keepers(self.target.hash, self.states)


def plan_rollout(
    observed: Observed,
    spec: AIWorkloadSpec,
    revisions: Revisions,
    scaling: ScalingPlan | None,
    start: int,
    now: datetime,
) -> RolloutPlan:
    """The next step; ``scaling`` is None without an autoscaler, ``start`` the number (with one: to begin with)."""
    target, states = revisions.target.hash, revisions.states
    marks = _marks(observed, revisions)
    aimed = _aimed_at(observed, revisions)
    wanted = start if scaling is None else _live_count(revisions, marks, aimed, scaling, start)
    situation = _situation(observed, revisions, marks, wanted, scaled=scaling is not None)
    way = choose_way(spec.rollout, situation, now) if revisions.keepers() else None
    if way is not None and revisions.target.restart:
        way = for_new_amounts(way, revisions.target.restart)
    if scaling is not None and not marks and (way is None or not way.pod_by_pod):
        return RolloutPlan(autoscaled_steps(target, states, aimed, start), way)
    if way is None:
        return RolloutPlan(rolling_steps(target, states, wanted, Bounds(surge=1)))
    held = scaling is not None
    mark = Mark(target, wanted, way.gives_way) if held or way.gives_way else None
    return RolloutPlan(rolling_steps(target, states, wanted, way.bounds), way, mark, held, wanted)


def _marks(observed: Observed, revisions: Revisions) -> list[Mark]:
    """What the Deployments that have pods carry."""
    live = (observed.deployment_of(each.hash) for each in (*revisions.others, revisions.target))
    return [each.mark for each in live if each is not None and each.desired and each.mark is not None]


def _aimed_at(observed: Observed, revisions: Revisions) -> str:
    """The revision that the autoscaler aims at; empty if there is none, or none that is known."""
    by_deployment = {revision_name(observed.key.name, each.name): each.name for each in revisions.states}
    return by_deployment.get(observed.autoscaler_target, "")


def _live_count(revisions: Revisions, marks: Sequence[Mark], aimed: str, scaling: ScalingPlan, start: int) -> int:
    """The number in all that the autoscaler has come to: where it aims, or what was marked when it was first held."""
    target = revisions.target.hash
    live = {state.name: state.desired for state in revisions.keepers()}
    own = next((state.desired for state in revisions.states if state.name == target), 0)
    count = max((mark.wanted for mark in marks), default=live.get(aimed, own or max(start, sum(live.values()))))
    return min(max(count, scaling.minimum), scaling.maximum)


def _situation(
    observed: Observed, revisions: Revisions, marks: Sequence[Mark], wanted: int, *, scaled: bool
) -> Situation:
    target = revisions.target
    kept = {state.name for state in revisions.keepers()}
    leaving = [each for each in revisions.others if each.hash in kept]
    sets = [each for each in observed.replica_sets if each.metadata.labels.get(REVISION_LABEL) == target.hash]
    short = shortage(observed.pods_of(target.hash), sets)
    lacking = short.lacking if short is not None else frozenset()
    names = dict.fromkeys(each.title for each in leaving)
    return Situation(
        coming=target.title,
        leaving=" and ".join(names),
        wanted=wanted,
        surge=wanted if scaled else usual_surge(wanted),
        shortage=short,
        fits=all(makes_room(each.data.pod, target.data.pod, lacking) for each in leaving),
        begun=any(mark.target == target.hash and mark.gives_way for mark in marks),
    )
