"""ScalingActive: who sets the number of servers, by what, and what holds it back. Pure."""

from aiop.controllers.serving.scaling.plan import ScalingPlan
from aiop.runtime.conditions.condition import Condition, condition
from aiop.runtime.views.owned import AutoscalerStatus
from aiop.runtime.views.workloads import Condition as Said

# An error of a metrics API may be a page; its beginning says what it is.
_WORDS = 400
# What the autoscaler calls a load that asks for more than maxReplicas.
_AT_MAXIMUM = "TooManyReplicas"
# A policy of `behavior`, or Kubernetes' own, that slows it down; at the minimum nothing is held back.
_LIMITS = frozenset({_AT_MAXIMUM, "ScaleUpLimit", "ScaleDownLimit"})


def scaling_active(plan: ScalingPlan | None, live: AutoscalerStatus | None, *, refused: bool) -> Condition:
    """The condition; ``live`` is what the autoscaler says, ``refused`` is true for a spec that makes no sense."""
    if plan is None and refused and live is not None:
        words = "the autoscaler of the last good spec goes on as it was"
        return condition("ScalingActive", True, "AutoscalerActive", words)
    if plan is None:
        return condition("ScalingActive", False, "AutoscalingOff", "spec.replicas sets the number of servers")
    if not plan.readable:
        return condition("ScalingActive", False, "NoUsableMetric", _without_metric(plan))
    return _told(plan, live)


def reason_of(live: AutoscalerStatus) -> str:
    """Why the autoscaler does what it does, in its own words: what keeps it from scaling, else what it scales by."""
    stuck, active = _said(live, "AbleToScale"), _said(live, "ScalingActive")
    return _shortened(stuck.message if stuck.status == "False" else active.message)


def _told(plan: ScalingPlan, live: AutoscalerStatus | None) -> Condition:
    words = reason_of(live) if live is not None else ""
    if live is not None and _said(live, "AbleToScale").status == "False":
        message = f"The autoscaler cannot scale: {words}."
        return condition("ScalingActive", False, "AutoscalerBlocked", _sentences(message, _aim(plan), *plan.notes))
    if live is None or _said(live, "ScalingActive").status != "True":
        message = f"The autoscaler waits: {words or 'it has not looked yet'}."
        return condition("ScalingActive", False, "AutoscalerWaiting", _sentences(message, _aim(plan), *plan.notes))
    limited = _said(live, "ScalingLimited")
    limit = f"It is limited: {_shortened(limited.message)}." if _limits(limited) else ""
    message = _sentences(_aim(plan), limit, *plan.notes)
    if limited.status == "True" and limited.reason == _AT_MAXIMUM:
        return condition("ScalingActive", True, "AtMaximum", message)
    return condition("ScalingActive", True, "AutoscalerActive", message)


def _without_metric(plan: ScalingPlan) -> str:
    if plan.active:
        then = "The autoscaler has nothing to read, and keeps the number of servers as it is until it has."
    else:
        bounds = f"between {plan.minimum} and {plan.maximum}"
        then = f"Nothing is scaled: until then spec.replicas sets the number of servers, {bounds}."
    return _sentences(*plan.notes, then)


def _aim(plan: ScalingPlan) -> str:
    return (
        f"The aim is {' and '.join(str(target) for target in plan.targets)}, between {plan.minimum} and {plan.maximum} "
        "servers, spec.replicas being the number to begin with; kubectl scale changes nothing."
    )


def _limits(limited: Said) -> bool:
    return limited.status == "True" and limited.reason in _LIMITS


def _said(live: AutoscalerStatus, kind: str) -> Said:
    return next((each for each in live.conditions if each.type == kind), Said(kind))


def _sentences(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _shortened(words: str) -> str:
    line = " ".join(words.split()).rstrip(".")
    return line if len(line) <= _WORDS else line[:_WORDS] + "…"
