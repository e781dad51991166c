"""From facts to conditions: what is true, and the one sentence for each."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiop.controllers.serving.diagnosis import Cause
from aiop.controllers.serving.errors import ChildRefused, NotAccepted
from aiop.controllers.serving.exposure.outside import Outside
from aiop.controllers.serving.scaling.condition import scaling_active
from aiop.controllers.serving.scaling.plan import ScalingPlan
from aiop.runtime.conditions.condition import Condition, condition
from aiop.runtime.conditions.summary import Why, while_true
from aiop.runtime.views.owned import AutoscalerStatus

# Servers that are on their way, as far as is known.
_STARTING = frozenset({"PodsNotReady", "Evicted"})
# What a controller is expected to do to the outside address in a moment.
_UNDER_WAY = frozenset({"NotExposed", "GatewayPending"})


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What stood in the way of the plan: names that are a stranger's, and a child that the API server refused."""

    conflicts: tuple[str, ...] = ()
    refusal: NotAccepted | ChildRefused | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the conditions depend on. Counts are of the wanted revision, ``endpoints`` of all."""

    refusal: NotAccepted | None
    conflicts: tuple[str, ...]
    forbidden: Cause | None
    title: str  # of the wanted revision
    wanted: int
    ready: int
    enough: int  # with an autoscaler its minimum: growth does not unset Ready
    available: int
    rolled_before: bool
    others_running: int
    endpoints: int
    cause: Cause | None
    model: Condition
    deadline: int  # seconds without progress after which the rollout counts as stuck
    overdue: bool
    resizing: Cause | None  # servers of the wanted revision get other amounts while they run
    way: Cause | None  # how the wanted revision takes the others' place, while it does
    outside: Outside
    denied: NotAccepted | None  # what it asks for outside belongs to another workload
    scaling: ScalingPlan | None
    autoscaler: AutoscalerStatus | None

    @property
    def rolled_out(self) -> bool:
        """The wanted revision serves alone and in full number, as far as traffic reaches it."""
        hindered = self.refusal is not None or self.conflicts or self.forbidden is not None
        full = self.available >= self.enough and not self.partly_reached
        return not hindered and not self.others_running and full and self.resizing is None

    @property
    def partly_reached(self) -> bool:
        """Some servers that are available do not stand behind the Service yet: its endpoints follow a moment later."""
        return 0 < self.endpoints < self.enough

    @property
    def stalled(self) -> Cause | None:
        """What will not mend itself."""
        if self.refusal is not None:
            return Cause(self.refusal.reason, self.refusal.message)
        if self.conflicts:
            return Cause("NameConflict", _conflict_message(self.conflicts))
        if self.forbidden is not None:
            return self.forbidden
        if self.overdue and not self.rolled_out:
            known = self.way is not None and self.way.reason not in {"RollingOut", "RestartNeeded"}
            why = self.way.message if self.way is not None and known else self.waiting_for
            return Cause("ProgressDeadlineExceeded", f"no progress for {self.deadline} s: {why}")
        return None

    @property
    def closed_outside(self) -> Cause | None:
        """Why servers that answer cannot be reached from outside as asked."""
        if not self.endpoints or self.outside.ok:
            return None
        return Cause(self.outside.reason, self.outside.message)

    @property
    def waiting_for(self) -> str:
        """Why the wanted revision does not serve in full."""
        if self.cause is not None:
            return self.cause.message
        if self.resizing is not None:
            return self.resizing.message
        if self.others_running and self.available >= self.enough:
            return "the last revision's servers are leaving"
        if self.available >= self.enough and self.partly_reached:
            return f"{self.endpoints} of {self.wanted} servers stand behind the Service"
        return f"{self.available} of {self.wanted} servers are available"


def conditions_of(facts: Facts) -> Sequence[Condition]:
    """Every condition, in a fixed order; Reconciling and Stalled only while true (kstatus)."""
    always = [
        _accepted(facts),
        _ready(facts),
        _available(facts),
        _progressing(facts),
        _endpoint_ready(facts),
        scaling_active(facts.scaling, facts.autoscaler, refused=facts.refusal is not None),
        facts.model,
        _degraded(facts),
    ]
    stalled, reconciling = _stalled(facts), _reconciling(facts)
    return [
        *always,
        *while_true(
            stalled=Why(stalled.reason, stalled.message) if stalled else None,
            reconciling=Why(reconciling.reason, reconciling.message) if reconciling else None,
        ),
    ]


def _stalled(facts: Facts) -> Cause | None:
    """What will not mend itself, outside included once the rollout is over."""
    if facts.stalled is not None or not facts.rolled_out:
        return facts.stalled
    outside = facts.closed_outside
    return _denied(facts) or (outside if outside is not None and outside.reason not in _UNDER_WAY else None)


def _reconciling(facts: Facts) -> Cause | None:
    """What is under way."""
    if not facts.rolled_out:
        return facts.resizing or Cause("RollingOut", _rolling_message(facts))
    outside = facts.closed_outside
    return outside if outside is not None and outside.reason in _UNDER_WAY else None


def _denied(facts: Facts) -> Cause | None:
    return Cause(facts.denied.reason, facts.denied.message) if facts.denied else None


def _accepted(facts: Facts) -> Condition:
    refusal = facts.refusal or facts.denied
    if refusal is not None:
        return condition("Accepted", False, refusal.reason, refusal.message)
    return condition("Accepted", True, "Accepted", "the spec makes sense and all that it names was found")


def _ready(facts: Facts) -> Condition:
    hindered = facts.stalled or _denied(facts)
    if hindered is not None:
        return condition("Ready", False, hindered.reason, hindered.message)
    if not facts.rolled_out:
        why = facts.resizing if facts.cause is None else Cause(facts.cause.reason, _rolling_message(facts))
        why = why or Cause("RollingOut", _rolling_message(facts))
        return condition("Ready", False, why.reason, why.message)
    if not facts.wanted:
        return condition("Ready", True, "ScaledToZero", "spec.replicas is 0: nothing serves, as asked")
    if not facts.endpoints:
        return condition("Ready", False, "NoReadyEndpoint", "no ready server stands behind the Service yet")
    if facts.closed_outside is not None:
        return condition("Ready", False, facts.closed_outside.reason, facts.closed_outside.message)
    return condition(
        "Ready", True, "Serving", f"{facts.title} serves with {facts.ready} of {facts.wanted} servers ready"
    )


def _available(facts: Facts) -> Condition:
    if facts.endpoints:
        words = "1 server takes requests" if facts.endpoints == 1 else f"{facts.endpoints} servers take requests"
        return condition("Available", True, "EndpointsReady", words)
    reason, message = _no_endpoint(facts)
    return condition("Available", False, reason, message)


def _no_endpoint(facts: Facts) -> tuple[str, str]:
    if facts.refusal is None and not facts.wanted:
        return "ScaledToZero", "spec.replicas is 0"
    return "NoReadyEndpoint", f"no server takes requests: {facts.waiting_for}"


def _progressing(facts: Facts) -> Condition:
    stalled = facts.stalled
    if stalled is not None:
        return condition("Progressing", False, stalled.reason, stalled.message)
    if facts.rolled_out:
        return condition("Progressing", False, "RolloutComplete", f"{facts.title} is fully rolled out")
    if facts.resizing is not None:
        return condition("Progressing", True, facts.resizing.reason, facts.resizing.message)
    if facts.way is None:
        return condition("Progressing", True, "RollingOut", _rolling_message(facts))
    counted = f"{facts.available} of {facts.wanted} servers of {facts.title} are available"
    return condition("Progressing", True, facts.way.reason, f"{facts.way.message}; {counted}")


def _rolling_message(facts: Facts) -> str:
    others = "; the last revision serves meanwhile" if facts.others_running and facts.endpoints else ""
    return f"rolling out {facts.title}: {facts.waiting_for}{others}"


def _endpoint_ready(facts: Facts) -> Condition:
    if not facts.endpoints:
        reason, message = _no_endpoint(facts)
        return condition("EndpointReady", False, reason, message)
    return condition("EndpointReady", facts.outside.ok, facts.outside.reason, facts.outside.message)


def _degraded(facts: Facts) -> Condition:
    if facts.conflicts:
        return condition("Degraded", True, "NameConflict", _conflict_message(facts.conflicts))
    if facts.forbidden is not None:
        return condition("Degraded", True, facts.forbidden.reason, facts.forbidden.message)
    cause = facts.cause
    # Servers that merely start are no defect, unless they had all been there before, and are needed.
    lost = facts.rolled_before and facts.available < facts.enough
    if cause is not None and (cause.reason not in _STARTING or lost):
        return condition("Degraded", True, cause.reason, cause.message)
    return condition("Degraded", False, "Healthy", "nothing is wrong")


def _conflict_message(conflicts: Sequence[str]) -> str:
    return (
        f"{', '.join(conflicts)} exists and belongs to somebody else: rename or delete it, or rename this workload; "
        "it is looked at again every minute"
    )
