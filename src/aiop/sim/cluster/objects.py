"""Small readers of plain objects, and names for what they return."""

from collections.abc import Iterator
from typing import Any

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import Object


def key_of(obj: Object) -> ObjectKey:
    """The object's key."""
    meta = obj["metadata"]
    return ObjectKey(meta.get("namespace", ""), meta["name"])


def uid_of(obj: Object) -> str:
    """The object's UID."""
    return str(obj["metadata"]["uid"])


def version_of(obj: Object) -> int:
    """The object's resourceVersion; since Kubernetes 1.35 all are numbers that may be compared."""
    return int(obj["metadata"]["resourceVersion"])


def generation_of(obj: Object) -> int:
    """The generation of the object's spec."""
    return int(obj["metadata"].get("generation") or 0)


def annotations_of(obj: Object) -> dict[str, str]:
    """The object's annotations."""
    return obj["metadata"].get("annotations") or {}


def owners_of(obj: Object) -> list[Object]:
    """The object's ownerReferences."""
    return obj["metadata"].get("ownerReferences") or []


def finalizers_of(obj: Object) -> list[str]:
    """The object's finalizers."""
    return obj["metadata"].get("finalizers") or []


def spec_of(obj: Object) -> Object:
    """The object's spec, or an empty one."""
    return obj.get("spec") or {}


def status_of(obj: Object) -> Object:
    """The object's status, or an empty one."""
    return obj.get("status") or {}


def phase_of(obj: Object) -> str:
    """The object's phase, or an empty string."""
    return str(status_of(obj).get("phase") or "")


def finished(pod: Object) -> bool:
    """True once no container of the pod will run again."""
    return phase_of(pod) in {"Succeeded", "Failed"}


def active(pod: Object) -> bool:
    """True for a pod that counts as a replica: neither finished nor on its way out."""
    return not finished(pod) and not terminating(pod)


def labels_of(obj: Object) -> dict[str, str]:
    """The object's labels."""
    return obj["metadata"].get("labels") or {}


def terminating(obj: Object) -> bool:
    """True once deletion was asked for."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def controller_of(obj: Object) -> dict[str, Any] | None:
    """The controlling ownerReference, if any."""
    return next((owner for owner in owners_of(obj) if owner.get("controller")), None)


def controlled_by(obj: Object, uid: str) -> bool:
    """True if the object with that UID controls it."""
    owner = controller_of(obj)
    return owner is not None and owner["uid"] == uid


def owner_reference(owner: Object) -> dict[str, Any]:
    """A controlling reference to ``owner``."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def containers_of(pod: Object) -> Iterator[Object]:
    """The pod's containers, without init containers."""
    yield from pod["spec"].get("containers", [])


def init_containers_of(pod: Object) -> list[Object]:
    """The pod's init containers, sidecars among them."""
    return pod["spec"].get("initContainers") or []


def condition_of(obj: Object, kind: str) -> Object:
    """The condition of that type, or an empty one."""
    conditions = status_of(obj).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), {})


def pod_ready(pod: Object) -> bool:
    """True while the pod's Ready condition holds."""
    return condition_of(pod, "Ready").get("status") == "True"


def with_condition(conditions: list[Object], wanted: Object, moment: str) -> list[Object]:
    """``conditions`` with ``wanted`` in it; its lastTransitionTime moves only when the status flips."""
    known = next((each for each in conditions if each["type"] == wanted["type"]), None)
    kept = known is not None and known["status"] == wanted["status"]
    since = known["lastTransitionTime"] if known is not None and kept else moment
    merged = {**wanted, "lastTransitionTime": since}
    if known is None:
        return [*conditions, merged]
    return [merged if each is known else each for each in conditions]


def without_empty(status: Object) -> Object:
    """``status`` as the API writes it: counts of zero, empty strings and empty lists are left out."""
    return {name: value for name, value in status.items() if value not in (0, "", [], None)}
