"""The resize subresource of pods: other amounts of cpu and memory, and nothing else. Pure."""

from typing import Any

from aiop.sim.semantics.errors import FieldFault

Object = dict[str, Any]

_NAMES = ("cpu", "memory")
_KINDS = ("limits", "requests")


def resized(old: Object, new: Object) -> Object:
    """The pod as it was, with the new one's amounts; what else was sent is dropped, as the real server does."""
    wanted = {each["name"]: each.get("resources") or {} for each in new["spec"].get("containers") or []}
    containers = [
        {**each, "resources": wanted[each["name"]]} if each["name"] in wanted else each
        for each in old["spec"]["containers"]
    ]
    return {**old, "spec": {**old["spec"], "containers": containers}}


def faults(old: Object, new: Object) -> list[FieldFault]:
    """What no pod that runs may have changed."""
    found = []
    for number, (before, after) in enumerate(zip(_amounts(old), _amounts(new), strict=True)):
        at = f"spec.containers[{number}].resources"
        for kind in _KINDS:
            one, other = before.get(kind) or {}, after.get(kind) or {}
            if any(name in one and name not in other for name in _NAMES):
                found.append(_forbidden(f"{at}.{kind}", f"resource {kind} cannot be removed"))
            if _others(one) != _others(other):
                found.append(_forbidden(at, "only cpu and memory resources are mutable"))
    if quality(old) != quality(new):
        words = "Invalid value: Pod QOS Class may not change as a result of resizing"
        found.append(FieldFault("spec", "FieldValueInvalid", words))
    return found


def quality(pod: Object) -> str:
    """The pod's quality of service."""
    lists = (pod["spec"].get(name) or [] for name in ("containers", "initContainers"))
    everyone = [each.get("resources") or {} for listed in lists for each in listed]
    if not any((each.get(kind) or {}).get(name) for each in everyone for kind in _KINDS for name in _NAMES):
        return "BestEffort"
    full = all(_full(each, name) for each in everyone for name in _NAMES)
    return "Guaranteed" if full else "Burstable"


def _full(resources: Object, name: str) -> bool:
    limit = (resources.get("limits") or {}).get(name)
    return limit is not None and (resources.get("requests") or {}).get(name, limit) == limit


def _others(listed: Object) -> Object:
    return {name: amount for name, amount in listed.items() if name not in _NAMES}


def _amounts(pod: Object) -> list[Object]:
    return [each.get("resources") or {} for each in pod["spec"]["containers"]]


def _forbidden(field: str, words: str) -> FieldFault:
    return FieldFault(field, "FieldValueForbidden", f"Forbidden: {words}")
