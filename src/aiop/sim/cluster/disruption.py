"""The disruption controller: how many pods of a PodDisruptionBudget may be evicted now."""

from aiop.runtime.client.builtin import DEPLOYMENTS, PODDISRUPTIONBUDGETS, REPLICASETS
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.events import Events
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.objects import (
    condition_of,
    controller_of,
    finished,
    generation_of,
    key_of,
    labels_of,
    pod_ready,
    status_of,
    terminating,
    uid_of,
    with_condition,
)
from aiop.sim.cluster.rollout import replicas_of, scaled
from aiop.sim.cluster.world import World
from aiop.sim.semantics.selectors import selector_match


class DisruptionBudgets:
    """Reconciles every PodDisruptionBudget."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events = Events(world.api, world.clock, "controllermanager")
        self._budgets = world.mirror(PODDISRUPTIONBUDGETS)
        self._sets = world.mirror(REPLICASETS)
        self._deployments = world.mirror(DEPLOYMENTS)
        self.loop = Loop(world.clock, self._reconcile)
        self._budgets.subscribe(self._budget_changed)
        world.pods.subscribe(self._pod_changed)
        for mirror in (self._sets, self._deployments):
            mirror.subscribe(self._scale_changed)

    def _budget_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.loop.add(key_of(new))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and _what_counts(old) == _what_counts(new):
            return
        for pod in (old, new):
            if pod is not None:
                self._wake(pod["metadata"]["namespace"], labels_of(pod))

    def _scale_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and old["spec"].get("replicas") != new["spec"].get("replicas"):
            template = new["spec"]["template"].get("metadata") or {}
            self._wake(new["metadata"]["namespace"], template.get("labels") or {})

    def _wake(self, namespace: str, labels: dict[str, str]) -> None:
        for budget in self._budgets.in_namespace(namespace):
            if _fits(budget, labels):
                self.loop.add(key_of(budget))

    async def _reconcile(self, key: ObjectKey) -> None:
        budget = self._budgets.get(key)
        if budget is None or terminating(budget):
            return
        pods = [pod for pod in self._world.pods.in_namespace(key.namespace) if _fits(budget, labels_of(pod))]
        pods = [pod for pod in pods if not finished(pod)]
        if not pods:
            await self._events.normal(budget, "NoPods", "No matching pods found")
        expected, desired = self._figures(budget, pods)
        healthy = sum(pod_ready(pod) and not terminating(pod) for pod in pods)
        allowed = max(0, healthy - desired) if expected else 0
        status = {
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "disruptionsAllowed": allowed,
            "observedGeneration": generation_of(budget),
            "conditions": self._conditions(budget, allowed),
        }
        await self._world.write_status(PODDISRUPTIONBUDGETS, budget, status)

    def _figures(self, budget: Object, pods: list[Object]) -> tuple[int, int]:
        """How many pods there should be, and how many of them must stay healthy."""
        spec = budget["spec"]
        if spec.get("maxUnavailable") is not None:
            expected = self._expected(pods)
            return expected, max(0, expected - scaled(spec["maxUnavailable"], expected, up=True))
        least = spec.get("minAvailable", 1)
        if isinstance(least, int):
            return len(pods), least
        expected = self._expected(pods)
        return expected, scaled(least, expected, up=True)

    def _expected(self, pods: list[Object]) -> int:
        """The sum of what the pods' controllers were told to run."""
        scales = {}
        for pod in pods:
            if found := self._scale_of(pod):
                scales[uid_of(found)] = replicas_of(found)
        return sum(scales.values())

    def _scale_of(self, pod: Object) -> Object | None:
        owner = controller_of(pod)
        if owner is None or owner["kind"] != "ReplicaSet":
            return None
        namespace = pod["metadata"]["namespace"]
        each = self._sets.get(ObjectKey(namespace, owner["name"]))
        above = controller_of(each) if each is not None else None
        if above is not None and above["kind"] == "Deployment":
            return self._deployments.get(ObjectKey(namespace, above["name"]))
        return each

    def _conditions(self, budget: Object, allowed: int) -> list[Object]:
        said = {
            "type": "DisruptionAllowed",
            "status": "True" if allowed else "False",
            "reason": "SufficientPods" if allowed else "InsufficientPods",
            "message": "",
            "observedGeneration": generation_of(budget),
        }
        return with_condition(status_of(budget).get("conditions") or [], said, self._world.moment)


def _fits(budget: Object, labels: dict[str, str]) -> bool:
    return selector_match(budget["spec"].get("selector"))(labels)


def _what_counts(pod: Object) -> object:
    ready = condition_of(pod, "Ready").get("status")
    return (labels_of(pod), ready, terminating(pod), finished(pod), uid_of(pod))
