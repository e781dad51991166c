"""What to do about a workload. Pure: a snapshot goes in, an ordered plan comes out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.controllers.serving.children.autoscaler import autoscaler
from aiop.controllers.serving.children.disruption import disruption_budget
from aiop.controllers.serving.children.revision import (
    controller_revision,
    revision_service,
    stable_service,
)
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.exposure.exposing import ExposurePlan, plan_exposure
from aiop.controllers.serving.exposure.handover import claimed_by_others
from aiop.controllers.serving.exposure.revisions import destination_of, with_servers
from aiop.controllers.serving.leftovers import (
    Deletion,
    beyond_history,
    not_asked_for,
)
from aiop.controllers.serving.monitoring import plan_monitors
from aiop.controllers.serving.names import FIELD_MANAGER, pod_selector, revision_name
from aiop.controllers.serving.observed import DeploymentState, Observed, replicas_owned_by_another
from aiop.controllers.serving.resize.giveback import given_back, steps_back
from aiop.controllers.serving.resize.plan import ResizePlan, plan_resize
from aiop.controllers.serving.resize.shape import TemplateResize, shaped_deployment, template_resizes
from aiop.controllers.serving.restored import restored_revisions
from aiop.controllers.serving.revision import KnownRevision, known_revisions, target_revision
from aiop.controllers.serving.rollout.plan import Revisions, RolloutPlan, plan_rollout
from aiop.controllers.serving.rollout.steps import RevisionState
from aiop.controllers.serving.scaling.plan import ScalingPlan, scaling_plan
from aiop.controllers.serving.settings import ServingSettings
from aiop.controllers.serving.specs import SpecCache
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.controller.children import Child


@dataclass(frozen=True, slots=True)
class Plan:
    """``steps`` are done in order, each a barrier for the next, then ``deletions``.

    A child of a kind in ``apart`` holds up no other step if it cannot be made, only the deletions.
    ``refusal`` is set when the spec cannot be served: then what serves is kept as it is and goes on serving.
    ``rollout`` says which way revisions change places, and when to look again though nothing has changed.
    ``resize`` says which servers get other amounts while they run, ``templates`` which ReplicaSets follow.
    ``exposure`` is None then, and may have a denial of its own else: that holds up nothing inside the cluster.
    """

    refusal: NotAccepted | None = None
    spec: AIWorkloadSpec | None = None
    target: KnownRevision | None = None
    known: tuple[KnownRevision, ...] = ()
    wanted: int = 0
    scaling: ScalingPlan | None = None
    rollout: RolloutPlan | None = None
    resize: ResizePlan | None = None
    templates: tuple[TemplateResize, ...] = ()
    exposure: ExposurePlan | None = None
    steps: tuple[tuple[Child, ...], ...] = ()
    apart: frozenset[Resource] = frozenset()
    deletions: tuple[Deletion, ...] = field(default=())


def make_plan(observed: Observed, specs: SpecCache, settings: ServingSettings, now: datetime) -> Plan:
    """The plan for a workload that is not being deleted; ``now`` is the API server's time."""
    stored = known_revisions(observed.revisions, observed.key.name)
    known = [*restored_revisions(observed, stored), *stored]
    try:
        spec = specs.workload(observed.workload)
        target = target_revision(observed.key.name, spec, known, observed.runtimes, settings)
    except NotAccepted as refusal:
        return _refused(observed, refusal, known, settings)
    scaling = scaling_plan(spec, settings, observed.autoscaler_metrics, observed.gpu_metric)
    resize = plan_resize(observed, spec, target, known, now)
    target = _numbered(resize.target, known)
    back = given_back(observed, [each for each in known if each.hash != target.hash])
    others = [back.get(each.hash, each) for each in known if each.hash != target.hash]
    plan = _accepted(observed, spec, scaling, target, others, settings, now)
    plan = replace(plan, resize=resize, templates=template_resizes(observed, [target, *others]))
    return _with_steps_back(plan, observed, back.values())


def _refused(
    observed: Observed, refusal: NotAccepted, known: Sequence[KnownRevision], settings: ServingSettings
) -> Plan:
    """Keep what there is, at the counts that it has: damage done by hand is repaired, and nothing else changes.

    But for a path outside that another workload asks for and this one no longer does.
    """
    back = given_back(observed, known)
    known = [back.get(each.hash, each) for each in known]
    live = [(each, state) for each in known if (state := observed.deployment_of(each.hash)) is not None]
    kept = [
        child
        for revision, state in live
        for child in (
            revision_service(observed.key, revision),
            shaped_deployment(
                observed, revision, _replicas(state, None), deadline=state.deadline, mark=str(state.mark or "")
            ),
        )
    ]
    if live:
        kept.append(stable_service(observed.key, live[-1][0], pod_selector(observed.key.name)))
    plan = Plan(
        refusal=refusal,
        target=known[-1] if known else None,
        known=tuple(known),
        wanted=max((state.desired for _, state in live), default=0),
        steps=(tuple(kept),) if kept else (),
        templates=template_resizes(observed, known),
        deletions=claimed_by_others(observed, settings.ways),
    )
    return _with_steps_back(plan, observed, back.values())


def _with_steps_back(plan: Plan, observed: Observed, given_up: Iterable[KnownRevision]) -> Plan:
    """They come before all else: whatever holds that up, no Deployment is left paused."""
    back = tuple(step for each in given_up for step in steps_back(observed, each))
    return replace(plan, steps=(*back, *plan.steps)) if back else plan


def _accepted(
    observed: Observed,
    spec: AIWorkloadSpec,
    scaling: ScalingPlan | None,
    target: KnownRevision,
    others: Sequence[KnownRevision],
    settings: ServingSettings,
    now: datetime,
) -> Plan:
    start = _start(spec)
    active = scaling is not None and scaling.active
    revisions = Revisions(target, others, [_state(observed, each) for each in (*others, target)])
    rollout = plan_rollout(observed, spec, revisions, scaling if active else None, start, now)
    deadline = spec.rollout.progress_deadline_seconds
    key = observed.key
    selector = pod_selector(key.name)
    serving = [target, *with_servers(observed, others)]
    exposure = plan_exposure(observed, settings.ways, destination_of(observed, spec, serving))
    monitors = plan_monitors(observed, serving, settings.monitor_labels)
    base = [
        stable_service(key, target, selector),
        revision_service(key, target),
        disruption_budget(key, selector),
        *exposure.children,
        *monitors.children,
        _deployment(observed, target, rollout, deadline),
    ]
    aim = [_aim(observed, scaling, rollout)] if scaling and active else []
    live_others = [each for each in others if observed.deployment_of(each.hash) is not None]
    rest = [
        child
        for each in live_others
        for child in (revision_service(key, each), _deployment(observed, each, rollout, deadline))
    ]
    deletions = [
        *beyond_history(observed, others),
        *not_asked_for(observed, scaled=active),
        *exposure.deletions,
        *monitors.deletions,
    ]
    order = (_records(key, [target, *others]), tuple(base), tuple(aim), tuple(rest))
    return Plan(
        spec=spec,
        target=target,
        known=(*others, target),
        wanted=_wanted(observed, target, rollout, start),
        scaling=_noted(scaling, rollout),
        rollout=rollout,
        exposure=exposure,
        steps=tuple(step for step in order if step),
        apart=frozenset(child.resource for child in (*_not_there_yet(observed, exposure), *monitors.children)),
        deletions=tuple(deletions),
    )


def _not_there_yet(observed: Observed, exposure: ExposurePlan) -> tuple[Child, ...]:
    """What is to expose the workload, unless something does already: then no server may go that it still leads to."""
    return exposure.children if observed.ingress is None and observed.http_route is None else ()


def _records(key: ObjectKey, revisions: Sequence[KnownRevision]) -> tuple[Child, ...]:
    """The target's record, and those that were lost (their number is 0)."""
    target, *others = revisions
    return tuple(controller_revision(key, each) for each in (target, *(each for each in others if not each.number)))


def _aim(observed: Observed, scaling: ScalingPlan, rollout: RolloutPlan) -> Child:
    serving = rollout.steps.serving
    live = observed.deployment_of(serving)
    allowed = rollout.scaling(scaling, live.desired if live else 0)
    return autoscaler(observed.key, allowed, revision_name(observed.key.name, serving))


def _noted(scaling: ScalingPlan | None, rollout: RolloutPlan) -> ScalingPlan | None:
    """With a word on what the rollout means for the autoscaler."""
    return replace(scaling, notes=(*scaling.notes, rollout.note)) if scaling and rollout.note else scaling


def _start(spec: AIWorkloadSpec) -> int:
    """The count to begin with: the autoscaler's bounds hold from the first moment."""
    scaling = spec.autoscaling
    if scaling is None or not scaling.enabled:
        return spec.replicas
    return min(max(spec.replicas, scaling.min_replicas), scaling.max_replicas)


def _wanted(observed: Observed, target: KnownRevision, rollout: RolloutPlan, start: int) -> int:
    """How many servers of the target there should be in the end."""
    if rollout.held:
        return rollout.wanted
    if target.hash in rollout.steps.counts and observed.autoscaler is None:
        return start
    state = observed.deployment_of(target.hash)
    return state.desired if state is not None and observed.autoscaler is not None else start


def _numbered(target: KnownRevision, known: Sequence[KnownRevision]) -> KnownRevision:
    """The target is always the newest use: a revision that comes back gets a new number."""
    newest = known[-1].number if known else 0
    if target.number and target.number == newest:
        return target
    return replace(target, number=newest + 1)


def _state(observed: Observed, revision: KnownRevision) -> RevisionState:
    live = observed.deployment_of(revision.hash)
    if live is None:
        return RevisionState(revision.hash, revision.number, 0, 0, 0, served=False)
    reached = observed.ready_pods(observed.key.name)
    behind = sum(pod.metadata.uid in reached for pod in observed.pods_of(revision.hash))
    return RevisionState(
        name=revision.hash,
        number=revision.number,
        desired=live.desired,
        existing=live.status.replicas,
        # A pod counts once traffic can reach it, not when the Deployment thinks so: no gap between the two.
        available=min(live.status.available_replicas, live.desired, behind),
        served=live.served,
    )


def _deployment(observed: Observed, revision: KnownRevision, rollout: RolloutPlan, deadline: int) -> Child:
    live = observed.deployment_of(revision.hash)
    replicas = _replicas(live, rollout.steps.counts.get(revision.hash))
    mark = rollout.mark_for(revision.hash, live.desired if live else 0)
    return shaped_deployment(observed, revision, replicas, deadline=deadline, mark=mark)


def _replicas(live: DeploymentState | None, count: int | None) -> int | None:
    """The count to write: ours; none while another owns it; else what is there, for letting go would reset it to 1."""
    if count is not None or live is None:
        return count or 0
    return None if replicas_owned_by_another(live.view, FIELD_MANAGER) else live.desired
