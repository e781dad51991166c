"""What the autoscaler reads and says, in `status.autoscaling`. Pure.

Its readings change every 15 seconds for as long as there is load. One that moved by less than a tenth of the target is
told as it was told last, unless the autoscaler wants another number; and `only_readings` lets the pace of writes tell
what is left from what matters.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from aiop.controllers.serving.scaling.condition import reason_of
from aiop.controllers.serving.scaling.plan import ScalingPlan
from aiop.controllers.serving.scaling.targets import Measure, Target
from aiop.runtime.controller.drift import quantity
from aiop.runtime.views.owned import AutoscalerStatus

# HorizontalPodAutoscalers themselves take a tenth off the target for no reason to act.
_STEP = Decimal("0.1")
# A thousand GPUs at 100 %: what is beyond is no reading.
_LARGEST = 100_000
_PERCENT = 100


class KnownReading(msgspec.Struct):
    """One of the metrics that a status tells."""

    name: str = ""
    current: str = ""


class KnownScaling(msgspec.Struct):
    """What a status tells of its autoscaler."""

    desired: int = 0
    reason: str = ""
    metrics: tuple[KnownReading, ...] = ()


def autoscaling_status(plan: ScalingPlan | None, live: AutoscalerStatus, told: KnownScaling | None) -> dict[str, Any]:
    """`status.autoscaling`; ``told`` is what it says now."""
    result: dict[str, Any] = {"desired": live.desired_replicas, "reason": reason_of(live)}
    if live.last_scale_time:
        result["lastScaleTime"] = live.last_scale_time
    known = told if told is not None and told.desired == live.desired_replicas else KnownScaling()
    metrics = list(_readings(plan, live, known))
    return result | ({"metrics": metrics} if metrics else {})


def only_readings(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """True if two statuses differ in nothing but what the autoscaler reads and in its words."""
    return _without_readings(before) == _without_readings(after)


def _readings(plan: ScalingPlan | None, live: AutoscalerStatus, told: KnownScaling) -> Iterator[dict[str, str]]:
    last = {each.name: each.current for each in told.metrics}
    for target in plan.targets if plan is not None else ():
        name = target.measure.name
        current = _current(target.measure, live)
        reading = {"name": name, "target": f"{target.percent}%"}
        if current is not None:
            reading["current"] = _steady(last.get(name, ""), current, target)
        yield reading


def _steady(last: str, current: int, target: Target) -> str:
    """The last reading as long as the new one is near it."""
    number = last.removesuffix("%")
    if number.isascii() and number.isdigit() and abs(int(number[:9]) - current) < _STEP * target.percent:
        return last
    return f"{current}%"


def _current(measure: Measure, live: AutoscalerStatus) -> int | None:
    """In percent; None while it has not been read, or cannot be."""
    for metric in live.current_metrics:
        if measure.resource and metric.resource is not None and metric.resource.name == measure.resource:
            read = metric.resource.current.average_utilization
            return None if read is None else _percent(Decimal(read), 1)
        if measure.pods_metric and metric.pods is not None and metric.pods.metric.name == measure.pods_metric:
            value = quantity(metric.pods.current.average_value)
            if isinstance(value, Decimal):
                return _percent(value, _PERCENT if measure.ratio else 1)
    return None


def _percent(value: Decimal, factor: int) -> int | None:
    return round(value * factor) if 0 <= value <= _LARGEST else None


def _without_readings(status: Mapping[str, Any]) -> dict[str, Any]:
    scaling = status.get("autoscaling") or {}
    words = scaling.get("reason", "")
    kept = {name: value for name, value in scaling.items() if name not in {"metrics", "reason"}}
    conditions = [
        {**each, "message": each.get("message", "").replace(words, "")} if each.get("type") == "ScalingActive" else each
        for each in status.get("conditions") or ()
    ]
    return {**status, "autoscaling": kept, "conditions": conditions}
