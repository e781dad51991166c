"""What to do about a workload. Pure: a snapshot goes in, an ordered plan comes out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.controllers.serving.children.autoscaler import ScalingPlan, autoscaler, scaling_plan
from aiop.controllers.serving.children.disruption import disruption_budget
from aiop.controllers.serving.children.exposure import ingress
from aiop.controllers.serving.children.revision import (
    controller_revision,
    deployment,
    revision_service,
    stable_service,
)
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.names import FIELD_MANAGER, REVISION_LABEL, pod_selector, revision_name
from aiop.controllers.serving.observed import DeploymentState, Observed, replicas_owned_by_another
from aiop.controllers.serving.revision import KnownRevision, known_revisions, target_revision
from aiop.controllers.serving.rollout import RevisionState, Steps, autoscaled_steps, rolling_steps
from aiop.controllers.serving.settings import ServingSettings
from aiop.controllers.serving.specs import SpecCache
from aiop.runtime.client.builtin import (
    CONTROLLERREVISIONS,
    DEPLOYMENTS,
    HORIZONTALPODAUTOSCALERS,
    INGRESSES,
    SERVICES,
)
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.controller.children import Child
from aiop.runtime.views.owned import Owned

# Old revisions without pods that are kept, so that a version set back comes back as it was.
HISTORY = 2


@dataclass(frozen=True, slots=True)
class Deletion:
    """One object to delete, and no other of its name."""

    resource: Resource
    key: ObjectKey
    uid: str


@dataclass(frozen=True, slots=True)
class Plan:
    """``steps`` are done in order, each a barrier for the next, then ``deletions``.

    ``refusal`` is set when the spec cannot be served: then nothing is touched and what serves goes on serving.
    """

    refusal: NotAccepted | None = None
    spec: AIWorkloadSpec | None = None
    target: KnownRevision | None = None
    known: tuple[KnownRevision, ...] = ()
    states: tuple[RevisionState, ...] = ()
    wanted: int = 0
    scaling: ScalingPlan | None = None
    steps: tuple[tuple[Child, ...], ...] = ()
    deletions: tuple[Deletion, ...] = field(default=())


def make_plan(observed: Observed, specs: SpecCache, settings: ServingSettings) -> Plan:
    """The plan for a workload that is not being deleted."""
    known = known_revisions(observed.revisions, REVISION_LABEL)
    states = tuple(_state(observed, revision) for revision in known)
    try:
        spec = specs.workload(observed.workload)
        target = target_revision(spec, known, observed.runtimes, settings)
    except NotAccepted as refusal:
        newest = known[-1] if known else None
        wanted = max((state.desired for state in states), default=0)
        return Plan(refusal=refusal, target=newest, known=tuple(known), states=states, wanted=wanted)
    numbered = _numbered(target, known)
    return _accepted(observed, spec, numbered, [each for each in known if each.hash != target.hash], states)


def _accepted(
    observed: Observed,
    spec: AIWorkloadSpec,
    target: KnownRevision,
    others: Sequence[KnownRevision],
    states: tuple[RevisionState, ...],
) -> Plan:
    scaling = scaling_plan(spec)
    start = _start(spec)
    active = scaling is not None and scaling.active
    steps = _steps(observed, target, states, start) if active else rolling_steps(target.hash, states, start)
    key = observed.key
    selector = pod_selector(key.name)
    exposure = ingress(key, spec)
    base = [
        stable_service(key, target, selector),
        revision_service(key, target),
        disruption_budget(key, selector),
        *([exposure] if exposure else []),
        _deployment(observed, target, steps),
    ]
    aim = [autoscaler(key, scaling, revision_name(key.name, steps.serving))] if scaling and active else []
    live_others = [each for each in others if observed.deployment_of(each.hash) is not None]
    rest = [
        child for each in live_others for child in (revision_service(key, each), _deployment(observed, each, steps))
    ]
    deletions = [*_history(observed, others), *_dropped_children(observed, exposure, active=active)]
    order = ((controller_revision(key, target),), tuple(base), tuple(aim), tuple(rest))
    return Plan(
        spec=spec,
        target=target,
        known=(*others, target),
        states=states,
        wanted=_wanted(observed, target, steps, start),
        scaling=scaling,
        steps=tuple(step for step in order if step),
        deletions=tuple(deletions),
    )


def _steps(observed: Observed, target: KnownRevision, states: Sequence[RevisionState], start: int) -> Steps:
    by_name = {revision_name(observed.key.name, state.name): state.name for state in states}
    return autoscaled_steps(target.hash, states, by_name.get(observed.autoscaler_target, ""), start)


def _start(spec: AIWorkloadSpec) -> int:
    """The count to begin with: the autoscaler's bounds hold from the first moment."""
    scaling = spec.autoscaling
    if scaling is None or not scaling.enabled:
        return spec.replicas
    return min(max(spec.replicas, scaling.min_replicas), scaling.max_replicas)


def _wanted(observed: Observed, target: KnownRevision, steps: Steps, start: int) -> int:
    """How many servers of the target there should be in the end."""
    if target.hash in steps.counts and observed.autoscaler is None:
        return start
    state = observed.deployment_of(target.hash)
    return state.desired if state is not None and observed.autoscaler is not None else start


def _numbered(target: KnownRevision, known: Sequence[KnownRevision]) -> KnownRevision:
    """The target is always the newest use: a revision that comes back gets a new number."""
    newest = known[-1].number if known else 0
    if target.number and target.number == newest:
        return target
    return KnownRevision(target.hash, newest + 1, target.data)


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


def _deployment(observed: Observed, revision: KnownRevision, steps: Steps) -> Child:
    live = observed.deployment_of(revision.hash)
    return deployment(observed.key, revision, _replicas(live, steps.counts.get(revision.hash)))


def _replicas(live: DeploymentState | None, count: int | None) -> int | None:
    """The count to write: ours; none while another owns it; else what is there, for letting go would reset it to 1."""
    if count is not None or live is None:
        return count or 0
    return None if replicas_owned_by_another(live.view, FIELD_MANAGER) else live.desired


def _history(observed: Observed, others: Sequence[KnownRevision]) -> list[Deletion]:
    """Old revisions beyond the history that have no pods any more."""
    idle = [
        revision
        for revision in others
        if (live := observed.deployment_of(revision.hash)) is None or not (live.desired or live.status.replicas)
    ]
    deletions = []
    for revision in sorted(idle, key=lambda each: each.number)[: max(0, len(idle) - HISTORY)]:
        name = revision_name(observed.key.name, revision.hash)
        live = observed.deployment_of(revision.hash)
        service = observed.services.get(name)
        stored = next(each for each in observed.revisions if each.metadata.name == name)
        deletions += [_deletion(DEPLOYMENTS, live.view)] if live else []
        deletions += [_deletion(SERVICES, service)] if service else []
        deletions.append(Deletion(CONTROLLERREVISIONS, ObjectKey(observed.key.namespace, name), stored.metadata.uid))
    return deletions


def _dropped_children(observed: Observed, exposure: Child | None, *, active: bool) -> list[Deletion]:
    """Children that the spec no longer asks for."""
    dropped = []
    if exposure is None and observed.ingress is not None:
        dropped.append(_deletion(INGRESSES, observed.ingress))
    if not active and observed.autoscaler is not None:
        dropped.append(_deletion(HORIZONTALPODAUTOSCALERS, observed.autoscaler))
    return dropped


def _deletion(resource: Resource, view: Owned) -> Deletion:
    meta = view.metadata
    return Deletion(resource, ObjectKey(meta.namespace, meta.name), meta.uid)
