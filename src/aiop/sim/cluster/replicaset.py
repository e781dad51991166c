"""The ReplicaSet controller: as many pods as asked for, the least valuable ones deleted first."""

from aiop.runtime.client.builtin import PODS, REPLICASETS
from aiop.runtime.client.errors import ApiError
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.events import Events
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.moments import seconds_since
from aiop.sim.cluster.objects import (
    active,
    annotations_of,
    condition_of,
    controller_of,
    generation_of,
    key_of,
    labels_of,
    owner_reference,
    phase_of,
    pod_ready,
    status_of,
    terminating,
    with_condition,
    without_empty,
)
from aiop.sim.cluster.podcontrol import claimed
from aiop.sim.cluster.world import World
from aiop.sim.semantics.selectors import selector_match

_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASE_RANKS = {"Pending": 0, "Unknown": 1, "Running": 2}


class ReplicaSets:
    """Reconciles every ReplicaSet."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events = Events(world.api, world.clock, "replicaset-controller")
        self._sets = world.mirror(REPLICASETS)
        self.loop = Loop(world.clock, self._reconcile)
        self._sets.subscribe(self._set_changed)
        world.pods.subscribe(self._pod_changed)

    def _set_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.loop.add(key_of(new))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for pod in (old, new):
            if pod is None:
                continue
            owner = controller_of(pod)
            if owner is None:
                self._wake_adopters(pod)
            elif owner["kind"] == "ReplicaSet":
                self.loop.add(ObjectKey(pod["metadata"]["namespace"], owner["name"]))

    def _wake_adopters(self, pod: Object) -> None:
        if not labels_of(pod):
            return
        for each in self._sets.in_namespace(pod["metadata"]["namespace"]):
            if selector_match(each["spec"]["selector"])(labels_of(pod)):
                self.loop.add(key_of(each))

    async def _reconcile(self, key: ObjectKey) -> float | None:
        owner = self._sets.get(key)
        if owner is None:
            return None
        fits = selector_match(owner["spec"]["selector"])
        failure: ApiError | None = None
        pods = await claimed(self._world, PODS, owner, fits)
        if not terminating(owner):
            failure = await self._manage(owner, [pod for pod in pods if active(pod)])
        pods = await claimed(self._world, PODS, owner, fits)
        await self._write_status(owner, pods, failure)
        if failure is not None:
            raise failure
        return self._next_available(owner, pods)

    async def _manage(self, owner: Object, pods: list[Object]) -> ApiError | None:
        missing = int(owner["spec"].get("replicas", 1)) - len(pods)
        if missing < 0:
            for pod in sorted(pods, key=self._value)[:-missing]:
                await self._world.delete(PODS, pod)
                await self._events.normal(owner, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        for _ in range(missing):
            try:
                pod = await self._world.create(PODS, pod_of(owner))
            except ApiError as error:
                await self._events.warning(owner, "FailedCreate", f"Error creating: {error.message}")
                return error
            await self._events.normal(owner, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return None

    def _value(self, pod: Object) -> tuple[float, ...]:
        """What the pod is worth: the lowest goes first."""
        ready = condition_of(pod, "Ready")
        ready_for = seconds_since(ready["lastTransitionTime"], self._world.clock) if pod_ready(pod) else 0.0
        restarts = sum(each.get("restartCount", 0) for each in status_of(pod).get("containerStatuses") or [])
        return (
            float(bool(pod["spec"].get("nodeName"))),
            float(_PHASE_RANKS.get(phase_of(pod), 0)),
            float(pod_ready(pod)),
            float(_cost(pod)),
            ready_for,
            -float(restarts),
            seconds_since(pod["metadata"]["creationTimestamp"], self._world.clock),
        )

    async def _write_status(self, owner: Object, pods: list[Object], failure: ApiError | None) -> None:
        live = [pod for pod in pods if active(pod)]
        template = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
        labelled = [pod for pod in live if template.items() <= labels_of(pod).items()]
        counts = {
            "fullyLabeledReplicas": len(labelled),
            "readyReplicas": sum(pod_ready(pod) for pod in live),
            "availableReplicas": sum(self._available(owner, pod) for pod in live),
            "observedGeneration": generation_of(owner),
            "conditions": self._conditions(owner, failure),
        }
        status = without_empty(counts) | {
            "replicas": len(live),
            "terminatingReplicas": sum(terminating(pod) for pod in pods),
        }
        await self._world.write_status(REPLICASETS, owner, status)

    def _conditions(self, owner: Object, failure: ApiError | None) -> list[Object]:
        known = status_of(owner).get("conditions") or []
        if failure is None:
            return [each for each in known if each["type"] != "ReplicaFailure"]
        told = condition_of(owner, "ReplicaFailure")
        if told.get("reason") == "FailedCreate":
            return known  # the first failure is told; each names another pod, and none is worth another write
        wanted = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": failure.message}
        return with_condition(known, wanted, self._world.moment)

    def _available(self, owner: Object, pod: Object) -> bool:
        return pod_ready(pod) and self._until_available(owner, pod) <= 0

    def _until_available(self, owner: Object, pod: Object) -> float:
        since = condition_of(pod, "Ready")["lastTransitionTime"]
        return float(owner["spec"].get("minReadySeconds") or 0) - seconds_since(since, self._world.clock)

    def _next_available(self, owner: Object, pods: list[Object]) -> float | None:
        waits = [self._until_available(owner, pod) for pod in pods if active(pod) and pod_ready(pod)]
        return min((wait for wait in waits if wait > 0), default=None)


def pod_of(owner: Object) -> Object:
    """A new pod of a ReplicaSet's template."""
    template = owner["spec"]["template"]
    name, namespace = owner["metadata"]["name"], owner["metadata"]["namespace"]
    given = template.get("metadata") or {}
    meta = {
        **{field: given[field] for field in ("labels", "annotations", "finalizers") if given.get(field)},
        "generateName": f"{name}-",
        "namespace": namespace,
        "ownerReferences": [owner_reference(owner)],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}


def _cost(pod: Object) -> int:
    try:
        return int(annotations_of(pod).get(_DELETION_COST, "0"))
    except ValueError:
        return 0
