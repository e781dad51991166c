"""The HorizontalPodAutoscaler in a cluster without metrics: it keeps its target within bounds, and says why no more.

The real one looks every 15 s; this one looks when its target or itself has changed.
"""

from typing import Any

from aiop.runtime.client.builtin import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, REPLICASETS
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.events import Events
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.objects import generation_of, key_of, status_of, terminating, with_condition, without_empty
from aiop.sim.cluster.rollout import count, replicas_of
from aiop.sim.cluster.world import World

_TARGETS = {"Deployment": DEPLOYMENTS, "ReplicaSet": REPLICASETS}
_NO_METRICS = (
    "failed to get {name} utilization: unable to get metrics for resource {name}: unable to fetch metrics from "
    "resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
)


class Autoscalers:
    """Reconciles every HorizontalPodAutoscaler whose target is a Deployment or a ReplicaSet."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events = Events(world.api, world.clock, "horizontal-pod-autoscaler")
        self._scalers = world.mirror(HORIZONTALPODAUTOSCALERS)
        self.loop = Loop(world.clock, self._reconcile)
        self._scalers.subscribe(self._scaler_changed)
        for resource in _TARGETS.values():
            world.mirror(resource).subscribe(self._target_changed)

    def _scaler_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.loop.add(key_of(new))

    def _target_changed(self, old: Object | None, new: Object | None) -> None:
        each = new or old
        if each is None or (old is not None and new is not None and _size(old) == _size(new)):
            return
        for scaler in self._scalers.in_namespace(each["metadata"]["namespace"]):
            target = scaler["spec"]["scaleTargetRef"]
            if (target["kind"], target["name"]) == (each["kind"], each["metadata"]["name"]):
                self.loop.add(key_of(scaler))

    async def _reconcile(self, key: ObjectKey) -> None:
        scaler = self._scalers.get(key)
        if scaler is None or terminating(scaler):
            return
        reference = scaler["spec"]["scaleTargetRef"]
        resource = _TARGETS.get(reference["kind"])
        target = self._world.mirror(resource).get(ObjectKey(key.namespace, reference["name"])) if resource else None
        if resource is None or target is None:
            await self._without_target(scaler, reference)
            return
        wanted, reason = _clamped(scaler, replicas_of(target))
        if reason:
            await self._rescale(scaler, resource, target, wanted, reason)
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

    async def _rescale(self, scaler: Object, resource: Any, target: Object, wanted: int, reason: str) -> None:
        await self._world.patch(resource, target, {"spec": {"replicas": wanted}})
        await self._events.normal(scaler, "SuccessfulRescale", f"New size: {wanted}; reason: {reason}")
        words = f"the HPA controller was able to update the target scale to {wanted}"
        conditions = self._said(
            scaler,
            _condition("AbleToScale", "True", "SucceededRescale", words),
            _condition(
                "ScaledToZero", "False", "NotScaledToZero", "the HPA controller did not scale the workload to zero"
            ),
        )
        status = {
            "currentReplicas": replicas_of(target),
            "desiredReplicas": wanted,
            "lastScaleTime": self._world.moment,
            "observedGeneration": generation_of(scaler),
            "conditions": conditions,
        }
        await self._write(scaler, status)

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


def _metric(scaler: Object) -> str:
    metrics = scaler["spec"].get("metrics") or [{}]
    return str((metrics[0].get("resource") or {}).get("name", "cpu"))


def _condition(kind: str, status: str, reason: str, message: str) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _size(target: Object) -> tuple[int, int]:
    return (replicas_of(target), count(target, "replicas"))
