"""What the operator would say now, by its own plan and verdict, of what the caller may read. Pure.

So the same state has the same cause here and in the conditions, and there is one even while no operator runs. What an
administrator set for the operator is not known here: of a revision that is on record nothing depends on it, and what
does (who has which path outside, where models lie) is taken from the conditions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.cli.explain.workload.evidence import Evidence
from aiop.controllers.serving.diagnosis import Case, Cause, Diagnosis, diagnose
from aiop.controllers.serving.errors import ChildRefused, NotAccepted
from aiop.controllers.serving.names import revision_name
from aiop.controllers.serving.observed import DeploymentState, Observed
from aiop.controllers.serving.plan import Plan, make_plan
from aiop.controllers.serving.report import case_of, make_report
from aiop.controllers.serving.settings import ServingSettings
from aiop.controllers.serving.specs import SpecCache
from aiop.controllers.serving.verdict import Hindrance
from aiop.runtime.conditions.condition import Condition
from aiop.runtime.views.custom import CustomObject

# Of what belongs to another workload outside, the rest of the spec is accepted.
CLAIMED = frozenset({"PathTaken", "HostTaken"})
# A child that the API server forbids; only the operator, whose write it was, was told.
FORBIDDEN = frozenset(
    {"QuotaExceeded", "AdmissionDenied", "AdmissionFailed", "NamespaceTerminating", "RightMissing", "ChildRefused"}
)
# What a spec is refused for depends on the operator's settings, and on what the caller cannot see.
_UNSURE = frozenset({"NoModelSource"})


@dataclass(frozen=True, slots=True)
class Scene:
    """The evidence and what follows from it; ``conditions`` are those of now, by type.

    ``spec`` is None for one that makes no sense, ``refusal`` is why the spec cannot be served, ``planned`` is false
    if the wanted revision is not on record yet, ``resolved`` if how it goes on is the operator's alone to say.
    """

    evidence: Evidence
    spec: AIWorkloadSpec | None
    plan: Plan
    case: Case
    diagnosis: Diagnosis
    conditions: Mapping[str, Condition]
    refusal: NotAccepted | None
    planned: bool
    resolved: bool

    @property
    def cause(self) -> Cause | None:
        """Why not all servers of the wanted revision are ready."""
        return self.diagnosis.cause

    @property
    def wanted(self) -> int:
        """How many servers there should be; before there is a revision as many as the spec says."""
        if self.planned or self.spec is None:
            return self.case.desired
        scaling = self.spec.autoscaling
        least = scaling.min_replicas if scaling is not None and scaling.enabled else 0
        return max(self.spec.replicas, least)

    @property
    def deployment(self) -> DeploymentState | None:
        """That of the wanted revision."""
        return self.evidence.observed.deployment_of(self.plan.target.hash) if self.plan.target else None


class _Recorded(SpecCache):
    """Specs whose recorded revision counts, whatever today's operator and runtimes would make of them."""

    def workload(self, view: CustomObject) -> AIWorkloadSpec:
        return super().workload(view).model_copy(update={"update_policy": "Pinned"})


def replayed(evidence: Evidence) -> Scene:
    """The operator's own words for the moment of the evidence."""
    observed = evidence.observed
    plan = make_plan(observed, _Recorded(), ServingSettings(), evidence.now)
    resolved = not evidence.seen or (plan.refusal is None and _recorded(observed, plan))
    if not resolved:
        # The operator knows what it made of the spec: its newest revision, whatever would be made of it here.
        plan = make_plan(observed, _Unresolved(), ServingSettings(), evidence.now)
    plan = _without_guesses(evidence, plan)
    refusal = plan.refusal
    hindrance = Hindrance(tuple(evidence.namesakes), _forbidden(evidence))
    report = make_report(observed, plan, hindrance, evidence.now)
    case = case_of(observed, plan, evidence.now)
    return Scene(
        evidence,
        _spec(observed.workload),
        plan,
        case,
        diagnose(case) if plan.target is not None else Diagnosis(),
        {each.type: each for each in report.after},
        refusal,
        planned=_recorded(observed, plan),
        resolved=resolved,
    )


class _Unresolved(SpecCache):
    """Specs of which it is not known here what they come to."""

    def workload(self, view: CustomObject) -> NoReturn:  # noqa: ARG002 - whatever it is
        reason = next(iter(_UNSURE))
        raise NotAccepted(reason, "")


def _recorded(observed: Observed, plan: Plan) -> bool:
    if plan.target is None:
        return False
    name = revision_name(observed.key.name, plan.target.hash)
    return any(each.metadata.name == name for each in observed.revisions)


def _spec(workload: CustomObject) -> AIWorkloadSpec | None:
    try:
        return SpecCache().workload(workload)
    except NotAccepted:
        return None


def _without_guesses(evidence: Evidence, plan: Plan) -> Plan:
    """What the operator has said of the spec counts; without that, what certainly is wrong with it.

    What is outside is judged by the objects that there are alone.
    """
    said = evidence.conditions.get("Accepted")
    if said is not None and said.status == "False" and said.reason not in CLAIMED:
        refusal: NotAccepted | None = NotAccepted(said.reason, said.message)
    elif said is not None and said.status == "True":
        refusal = None
    else:
        refusal = plan.refusal if plan.refusal is not None and _sure(evidence, plan.refusal) else None
    return replace(plan, refusal=refusal, exposure=None)


def _sure(evidence: Evidence, refusal: NotAccepted) -> bool:
    """The operator brings the default runtimes: where none are seen it may not have run yet, or one may not look."""
    if refusal.reason == "InvalidSpec":
        return True
    return refusal.reason not in _UNSURE and bool(evidence.observed.runtimes)


def _forbidden(evidence: Evidence) -> ChildRefused | None:
    """A write of the operator's that was refused, as its conditions say."""
    said = evidence.conditions.get("Progressing")
    if said is None or said.status != "False" or said.reason not in FORBIDDEN:
        return None
    return ChildRefused(said.reason, said.message)
