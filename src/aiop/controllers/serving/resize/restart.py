"""May a change of a pod be made while it runs, as far as the two PodSpecs tell? Pure."""

from collections.abc import Mapping
from typing import Any

from aiop.controllers.serving.quantities import value_of
from aiop.controllers.serving.resize.amounts import (
    NAMES,
    Amounts,
    amounts_of,
    apart_from_amounts,
    resources_of,
    server_amounts,
)

_BEST_EFFORT, _BURSTABLE, _GUARANTEED = "BestEffort", "Burstable", "Guaranteed"


def only_resources_differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """True if nothing but amounts of resources is another."""
    return apart_from_amounts(old, None) == apart_from_amounts(new, None)


def same_pod(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """True if the two make the same pods, though one may write its amounts otherwise."""
    return apart_from_amounts(old) == apart_from_amounts(new) and not changed(amounts_of(old), amounts_of(new))


def restart_needed(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Why pods of the one spec cannot become pods of the other while they run; empty if nothing here forbids it.

    Only for two of which ``only_resources_differ``.
    """
    if apart_from_amounts(old) != apart_from_amounts(new):
        return "only cpu and memory can change while a server runs, and another resource changes too"
    before, after = server_amounts(old), server_amounts(new)
    gone = sorted(key for name, amounts in before.items() for key in amounts if key not in after.get(name, {}))
    if gone:
        return f"{' and '.join(gone)} cannot be taken away while a server runs"
    classes = quality(old), quality(with_server_amounts(old, after))
    if classes[0] != classes[1]:
        return f"the pods' quality of service would change from {classes[0]} to {classes[1]}"
    return ""


def changed(before: Amounts, after: Amounts) -> dict[str, tuple[str, str]]:
    """Old and new amount by name (``limits.cpu``) of what is another; empty text for what is not there."""
    found: dict[str, tuple[str, str]] = {}
    for container in {**before, **after}:
        old, new = before.get(container, {}), after.get(container, {})
        for key in {**old, **new}:
            pair = old.get(key, ""), new.get(key, "")
            if not all(pair) or value_of(pair[0]) != value_of(pair[1]):
                found.setdefault(key, pair)
    return found


def gets_more(before: Amounts, after: Amounts) -> bool:
    """True if an amount grows; none of two with the same names was taken away."""
    return any(value_of(new) > value_of(old or "0") for old, new in changed(before, after).values() if new)


def told(before: Amounts, after: Amounts) -> str:
    """The change in words; limit and request that change alike are told once."""
    found = changed(before, after)
    words = []
    for name in NAMES:
        limit, request = found.get(f"limits.{name}"), found.get(f"requests.{name}")
        if limit == request:
            words += [_pair(name, limit)] if limit else []
            continue
        words += [_pair(f"{name} limit", limit)] if limit else []
        words += [_pair(f"{name} request", request)] if request else []
    return ", ".join(words)


def quality(pod: Mapping[str, Any]) -> str:
    """The pod's quality of service, as Kubernetes derives it."""
    amounts = list(amounts_of(pod).values())
    asked = [amount for each in amounts for amount in each.values() if value_of(amount)]
    if not asked:
        return _BEST_EFFORT
    guaranteed = all(_guaranteed(each, name) for each in amounts for name in NAMES)
    return _GUARANTEED if guaranteed else _BURSTABLE


def with_server_amounts(pod: Mapping[str, Any], amounts: Amounts) -> dict[str, Any]:
    """The PodSpec as it is once its servers have other amounts; initial containers keep theirs."""
    containers = [
        {**each, "resources": resources_of(amounts.get(each["name"], {}))} for each in pod.get("containers") or ()
    ]
    return {**pod, "containers": containers}


def _guaranteed(amounts: Mapping[str, str], name: str) -> bool:
    limit = amounts.get(f"limits.{name}")
    return limit is not None and value_of(limit) == value_of(amounts.get(f"requests.{name}", "0"))


def _pair(name: str, pair: tuple[str, str]) -> str:
    return f"{name} from {pair[0] or 'none'} to {pair[1] or 'none'}"
