"""Is there room for another server, and would an old one's leaving make some? Pure, in the cluster's own words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from aiop.controllers.serving.quantities import value_of
from aiop.controllers.serving.words import one_line
from aiop.runtime.kit.moments import moment_of
from aiop.runtime.views.workloads import Pod, ReplicaSet

# How the scheduler says that a node would do, were it not for the pods that are on it.
_INSUFFICIENT = re.compile(r"Insufficient ([A-Za-z0-9./_-]{1,253})")
_OCCUPIED = re.compile(r"Too many pods|anti-affinity rules|free ports for the requested pod ports")
_QUOTA = "exceeded quota: "
_REQUESTED = re.compile(r"requested: ([^ ]{1,2000})")
_PREFIX = re.compile(r"^(requests|limits)\.")


@dataclass(frozen=True, slots=True)
class Shortage:
    """``words`` say who has no room, and why in its own words; ``lacking`` are the resources that are short."""

    words: str
    since: datetime
    lacking: frozenset[str]


def shortage(pods: Iterable[Pod], replica_sets: Iterable[ReplicaSet]) -> Shortage | None:
    """What keeps these pods from a node or from being made at all; None if it is not a lack of room."""
    found = [*_unscheduled(pods), *_over_quota(replica_sets)]
    return min(found, key=lambda each: each.since, default=None)


def makes_room(leaving: Mapping[str, Any], coming: Mapping[str, Any], lacking: Iterable[str]) -> bool:
    """True if where a pod of the one spec stood, one of the other can stand: asking no more of what is short."""
    try:
        old, new = msgspec.convert(leaving, _Spec), msgspec.convert(coming, _Spec)
    except msgspec.ValidationError:
        return False  # a record that somebody has spoiled
    before, after = _asked(old), _asked(new)
    # An amount beyond all bounds was never scheduled, so nothing is known of the place.
    modest = all(after.get(name, Decimal(0)) <= before.get(name, Decimal(0)) < Decimal("Infinity") for name in lacking)
    return modest and _places(old) == _places(new)


def _unscheduled(pods: Iterable[Pod]) -> Iterable[Shortage]:
    for pod in pods:
        told, since = pod.condition("PodScheduled"), moment_of(pod.metadata.creation_timestamp)
        if told is None or told.status != "False" or told.reason != "Unschedulable" or since is None:
            continue
        lacking = frozenset(name.rstrip(".") for name in _INSUFFICIENT.findall(told.message))
        if lacking or _OCCUPIED.search(told.message):
            # No pod goes back to having no node, so it has had none since it was made.
            words = f"the scheduler finds no room: {one_line(told.message).rstrip('. ')}"
            yield Shortage(words, since, lacking)


def _over_quota(replica_sets: Iterable[ReplicaSet]) -> Iterable[Shortage]:
    for condition in (each for found in replica_sets for each in found.status.conditions):
        since = moment_of(condition.last_transition_time)
        if condition.type != "ReplicaFailure" or condition.status != "True" or since is None:
            continue
        _, _, words = condition.message.partition(_QUOTA)
        if words:
            told = f"a quota leaves no room: {one_line(words).rstrip('. ')}"
            yield Shortage(told, since, _requested(words))


def _requested(words: str) -> frozenset[str]:
    """The resources that a quota counts; pods and other objects are counted one for one anyway."""
    found = _REQUESTED.search(words)
    names = (each.partition("=")[0] for each in found[1].rstrip(",").split(",")) if found else ()
    return frozenset(_PREFIX.sub("", name) for name in names if name != "pods" and not name.startswith("count/"))


class _Resources(msgspec.Struct):
    limits: dict[str, str | int | float] = {}
    requests: dict[str, str | int | float] = {}


class _Container(msgspec.Struct):
    resources: _Resources = msgspec.field(default_factory=_Resources)


class _Affinity(msgspec.Struct, rename="camel"):
    node_affinity: Any = None


class _Spec(msgspec.Struct, rename="camel"):
    containers: Sequence[_Container] = ()
    init_containers: Sequence[_Container] = ()
    node_selector: dict[str, str] = {}
    affinity: _Affinity = msgspec.field(default_factory=_Affinity)
    tolerations: list[Any] = []


def _places(spec: _Spec) -> tuple[object, ...]:
    return spec.node_selector, spec.affinity.node_affinity, spec.tolerations


def _asked(spec: _Spec) -> dict[str, Decimal]:
    """What the scheduler counts: all containers together, or the largest that runs before them."""
    asked: dict[str, Decimal] = {}
    for container in spec.containers:
        for name, amount in _amounts(container).items():
            asked[name] = asked.get(name, Decimal(0)) + amount
    for container in spec.init_containers:
        for name, amount in _amounts(container).items():
            asked[name] = max(asked.get(name, Decimal(0)), amount)
    return asked


def _amounts(container: _Container) -> dict[str, Decimal]:
    both = {**container.resources.limits, **container.resources.requests}
    return {name: value_of(str(amount)) for name, amount in both.items()}
