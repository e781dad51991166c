"""What Prometheus is told of each AIWorkload: read off its status, so it never says other things than kubectl. Pure.

Values of labels are the schema's (name, version, framework) or come from the list of reasons: a status that somebody
else wrote adds none.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

import msgspec

from aiop.controllers.serving.reasons import REASONS
from aiop.runtime.conditions.condition import Condition
from aiop.runtime.manager.objectgauges import ObjectGauge, Sample
from aiop.runtime.views.custom import CustomObject

T = TypeVar("T")

INFO = ObjectGauge(
    "aiop_workload_info",
    "1; the labels are the version that serves, the ServingRuntime that it was made from, and the framework.",
    ("version", "runtime", "framework"),
)
CONDITION = ObjectGauge(
    "aiop_workload_condition", "1 while the condition is True; 0 while it is False, Unknown or not there.", ("type",)
)
REASON = ObjectGauge("aiop_workload_condition_reason", "1 for the reason that a condition has now.", ("type", "reason"))
SINCE = ObjectGauge(
    "aiop_workload_condition_transition_timestamp_seconds",
    "When the condition last became True or ceased to be; of Progressing, while it is 1: when the rollout began.",
    ("type",),
)
CREATED = ObjectGauge("aiop_workload_created_timestamp_seconds", "When the AIWorkload was created.")
DESIRED = ObjectGauge("aiop_workload_desired_replicas", "Servers that there should be, of all live versions together.")
EXISTING = ObjectGauge("aiop_workload_replicas", "Servers that exist.")
READY = ObjectGauge("aiop_workload_ready_replicas", "Servers that are ready.")
SCALING_DESIRED = ObjectGauge(
    "aiop_workload_autoscaling_desired_replicas", "Servers that the autoscaler wants; only once it has said so."
)
SCALING_MIN = ObjectGauge(
    "aiop_workload_autoscaling_min_replicas", "The autoscaler's lower bound; only while autoscaling is enabled."
)
SCALING_MAX = ObjectGauge(
    "aiop_workload_autoscaling_max_replicas", "The autoscaler's upper bound; only while autoscaling is enabled."
)
WORKLOAD_GAUGES = (
    *(INFO, CREATED, CONDITION, REASON, SINCE),
    *(DESIRED, EXISTING, READY, SCALING_DESIRED, SCALING_MIN, SCALING_MAX),
)

CONDITION_TYPES = tuple(sorted({kind for reason in REASONS for kind in reason.conditions}))
_REASONS = {(kind, reason.name) for reason in REASONS for kind in reason.conditions}
# What stands for a reason that is not in the list.
OTHER_REASON = "Other"


class _Version(msgspec.Struct):
    name: str = ""
    desired: int = 0
    runtime: str = ""


class _Scaling(msgspec.Struct):
    desired: int = 0


class _Status(msgspec.Struct, rename="camel"):
    replicas: int = 0
    ready_replicas: int = 0
    version: str = ""
    versions: tuple[_Version, ...] = ()
    autoscaling: _Scaling | None = None
    conditions: tuple[Condition, ...] = ()


class _Bounds(msgspec.Struct, rename="camel"):
    enabled: bool = False
    min_replicas: int = 1
    max_replicas: int = 10


class _Spec(msgspec.Struct):
    framework: str = ""
    autoscaling: _Bounds | None = None


def workload_samples(workload: CustomObject) -> Iterator[Sample]:
    """All samples of one workload; none once it is being deleted, since nobody looks after it any more."""
    if workload.metadata.deletion_timestamp:
        return
    status, spec = _decoded(workload.status, _Status), _decoded(workload.spec, _Spec)
    runtime = next((each.runtime for each in status.versions if each.name == status.version), "")
    yield Sample(INFO, 1, (status.version, runtime, spec.framework))
    created = _timestamp(workload.metadata.creation_timestamp)
    if created is not None:
        yield Sample(CREATED, created)
    yield Sample(DESIRED, sum(each.desired for each in status.versions))
    yield Sample(EXISTING, status.replicas)
    yield Sample(READY, status.ready_replicas)
    yield from _condition_samples({each.type: each for each in status.conditions})
    if status.autoscaling is not None:
        yield Sample(SCALING_DESIRED, status.autoscaling.desired)
    if spec.autoscaling is not None and spec.autoscaling.enabled:
        yield Sample(SCALING_MIN, spec.autoscaling.min_replicas)
        yield Sample(SCALING_MAX, spec.autoscaling.max_replicas)


def _condition_samples(conditions: dict[str, Condition]) -> Iterator[Sample]:
    for kind in CONDITION_TYPES:
        found = conditions.get(kind)
        yield Sample(CONDITION, found is not None and found.status == "True", (kind,))
        if found is not None:
            reason = found.reason if (kind, found.reason) in _REASONS else OTHER_REASON
            yield Sample(REASON, 1, (kind, reason))
            since = _timestamp(found.last_transition_time)
            if since is not None:
                yield Sample(SINCE, since, (kind,))


def _timestamp(text: str) -> float | None:
    """Seconds since 1970; None for what is no time with a zone."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.timestamp() if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _decoded(data: bytes, kind: type[T]) -> T:
    """An empty one if it makes no sense: the status will say what is wrong with the spec."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError):
        return kind()
