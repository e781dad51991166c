"""The scheduler: a node for each pod, or why there is none. Priorities order the queue; nothing is evicted."""

from decimal import Decimal

from aiop.runtime.client.builtin import PERSISTENTVOLUMECLAIMS, PODS
from aiop.runtime.client.errors import Conflict, NotFound
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.amounts import Amounts, added, amounts, asked_by, taken
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.events import Events
from aiop.sim.cluster.fitness import Misfit, misfit, words
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.objects import (
    condition_of,
    finished,
    generation_of,
    key_of,
    phase_of,
    spec_of,
    status_of,
    terminating,
    uid_of,
    with_condition,
)
from aiop.sim.cluster.world import World

_NAME = "default-scheduler"
_GATED = "Scheduling is blocked due to non-empty scheduling gates"


class Scheduler:
    """Looks again at the pods that wait whenever something happened that may have made room."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events = Events(world.api, world.clock, _NAME)
        self._claims = world.mirror(PERSISTENTVOLUMECLAIMS)
        self._used: dict[str, Amounts] = {}
        self._placed: dict[str, tuple[str, Amounts]] = {}
        self._waiting: dict[ObjectKey, None] = {}
        self.loop = Loop(world.clock, self._reconcile)
        world.pods.subscribe(self._pod_changed)
        world.nodes.subscribe(self._node_changed)
        self._claims.subscribe(self._claim_changed)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and (new is None or uid_of(new) != uid_of(old)):
            self._leave(old)
        if new is None:
            if old is not None:
                self._waiting.pop(key_of(old), None)
            return
        if new["spec"].get("nodeName"):
            self._waiting.pop(key_of(new), None)
            if finished(new):
                self._leave(new)
            else:
                self._take(new)
        elif old is None or old["spec"] != new["spec"] or uid_of(old) != uid_of(new):
            self.loop.add(key_of(new))

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        """A heartbeat frees no room."""
        if old is None or new is None or _offer(old) != _offer(new):
            self._look_again()

    def _claim_changed(self, old: Object | None, new: Object | None) -> None:
        if old is None or new is None or phase_of(old) != phase_of(new):
            self._look_again()

    def _look_again(self) -> None:
        pods = [pod for key in self._waiting if (pod := self._world.pods.get(key)) is not None]
        for pod in sorted(pods, key=lambda each: -int(each["spec"].get("priority") or 0)):
            self.loop.add(key_of(pod))

    def _take(self, pod: Object) -> None:
        uid, node = uid_of(pod), pod["spec"]["nodeName"]
        if uid not in self._placed:
            share = {**asked_by(pod), "pods": Decimal(1)}
            self._placed[uid] = (node, share)
            self._used[node] = added(self._used.get(node, {}), share)

    def _leave(self, pod: Object) -> None:
        if uid_of(pod) in self._placed:
            node, share = self._placed.pop(uid_of(pod))
            self._used[node] = taken(self._used[node], share)
            self._look_again()

    async def _reconcile(self, key: ObjectKey) -> None:
        pod = self._world.pods.get(key)
        if pod is None or pod["spec"].get("nodeName") or terminating(pod):
            return
        if pod["spec"].get("schedulerName", _NAME) != _NAME:
            return
        self._waiting[key] = None
        if pod["spec"].get("schedulingGates"):
            await self._explain(pod, "SchedulingGated", _GATED)
            return
        nodes = list(self._world.nodes.objects.values())
        if nodes and (missing := self._missing_claim(pod)):
            # The words end like this since preemption has nothing to say of volumes.
            await self._refuse(pod, f"0/{len(nodes)} nodes are available: {missing}. not found")
            return
        await self._place(pod, nodes)

    async def _place(self, pod: Object, nodes: list[Object]) -> None:
        asked = asked_by(pod)
        misfits: list[Misfit] = []
        fitting: list[tuple[Decimal, str]] = []
        for node in nodes:
            name = node["metadata"]["name"]
            used = self._used.get(name, {})
            why = misfit(pod, asked, node, used)
            if why is None:
                fitting.append((_load(node, added(used, asked)), name))
            else:
                misfits.append(why)
        if fitting:
            await self._bind(pod, min(fitting)[1])
        else:
            await self._refuse(pod, words(misfits))

    async def _bind(self, pod: Object, node: str) -> None:
        try:
            bound = await self._world.patch(PODS, pod, {"spec": {"nodeName": node}})
        except (NotFound, Conflict):
            return
        meta = pod["metadata"]
        told = f"Successfully assigned {meta['namespace']}/{meta['name']} to {node}"
        await self._events.normal(bound, "Scheduled", told)

    async def _refuse(self, pod: Object, message: str) -> None:
        if await self._explain(pod, "Unschedulable", message):
            await self._events.warning(pod, "FailedScheduling", message)

    async def _explain(self, pod: Object, reason: str, message: str) -> bool:
        """Say on the pod why it waits; True if that is news."""
        told = condition_of(pod, "PodScheduled")
        if (told.get("reason"), told.get("message")) == (reason, message):
            return False
        said: Object = {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "reason": reason,
            "message": message,
        }
        if reason == "Unschedulable" and generation_of(pod):
            said["observedGeneration"] = generation_of(pod)
        conditions = with_condition(status_of(pod).get("conditions") or [], said, self._world.moment)
        await self._world.write_status(PODS, pod, {**status_of(pod), "conditions": conditions})
        return True

    def _missing_claim(self, pod: Object) -> str:
        """Why the pod's volumes are not there yet; empty if they are."""
        for volume in pod["spec"].get("volumes") or []:
            if "persistentVolumeClaim" not in volume:
                continue
            name = volume["persistentVolumeClaim"]["claimName"]
            claim = self._claims.get(ObjectKey(pod["metadata"]["namespace"], name))
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if terminating(claim):
                return f'persistentvolumeclaim "{name}" is being deleted'
            if phase_of(claim) != "Bound":
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""


def _offer(node: Object) -> object:
    """What of a node the scheduler looks at."""
    ready = condition_of(node, "Ready").get("status")
    return (spec_of(node), node["metadata"].get("labels"), status_of(node).get("allocatable"), ready)


def _load(node: Object, used: Amounts) -> Decimal:
    """How full the node is, by cpu and memory alike: pods go where most is left."""
    has = amounts(status_of(node).get("allocatable"))
    return sum((used.get(name, Decimal(0)) / has[name] for name in ("cpu", "memory") if has.get(name)), Decimal(0))
