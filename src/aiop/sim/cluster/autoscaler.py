"""The HorizontalPodAutoscaler: it keeps its target within bounds and, where there are metrics, follows them.

The real one looks every 15 s. Without metrics this one looks when its target or itself has changed, and says why it
does no more.
"""

from collections.abc import Sequence
from typing import Any

from aiop.runtime.client.builtin import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, REPLICASETS
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.events import Events
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.objects import (
    generation_of,
    key_of,
    labels_of,
    status_of,
    terminating,
    uid_of,
    with_condition,
    without_empty,
)
from aiop.sim.cluster.rollout import count, replicas_of
from aiop.sim.cluster.scaling.behavior import Behavior, Bounds, Dated, Decision, Memory, behavior_of, decide, rescaled
from aiop.sim.cluster.scaling.measuring import Measurement, measure
from aiop.sim.cluster.world import World
from aiop.sim.metrics.podmetrics import ResourceMetrics
from aiop.sim.semantics.selectors import selector_match

_TARGETS = {"Deployment": DEPLOYMENTS, "ReplicaSet": REPLICASETS}
# kube-controller-manager's --horizontal-pod-autoscaler-sync-period.
SYNC_SECONDS = 15.0
_LIMITS = {
    "": "the desired count is within the acceptable range",
    "TooManyReplicas": "the desired replica count is more than the maximum replica count",
    "TooFewReplicas": "the desired replica count is less than the minimum replica count",
    "ScaleUpLimit": "the desired replica count is increasing faster than the maximum scale rate",
    "ScaleDownLimit": "the desired replica count is decreasing faster than the maximum scale rate",
}
_STABILIZED = {
    "": ("ReadyForNewScale", "recommended size matches current size"),
    "ScaleDownStabilized": (
        "ScaleDownStabilized",
        "recent recommendations were higher than current one, applying the highest recent recommendation",
    ),
    "ScaleUpStabilized": (
        "ScaleUpStabilized",
        "recent recommendations were lower than current one, applying the lowest recent recommendation",
    ),
}
_NO_METRICS = (
    "failed to get {name} utilization: unable to get metrics for resource {name}: unable to fetch metrics from "
    "resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
)


class Autoscalers:
    """Reconciles every HorizontalPodAutoscaler whose target is a Deployment or a ReplicaSet.

    With ``metrics`` it looks every ``sync_seconds``; what it remembers of recommendations and of its own changes is in
    memory only, as the real one's.
    """

    def __init__(
        self, world: World, metrics: ResourceMetrics | None = None, *, sync_seconds: float = SYNC_SECONDS
    ) -> None:
        self._world = world
        self._metrics = metrics
        self._sync_seconds = sync_seconds
        self._memories: dict[str, Memory] = {}
        self._events = Events(world.api, world.clock, "horizontal-pod-autoscaler")
        self._scalers = world.mirror(HORIZONTALPODAUTOSCALERS)
        self.loop = Loop(world.clock, self._reconcile)
        self._scalers.subscribe(self._scaler_changed)
        for resource in _TARGETS.values():
            mirror = world.mirror(resource)
            if metrics is None:
                mirror.subscribe(self._target_changed)

    def _scaler_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and (new is None or uid_of(new) != uid_of(old)):
            self._memories.pop(uid_of(old), None)
        if new is None:
            return
        if self._metrics is None or old is None or old["spec"] != new["spec"]:
            self.loop.add(key_of(new))

    def _target_changed(self, old: Object | None, new: Object | None) -> None:
        each = new or old
        if each is None or (old is not None and new is not None and _size(old) == _size(new)):
            return
        for scaler in self._scalers.in_namespace(each["metadata"]["namespace"]):
            target = scaler["spec"]["scaleTargetRef"]
            if (target["kind"], target["name"]) == (each["kind"], each["metadata"]["name"]):
                self.loop.add(key_of(scaler))

    async def _reconcile(self, key: ObjectKey) -> float | None:
        scaler = self._scalers.get(key)
        if scaler is None or terminating(scaler):
            return None
        try:
            await self._look(scaler, key)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # What the real server would not have let in; it must not stop the others.
            await self._events.warning(scaler, "InvalidSpec", f"the spec cannot be read: {error!r}")
        return self._sync_seconds if self._metrics is not None else None

    async def _look(self, scaler: Object, key: ObjectKey) -> None:
        reference = scaler["spec"]["scaleTargetRef"]
        resource = _TARGETS.get(reference["kind"])
        target = self._world.mirror(resource).get(ObjectKey(key.namespace, reference["name"])) if resource else None
        if resource is None or target is None:
            await self._without_target(scaler, reference)
            return
        wanted, reason = _clamped(scaler, replicas_of(target))
        if reason:
            await self._rescale(scaler, resource, target, wanted, reason)
        elif self._metrics is not None and replicas_of(target):
            await self._follow(scaler, resource, target, self._metrics)
        else:
            await self._hold(scaler, target)

    async def _without_target(self, scaler: Object, reference: Object) -> None:
        group = reference.get("apiVersion", "").rpartition("/")[0]
        plural = f"{reference['kind'].lower()}s" + (f".{group}" if group else "")
        missing = f'{plural} "{reference["name"]}" not found'
        await self._events.warning(scaler, "FailedGetScale", missing)
        words = f"the HPA controller was unable to get the target's current scale: {missing}"
        conditions = self._said(scaler, _condition("AbleToScale", "False", "FailedGetScale", words))
        await self._write(scaler, {**status_of(scaler), "conditions": conditions})

    async def _follow(self, scaler: Object, resource: Any, target: Object, metrics: ResourceMetrics) -> None:
        current, behavior = replicas_of(target), behavior_of(scaler["spec"])
        found = measure(
            scaler, self._pods_of(target), metrics.of, current, self._world.clock.now(), behavior.tolerances
        )
        for failure in found.failures:
            await self._events.warning(scaler, failure.reason, str(failure))
        if not found.tells(current):
            await self._cannot_tell(scaler, target, found)
            return
        decision = self._decision(scaler, found, current, behavior)
        said = _said_of(found, decision)
        if decision.replicas == current:
            status = {"currentReplicas": count(target, "replicas"), "currentMetrics": found.statuses}
            status |= {"lastScaleTime": status_of(scaler).get("lastScaleTime"), "conditions": self._said(scaler, *said)}
            await self._write(scaler, without_empty(status) | {"desiredReplicas": current})
            return
        memory = self._memories[uid_of(scaler)]
        reason = f"{found.title} above target" if decision.replicas > current else "All metrics below target"
        await self._rescale(scaler, resource, target, decision.replicas, reason, metrics=found.statuses, said=said[1:])
        rescaled(current, decision.replicas, memory, self._world.clock.monotonic())

    def _decision(self, scaler: Object, found: Measurement, current: int, behavior: Behavior) -> Decision:
        now = self._world.clock.monotonic()
        memory = self._memories.setdefault(uid_of(scaler), Memory([Dated(now, current)]))
        spec = scaler["spec"]
        least = 1 if spec.get("minReplicas") is None else int(spec["minReplicas"])
        return decide(found.replicas, current, Bounds(least, int(spec["maxReplicas"])), behavior, memory, now)

    def _pods_of(self, target: Object) -> list[Object]:
        fits = selector_match(target["spec"]["selector"])
        return [pod for pod in self._world.pods.in_namespace(key_of(target).namespace) if fits(labels_of(pod))]

    async def _cannot_tell(self, scaler: Object, target: Object, found: Measurement) -> None:
        first = found.failures[0]
        words = f"invalid metrics ({len(found.failures)} invalid out of {found.metrics}), first error is: {first}"
        await self._events.warning(scaler, "FailedComputeMetricsReplicas", words)
        words = f"the HPA was unable to compute the replica count: {first}"
        able = _condition(
            "AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale"
        )
        status = {
            "currentReplicas": count(target, "replicas"),
            "lastScaleTime": status_of(scaler).get("lastScaleTime"),
            "currentMetrics": found.statuses,
            "conditions": self._said(scaler, able, _condition("ScalingActive", "False", first.reason, words)),
        }
        desired = int(status_of(scaler).get("desiredReplicas") or 0)
        await self._write(scaler, without_empty(status) | {"desiredReplicas": desired})

    async def _rescale(
        self, scaler: Object, resource: Any, target: Object, wanted: int, reason: str,
        *, metrics: Sequence[Object] = (), said: Sequence[Object] = (),
    ) -> None:  # fmt: skip
        await self._world.patch(resource, target, {"spec": {"replicas": wanted}})
        await self._events.normal(scaler, "SuccessfulRescale", f"New size: {wanted}; reason: {reason}")
        words = f"the HPA controller was able to update the target scale to {wanted}"
        conditions = self._said(
            scaler,
            _condition("AbleToScale", "True", "SucceededRescale", words),
            _condition(
                "ScaledToZero", "False", "NotScaledToZero", "the HPA controller did not scale the workload to zero"
            ),
            *said,
        )
        status = {
            "currentReplicas": replicas_of(target),
            "desiredReplicas": wanted,
            "lastScaleTime": self._world.moment,
            "observedGeneration": generation_of(scaler),
            "conditions": conditions,
        }
        await self._write(scaler, {**status, **({"currentMetrics": list(metrics)} if metrics else {})})

    async def _hold(self, scaler: Object, target: Object) -> None:
        current = count(target, "replicas")
        able = _condition(
            "AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale"
        )
        if not replicas_of(target):
            words = "scaling is disabled since the replica count of the target is zero"
            active = _condition("ScalingActive", "False", "ScalingDisabled", words)
        else:
            missing = _NO_METRICS.format(name=_metric(scaler))
            await self._events.warning(scaler, "FailedGetResourceMetric", missing)
            first = f"failed to get {_metric(scaler)} resource metric value: {missing}"
            words = f"invalid metrics (1 invalid out of 1), first error is: {first}"
            await self._events.warning(scaler, "FailedComputeMetricsReplicas", words)
            words = f"the HPA was unable to compute the replica count: {missing}"
            active = _condition("ScalingActive", "False", "FailedGetResourceMetric", words)
        desired = int(status_of(scaler).get("desiredReplicas") or 0) if replicas_of(target) else 0
        status = {
            "currentReplicas": current,
            "lastScaleTime": status_of(scaler).get("lastScaleTime"),
            "observedGeneration": generation_of(scaler),
            "conditions": self._said(scaler, able, active),
        }
        await self._write(scaler, without_empty(status) | {"desiredReplicas": desired})

    def _said(self, scaler: Object, *said: Object) -> list[Object]:
        conditions = status_of(scaler).get("conditions") or []
        for each in said:
            conditions = with_condition(conditions, each, self._world.moment)
        return conditions

    async def _write(self, scaler: Object, status: Object) -> None:
        await self._world.write_status(HORIZONTALPODAUTOSCALERS, scaler, {"desiredReplicas": 0, **status})


def _clamped(scaler: Object, current: int) -> tuple[int, str]:
    """The size between the bounds, and why it is not the current one; a target of zero is left alone."""
    spec = scaler["spec"]
    least = spec.get("minReplicas")
    least = 1 if least is None else int(least)
    if current > int(spec["maxReplicas"]):
        return int(spec["maxReplicas"]), "Current number of replicas above Spec.MaxReplicas"
    if 0 < current < least:
        return least, "Current number of replicas below Spec.MinReplicas"
    return current, ""


def _said_of(found: Measurement, decision: Decision) -> list[Object]:
    """Whether it can scale, whether it does, and what held it back."""
    words = f"the HPA was able to successfully calculate a replica count from {found.title}"
    return [
        _condition("AbleToScale", "True", *_STABILIZED[decision.stabilized]),
        _condition("ScalingActive", "True", "ValidMetricFound", words),
        _condition(
            "ScalingLimited",
            "True" if decision.limited else "False",
            decision.limited or "DesiredWithinRange",
            _LIMITS[decision.limited],
        ),
    ]


def _metric(scaler: Object) -> str:
    metrics = scaler["spec"].get("metrics") or [{}]
    return str((metrics[0].get("resource") or {}).get("name", "cpu"))


def _condition(kind: str, status: str, reason: str, message: str) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _size(target: Object) -> tuple[int, int]:
    return (replicas_of(target), count(target, "replicas"))
