"""What a kubelet makes of a running pod's new amounts: it has the room, may have it later, or never will."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from aiop.runtime.client.builtin import NODES, PODS
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.amounts import Amounts, added, amounts, asked_by
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.cluster.objects import condition_of, containers_of, spec_of, status_of, uid_of, with_condition

PENDING = "PodResizePending"
_NAMES = ("cpu", "memory")
# The kubelet counts cpu in thousandths.
_UNITS = {"cpu": 1000, "memory": 1}


def amounts_in(pod: Object) -> dict[str, Object]:
    """What each container asks for."""
    return {each["name"]: each.get("resources") or {} for each in containers_of(pod)}


def granted_before(pod: Object) -> dict[str, Object]:
    """What each container has, as a kubelet said that began before this one; else what it asks for."""
    listed = status_of(pod).get("containerStatuses") or []
    said = {each["name"]: each["resources"] for each in listed if "resources" in each}
    return {**amounts_in(pod), **said}


async def refusal(api: ClusterAPI, pod: Object) -> Object | None:
    """The condition of a pod whose node has no room for what it asks; None if there is room."""
    node = await api.get(NODES, ObjectKey("", spec_of(pod)["nodeName"]))
    pods, _ = await api.list(PODS)
    return no_room(pod, neighbours(pod, pods), amounts(status_of(node).get("allocatable")))


def no_room(pod: Object, others: Iterable[Object], capacity: Mapping[str, Decimal]) -> Object | None:
    """The same, from what else is on the node and what the node has."""
    asked, used = asked_by(pod), _sum(others)
    for name in _NAMES:
        wanted, room, unit = asked.get(name, Decimal(0)), capacity.get(name), _UNITS[name]
        if room is None:
            continue
        if wanted > room:
            words = (
                f"Node didn't have enough capacity: {name}, requested: {wanted * unit:.0f}, capacity: {room * unit:.0f}"
            )
            return _pending("Infeasible", words)
        taken = used.get(name, Decimal(0))
        if wanted + taken > room:
            words = (
                f"Node didn't have enough resource: {name}, requested: {wanted * unit:.0f}, used: {taken * unit:.0f}, "
                f"capacity: {room * unit:.0f}"
            )
            return _pending("Deferred", words)
    return None


def told(status: Object, granted: Mapping[str, Object], pending: Object | None, moment: str) -> Object:
    """A pod's status with what its containers have, and why it is not what they ask for."""
    listed = [
        {**each, "resources": granted.get(each["name"], {})} if "running" in (each.get("state") or {}) else each
        for each in status.get("containerStatuses") or []
    ]
    conditions = [each for each in status.get("conditions") or [] if each["type"] != PENDING]
    if pending is not None:
        known = condition_of({"status": status}, PENDING)
        conditions = with_condition([*conditions, *([known] if known else [])], pending, moment)
    return {**status, "containerStatuses": listed, "conditions": conditions}


def _pending(reason: str, words: str) -> Object:
    return {"type": PENDING, "status": "True", "reason": reason, "message": words, "lastProbeTime": None}


def neighbours(pod: Object, everyone: Iterable[Object]) -> list[Object]:
    """The other pods of its node that are not over."""
    node, uid = spec_of(pod).get("nodeName"), uid_of(pod)
    return [
        each
        for each in everyone
        if uid_of(each) != uid
        and spec_of(each).get("nodeName") == node
        and status_of(each).get("phase") not in {"Succeeded", "Failed"}
    ]


def _sum(pods: Iterable[Object]) -> Amounts:
    total: Amounts = {}
    for pod in pods:
        total = added(total, asked_by(pod))
    return total
