"""How many replicas a resource metric asks for; the rules of Kubernetes' replica calculator. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.amounts import amount
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import condition_of, containers_of, init_containers_of, key_of, phase_of, status_of
from aiop.sim.cluster.objects import terminating as is_terminating
from aiop.sim.cluster.scaling.errors import NoMetric
from aiop.sim.metrics.podmetrics import ContainerUse, PodMetrics

# kube-controller-manager's --horizontal-pod-autoscaler-cpu-initialization-period and -initial-readiness-delay.
_CPU_INITIALIZATION = timedelta(minutes=5)
_READINESS_DELAY = timedelta(seconds=30)
_MILLI = 1000
_UTILIZATION = " utilization (percentage of request)"
_UNREADY = "did not receive metrics for targeted pods (pods might be unready)"
_NO_METRICS = "unable to get metrics for resource {name}: no metrics returned from resource metrics API"
_NANO_IN_MILLI = 1_000_000

Measured = Callable[[ObjectKey], PodMetrics | None]


@dataclass(frozen=True, slots=True)
class ResourceTarget:
    """``utilization`` is percent of the request, ``average`` an amount in thousandths of a core or of a byte.

    One of them is set. ``container`` is empty for whole pods.
    """

    resource: str
    container: str = ""
    utilization: int | None = None
    average: int | None = None

    @property
    def title(self) -> str:
        """The metric's name in the autoscaler's messages."""
        return f"{self.resource} resource" + ("" if self.utilization is None else _UTILIZATION)


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far from its target a metric may be before anything changes."""

    up: float = 0.1
    down: float = 0.1

    def forgive(self, ratio: float) -> bool:
        """True if a ratio is near enough to one."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True, slots=True)
class Proposal:
    """``utilization`` (percent) and ``average`` (thousandths) are what is now; utilization is None without requests."""

    replicas: int
    average: int
    utilization: int | None = None


@dataclass(slots=True)
class _Pods:
    """``used`` in thousandths, by pod; ``unready`` and ``missing`` (not measured) are not in it."""

    used: dict[ObjectKey, int] = field(default_factory=dict)
    unready: list[ObjectKey] = field(default_factory=list)
    missing: list[ObjectKey] = field(default_factory=list)


def proposal(
    pods: Sequence[Object], measured: Measured, target: ResourceTarget, current: int, now: datetime,
    tolerances: Tolerances = Tolerances(),
) -> Proposal:  # fmt: skip
    """The number of replicas that brings the metric to its target; raises NoMetric.

    ``pods`` are those of the scale target, ``current`` its present size.
    """
    if not pods:
        raise _failed(target, "no pods returned by selector while calculating replica count")
    grouped = _grouped(pods, measured, target, now)
    if not grouped.used:
        raise _failed(target, _UNREADY if grouped.unready else _NO_METRICS.format(name=target.resource))
    known = {key_of(pod): pod for pod in pods}
    replicas = _replicas(grouped, known, target, current, tolerances)
    return Proposal(
        replicas, sum(grouped.used.values()) // len(grouped.used), _utilization(grouped.used, known, target)
    )


def _replicas(
    grouped: _Pods, known: Mapping[ObjectKey, Object], target: ResourceTarget, current: int, tolerances: Tolerances
) -> int:
    ratio = _ratio(grouped.used, known, target)
    rising = ratio > 1.0
    if not grouped.missing and not (grouped.unready and rising):
        return current if tolerances.forgive(ratio) else math.ceil(ratio * len(grouped.used))
    filled = dict(grouped.used)
    filled |= {key: 0 if rising else _assumed(known[key], target) for key in grouped.missing}
    if rising:
        filled |= dict.fromkeys(grouped.unready, 0)
    again = _ratio(filled, known, target)
    if tolerances.forgive(again) or (again > 1.0) != rising:
        return current
    replicas = math.ceil(again * len(filled))
    return max(replicas, current) if rising else min(replicas, current)


def _grouped(pods: Sequence[Object], measured: Measured, target: ResourceTarget, now: datetime) -> _Pods:
    grouped = _Pods()
    for pod in pods:
        if is_terminating(pod) or phase_of(pod) == "Failed":
            continue
        key = key_of(pod)
        found = measured(key)
        if phase_of(pod) == "Pending":
            grouped.unready.append(key)
        elif found is None or (used := _used(found, target)) is None:
            grouped.missing.append(key)
        elif target.resource == "cpu" and _unready(pod, found, now):
            grouped.unready.append(key)
        else:
            grouped.used[key] = used
    return grouped


def _unready(pod: Object, found: PodMetrics, now: datetime) -> bool:
    """While a pod starts, its CPU says nothing about load: only what was measured after it became ready counts."""
    ready, started = condition_of(pod, "Ready"), status_of(pod).get("startTime")
    if not ready or not started:
        return True
    began, changed = _moment(started), _moment(ready["lastTransitionTime"])
    if began + _CPU_INITIALIZATION > now:
        return ready["status"] != "True" or found.taken_at - timedelta(seconds=found.window_seconds) < changed
    return bool(ready["status"] != "True" and began + _READINESS_DELAY > changed)


def _used(found: PodMetrics, target: ResourceTarget) -> int | None:
    """What the pod (or its container) uses, in thousandths; None if the container was not measured."""
    if target.container:
        one = found.containers.get(target.container)
        return None if one is None else _thousandths(one, target.resource)
    return sum(_thousandths(each, target.resource) for each in found.containers.values())


def _thousandths(used: ContainerUse, resource: str) -> int:
    return math.ceil(used.nanocores / _NANO_IN_MILLI) if resource == "cpu" else used.memory_bytes * _MILLI


def _assumed(pod: Object, target: ResourceTarget) -> int:
    """What a pod that was not measured is taken to use before fewer replicas are asked for."""
    if target.average is not None:
        return target.average
    return _requested(pod, target) * max(100, target.utilization or 0) // 100


def _requested(pod: Object, target: ResourceTarget) -> int:
    """The pod's (or container's) request in thousandths; raises NoMetric if a container has none."""
    sidecars = [each for each in init_containers_of(pod) if each.get("restartPolicy") == "Always"]
    total = 0
    for each in [*containers_of(pod), *sidecars]:
        if target.container and each["name"] != target.container:
            continue
        request = ((each.get("resources") or {}).get("requests") or {}).get(target.resource)
        if request is None:
            words = (
                f"missing request for {target.resource} in container {each['name']} of Pod {pod['metadata']['name']}"
            )
            raise _failed(target, words)
        total += math.ceil(amount(request) * _MILLI)
    return total


def _ratio(used: Mapping[ObjectKey, int], known: Mapping[ObjectKey, Object], target: ResourceTarget) -> float:
    """What is used, as a share of the target; whole percents and whole averages, as the real one counts."""
    if target.average is not None:
        return sum(used.values()) // len(used) / target.average
    return (_utilization(used, known, target) or 0) / (target.utilization or 100)


def _utilization(
    used: Mapping[ObjectKey, int], known: Mapping[ObjectKey, Object], target: ResourceTarget
) -> int | None:
    if target.average is not None:
        return None
    requested = sum(_requested(known[key], target) for key in used)
    return sum(used.values()) * 100 // requested if requested else 0


def _failed(target: ResourceTarget, words: str) -> NoMetric:
    kind = "ContainerResource" if target.container else "Resource"
    return NoMetric(f"FailedGet{kind}Metric", f"failed to get {target.resource} utilization: {words}")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
