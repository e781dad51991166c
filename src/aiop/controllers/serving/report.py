"""What to say of a workload: its status, purely from the snapshot and the plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from aiop.controllers.serving.causes.template import template_of
from aiop.controllers.serving.diagnosis import Case, Cause, Diagnosis, diagnose
from aiop.controllers.serving.errors import ChildRefused, NotAccepted
from aiop.controllers.serving.exposure.outside import outside
from aiop.controllers.serving.modelready import model_ready, no_model
from aiop.controllers.serving.names import REVISION_LABEL, pod_selector, revision_name
from aiop.controllers.serving.observed import Observed
from aiop.controllers.serving.plan import Plan
from aiop.controllers.serving.scaling.readings import KnownScaling, autoscaling_status, only_readings
from aiop.controllers.serving.verdict import Facts, Hindrance, conditions_of
from aiop.runtime.conditions.condition import Condition, merge_conditions
from aiop.runtime.views.owned import AutoscalerStatus


class _Known(msgspec.Struct):
    conditions: tuple[Condition, ...] = ()
    url: str = ""
    autoscaling: KnownScaling | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The status to write, and the conditions that it replaces (for events).

    ``only_readings`` is true if nothing is new but what the autoscaler reads and says; ``look_again`` are the seconds
    after which there may be more to say, though nothing has changed.
    """

    status: bytes
    before: tuple[Condition, ...]
    after: tuple[Condition, ...]
    only_readings: bool = False
    look_again: float | None = None


def make_report(observed: Observed, plan: Plan, hindrance: Hindrance, now: datetime) -> Report:
    """The status for this generation."""
    known = _known(observed.workload.status)
    before = known.conditions
    generation = observed.workload.metadata.generation
    case = case_of(observed, plan, now)
    diagnosis = diagnose(case) if plan.target is not None else Diagnosis()
    facts = _facts(observed, plan, hindrance, case, diagnosis.cause, grows=_grows(before, generation))
    after = merge_conditions(before, conditions_of(facts), now=now, generation=generation)
    versions = _versions(observed, plan, facts)
    status: dict[str, Any] = {
        "observedGeneration": generation,
        "url": _url(observed, facts) if plan.spec or _given_up(observed, known) else known.url,
        "replicas": len(observed.live_pods),
        "readyReplicas": sum(pod.ready for pod in observed.pods),
        "selector": ",".join(f"{name}={value}" for name, value in pod_selector(observed.key.name).items()),
        "version": _serving_version(versions, plan),
        "versions": versions,
        "conditions": msgspec.to_builtins(after),
    }
    if facts.autoscaler is not None:
        status["autoscaling"] = autoscaling_status(plan.scaling, facts.autoscaler, known.autoscaling)
    same = bool(before) and only_readings(msgspec.json.decode(observed.workload.status), status)
    return Report(msgspec.json.encode(status), before, after, only_readings=same, look_again=diagnosis.look_again)


def _known(status: bytes) -> _Known:
    """What a status says already; nothing if it makes no sense."""
    try:
        return msgspec.json.decode(status, type=_Known)
    except msgspec.DecodeError:
        return _Known()


def _grows(before: Sequence[Condition], generation: int) -> bool:
    """True while this generation has not been there in full: what is missing was never there, so it is no loss.

    What was lost before the spec changed stays lost; of a workload without a status nothing is known.
    """
    told = {each.type: each for each in before}
    ready, degraded = told.get("Ready"), told.get("Degraded")
    if ready is None or degraded is None or degraded.status == "True":
        return False
    return ready.status != "True" or ready.observed_generation != generation


def case_of(observed: Observed, plan: Plan, now: datetime) -> Case:
    """The wanted revision's pods and all that may be wrong with them."""
    target = plan.target.hash if plan.target else ""
    live = observed.deployment_of(target)
    scaled = plan.scaling is not None and plan.scaling.active and not (plan.rollout and plan.rollout.held)
    return Case(
        pods=observed.pods_of(target),
        desired=live.desired if live and scaled else plan.wanted,
        now=now,
        replica_sets=[each for each in observed.replica_sets if each.metadata.labels.get(REVISION_LABEL) == target],
        evicted=observed.evicted_pods_of(target),
        template=template_of(plan.target.data.pod if plan.target else {}),
    )


def _facts(
    observed: Observed, plan: Plan, hindrance: Hindrance, case: Case, cause: Cause | None, *, grows: bool
) -> Facts:
    reached = len(observed.ready_pods(observed.key.name))
    target = plan.target.hash if plan.target else ""
    live = observed.deployment_of(target)
    wanted, rollout = case.desired, plan.rollout
    others = [
        state.view.metadata.name
        for name, state in observed.deployments.items()
        if name != revision_name(observed.key.name, target) and (state.desired or state.status.replicas)
    ]
    autoscaler = observed.autoscaler.status_as(AutoscalerStatus) if observed.autoscaler else None
    refused = hindrance.refusal
    return Facts(
        refusal=plan.refusal or (refused if isinstance(refused, NotAccepted) else None),
        conflicts=hindrance.conflicts,
        forbidden=Cause(refused.reason, refused.message) if isinstance(refused, ChildRefused) else None,
        title=plan.target.title if plan.target else "",
        wanted=wanted,
        ready=sum(pod.ready for pod in case.pods),
        enough=min(plan.scaling.minimum, wanted) if plan.scaling and plan.scaling.active else wanted,
        available=live.status.available_replicas if live and live.current else 0,
        rolled_before=live is not None and live.served and not grows,
        others_running=len(others),
        endpoints=reached,
        cause=cause,
        model=model_ready(case, plan.target.data.model_uri, cause) if plan.target else no_model(plan.refusal),
        deadline=live.deadline if live is not None else 0,
        overdue=live is not None and live.overdue,
        resizing=plan.resize.told if plan.resize is not None else None,
        way=rollout.way.told if rollout is not None and rollout.way is not None else None,
        outside=outside(observed, plan.exposure),
        denied=plan.exposure.denial if plan.exposure else None,
        scaling=plan.scaling,
        autoscaler=autoscaler,
    )


def _versions(observed: Observed, plan: Plan, facts: Facts) -> list[dict[str, Any]]:
    reached = observed.ready_pods(observed.key.name)
    rows = []
    for revision in plan.known:
        live = observed.deployment_of(revision.hash)
        is_target = plan.target is not None and revision.hash == plan.target.hash
        if not is_target and (live is None or not (live.desired or live.status.replicas)):
            continue
        pods = observed.pods_of(revision.hash)
        behind = sum(pod.metadata.uid in reached for pod in pods)
        rows.append(
            {
                "name": revision.data.version,
                "revision": revision_name(observed.key.name, revision.hash),
                "ready": sum(pod.ready for pod in pods),
                "desired": live.desired if live else 0,
                "traffic": round(100 * behind / len(reached)) if reached else 0,
                "state": ("Serving" if facts.rolled_out else "Progressing") if is_target else "Retiring",
                "modelUri": revision.data.model_uri,
                "runtime": revision.data.runtime,
            }
        )
    return rows


def _serving_version(versions: Sequence[dict[str, Any]], plan: Plan) -> str:
    """The version that most of the traffic goes to; before there is any, the one that is wanted."""
    busiest = max(versions, key=lambda row: row["traffic"], default=None)
    if busiest and busiest["traffic"]:
        return str(busiest["name"])
    return plan.target.data.version if plan.target else ""


def _given_up(observed: Observed, known: _Known) -> bool:
    """Nothing is exposed any more, whatever was told before."""
    return bool(known.url) and observed.ingress is None and observed.http_route is None


def _url(observed: Observed, facts: Facts) -> str:
    """The outside URL once one is known; until then the Service's own."""
    return facts.outside.url or f"http://{observed.key.name}.{observed.key.namespace}.svc"
