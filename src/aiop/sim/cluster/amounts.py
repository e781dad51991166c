"""Amounts of resources: what a pod asks for and what a node has, as numbers."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import containers_of

Amounts = dict[str, Decimal]

# A suffix of two letters is a power of 1024, one of a single letter a power of ten.
_SUFFIXES = {
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    "m": Decimal("0.001"),
    "u": Decimal("0.000001"),
    "n": Decimal("0.000000001"),
}


def amount(text: str | float) -> Decimal:
    """A quantity as a number: ``1500m`` is 1.5, ``2Ki`` is 2048."""
    words = str(text)
    for length in (2, 1):
        factor = _SUFFIXES.get(words[-length:]) if len(words) > length else None
        if factor is not None:
            return Decimal(words[:-length]) * factor
    return Decimal(words)


def amounts(listed: Mapping[str, str] | None) -> Amounts:
    """A ResourceList as numbers."""
    return {name: amount(text) for name, text in (listed or {}).items()}


def added(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> Amounts:
    """The sum, resource by resource."""
    return {name: one.get(name, Decimal(0)) + other.get(name, Decimal(0)) for name in {**one, **other}}


def taken(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> Amounts:
    """The difference, resource by resource."""
    return {name: one.get(name, Decimal(0)) - other.get(name, Decimal(0)) for name in {**one, **other}}


def asked_by(pod: Object) -> Amounts:
    """What the scheduler reserves for the pod: its containers together, or its largest init container if that is more.

    Sidecars (init containers that restart always) count with the containers. Pod overhead is added.
    """
    spec = pod["spec"]
    inits = spec.get("initContainers") or []
    sidecars = [each for each in inits if each.get("restartPolicy") == "Always"]
    together = _sum(_requests(each) for each in [*containers_of(pod), *sidecars])
    for each in inits:
        if each.get("restartPolicy") != "Always":
            together = _most(together, _requests(each))
    return added(together, amounts(spec.get("overhead")))


def _requests(container: Object) -> Amounts:
    resources = container.get("resources") or {}
    return {**amounts(resources.get("limits")), **amounts(resources.get("requests"))}


def _sum(many: Iterable[Amounts]) -> Amounts:
    total: Amounts = {}
    for each in many:
        total = added(total, each)
    return total


def _most(one: Amounts, other: Amounts) -> Amounts:
    return {name: max(one.get(name, Decimal(0)), other.get(name, Decimal(0))) for name in {**one, **other}}
