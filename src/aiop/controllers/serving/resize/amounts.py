"""The amounts of cpu and memory in a pod: read out of it, put into it, compared. Pure.

Written flat, by container: ``{"server": {"limits.cpu": "2", "requests.cpu": "2"}}``. A request that is not named is
what the API server makes of it, the limit: so it is named here, or it would keep its old value when the limit grows.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from aiop.runtime.controller.drift import quantity
from aiop.runtime.views.workloads import Container, Resources

Amounts = Mapping[str, Mapping[str, str]]

# Kubernetes changes no other resource of a pod that runs.
NAMES = ("cpu", "memory")
KINDS = ("limits", "requests")
LISTS = ("initContainers", "containers")
_Key = Literal["limits.cpu", "limits.memory", "requests.cpu", "requests.memory"]
_Read = tuple[Mapping[str, Mapping[_Key, str]], ...]


def amounts_of(pod: Mapping[str, Any]) -> Amounts:
    """The amounts of every container of a PodSpec, initial ones too."""
    return {each["name"]: _flat(each.get("resources") or {}) for name in LISTS for each in pod.get(name) or ()}


def server_amounts(pod: Mapping[str, Any]) -> Amounts:
    """The amounts of the containers that go on running: what an initial one asked for is over."""
    amounts = amounts_of(pod)
    return {each["name"]: amounts[each["name"]] for each in pod["containers"]}


def shown(containers: Iterable[Container]) -> Amounts:
    """The amounts that the API shows; a template does not show the requests that its pods will have by their limits."""
    return {each.name: _shown(each.resources) for each in containers}


def resources_of(amounts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Of one container, as a PodSpec has them."""
    resources: dict[str, dict[str, str]] = {}
    for key, amount in amounts.items():
        kind, _, name = key.partition(".")
        resources.setdefault(kind, {})[name] = amount
    return resources


def agrees(live: Amounts, wanted: Amounts) -> bool:
    """True if ``live`` has all that is wanted; what is not named there may be anything (a LimitRange adds to it)."""
    return all(
        quantity(live.get(container, {}).get(key, "")) == quantity(amount)
        for container, amounts in wanted.items()
        for key, amount in amounts.items()
    )


def with_amounts(pod: Mapping[str, Any], amounts: Amounts) -> dict[str, Any]:
    """The PodSpec with other amounts of what ``amounts`` names; everything else stays.

    But for the size of its shared memory, which is as large as the server may be. Of pods that run it stays as it is.
    """
    changed = {
        name: [_with(each, amounts.get(each["name"], {})) for each in pod[name]] for name in LISTS if name in pod
    }
    memory = _memory_of_servers(pod, amounts)
    if memory is not None and "volumes" in pod:
        changed["volumes"] = [_sized(each, {"sizeLimit": memory}) for each in pod["volumes"]]
    return {**pod, **changed}


def apart_from_amounts(pod: Mapping[str, Any], names: Iterable[str] | None = NAMES) -> dict[str, Any]:
    """The PodSpec without its amounts of these resources (None: of any), and without the size of its shared memory."""
    left_out = None if names is None else frozenset(names)
    changed = {name: [_without(each, left_out) for each in pod[name]] for name in LISTS if name in pod}
    if "volumes" in pod:
        changed["volumes"] = [_sized(each, {}) for each in pod["volumes"]]
    return {**pod, **changed}


def read_amounts(text: str) -> tuple[Amounts, ...]:
    """What an annotation of ours holds; nothing if it is none that we would have written."""
    try:
        return msgspec.json.decode(text, type=_Read) if text else ()
    except (msgspec.DecodeError, RecursionError):
        return ()


def written(amounts: Iterable[Amounts]) -> str:
    """As an annotation."""
    return msgspec.json.encode(list(amounts), order="deterministic").decode()


def _shown(resources: Resources) -> dict[str, str]:
    limits, requests = resources.limits, resources.requests
    flat = {
        "limits.cpu": limits.cpu,
        "limits.memory": limits.memory,
        "requests.cpu": requests.cpu or limits.cpu,
        "requests.memory": requests.memory or limits.memory,
    }
    return {key: amount for key, amount in flat.items() if amount}


def _flat(resources: Mapping[str, Any]) -> dict[str, str]:
    limits = resources.get("limits") or {}
    asked = {"limits": limits, "requests": {**limits, **(resources.get("requests") or {})}}
    return {f"{kind}.{name}": str(asked[kind][name]) for kind in KINDS for name in NAMES if name in asked[kind]}


def _with(container: Mapping[str, Any], amounts: Mapping[str, str]) -> dict[str, Any]:
    resources = {kind: dict(values or {}) for kind, values in (container.get("resources") or {}).items()}
    for key, amount in amounts.items():
        kind, _, name = key.partition(".")
        resources.setdefault(kind, {})[name] = amount
    return {**container, "resources": {kind: dict(sorted(values.items())) for kind, values in resources.items()}}


def _memory_of_servers(pod: Mapping[str, Any], amounts: Amounts) -> str | None:
    servers = (amounts.get(each["name"], {}) for each in pod.get("containers") or ())
    return next((each["limits.memory"] for each in servers if "limits.memory" in each), None)


def _sized(volume: Mapping[str, Any], size: Mapping[str, str]) -> dict[str, Any]:
    """The volume, if it is one in memory that has a size, with this one."""
    folder = volume.get("emptyDir") or {}
    if folder.get("medium") != "Memory" or "sizeLimit" not in folder:
        return dict(volume)
    rest = {name: value for name, value in folder.items() if name != "sizeLimit"}
    return {**volume, "emptyDir": {**rest, **size}}


def _without(container: Mapping[str, Any], names: frozenset[str] | None) -> dict[str, Any]:
    left = {
        kind: {name: amount for name, amount in (values or {}).items() if names is not None and name not in names}
        for kind, values in (container.get("resources") or {}).items()
    }
    return {**container, "resources": {kind: values for kind, values in left.items() if values}}
