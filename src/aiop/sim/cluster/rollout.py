"""How large each ReplicaSet of a Deployment should be next. Pure.

No step makes more pods than replicas + maxSurge, and none takes an available pod away while fewer than
replicas - maxUnavailable are available.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import annotations_of, status_of

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many pods a rolling update may have too many, and how many too few available ones."""

    surge: int
    unavailable: int


def replicas_of(obj: Object) -> int:
    """spec.replicas, one if not set."""
    value = obj["spec"].get("replicas")
    return 1 if value is None else int(value)


def count(obj: Object, field: str) -> int:
    """A count of the status."""
    return int(status_of(obj).get(field) or 0)


def scaled(value: int | str, total: int, *, up: bool) -> int:
    """A number, or a percentage of ``total`` rounded up or down."""
    if isinstance(value, str) and value.endswith("%"):
        share = int(value[:-1]) * total / 100
        return math.ceil(share) if up else math.floor(share)
    return int(value)


def is_rolling(deployment: Object) -> bool:
    """False for strategy Recreate."""
    return str((deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate")) == "RollingUpdate"


def bounds_of(deployment: Object) -> Bounds:
    """The bounds in pods; none for Recreate. Surge rounds up, unavailability down; two zeros are one unavailable."""
    if not is_rolling(deployment):
        return Bounds(0, 0)
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    total = replicas_of(deployment)
    surge = scaled(rolling.get("maxSurge", "25%"), total, up=True)
    unavailable = min(scaled(rolling.get("maxUnavailable", "25%"), total, up=False), total)
    return Bounds(surge, unavailable if surge or unavailable else 1)


def most_unavailable(deployment: Object) -> int:
    """How many pods may be missing before the Deployment is no longer available."""
    return bounds_of(deployment).unavailable if replicas_of(deployment) else 0


def new_size(deployment: Object, new: Object, everyone: Sequence[Object]) -> int:
    """The size that the newest ReplicaSet may have now."""
    wanted, current = replicas_of(deployment), replicas_of(new)
    if current >= wanted or not is_rolling(deployment):
        return wanted
    room = wanted + bounds_of(deployment).surge - sum(map(replicas_of, everyone))
    return current + max(0, min(room, wanted - current))


def old_sizes(deployment: Object, new: Object, olds: Sequence[Object]) -> dict[str, int]:
    """The sizes that older ReplicaSets may have now, by name; unhealthy pods go first."""
    if not is_rolling(deployment):
        return {_name(each): 0 for each in olds}
    sizes = {_name(each): replicas_of(each) for each in olds}
    least = replicas_of(deployment) - bounds_of(deployment).unavailable
    new_missing = replicas_of(new) - count(new, "availableReplicas")
    spare = sum(sizes.values()) + replicas_of(new) - least - new_missing
    if spare <= 0:
        return sizes
    ordered = sorted(olds, key=_age)
    _drop_unhealthy(ordered, sizes, spare)
    _drop_available(ordered, sizes, sum(count(each, "availableReplicas") for each in [new, *olds]) - least)
    return sizes


def _drop_unhealthy(olds: Sequence[Object], sizes: dict[str, int], spare: int) -> None:
    for each in olds:
        unhealthy = sizes[_name(each)] - count(each, "availableReplicas")
        dropped = max(0, min(spare, unhealthy))
        sizes[_name(each)] -= dropped
        spare -= dropped


def _drop_available(olds: Sequence[Object], sizes: dict[str, int], spare: int) -> None:
    for each in olds:
        dropped = max(0, min(spare, sizes[_name(each)]))
        sizes[_name(each)] -= dropped
        spare -= dropped


def proportional(deployment: Object, everyone: Sequence[Object]) -> dict[str, int]:
    """The sizes of ReplicaSets, by name, when the Deployment itself was scaled in the middle of a rollout."""
    wanted = replicas_of(deployment)
    allowed = wanted + bounds_of(deployment).surge if wanted else 0
    sizes = {_name(each): replicas_of(each) for each in everyone}
    remaining = allowed - sum(sizes.values())
    growing = remaining > 0
    ordered = sorted(everyone, key=lambda each: (-sizes[_name(each)], _age(each)))
    for each in ordered:
        share = _share(each, allowed)
        share = max(0, min(share, remaining)) if growing else min(0, max(share, remaining))
        sizes[_name(each)] += share
        remaining -= share
    if ordered and remaining:
        first = _name(ordered[0])
        sizes[first] = max(0, sizes[first] + remaining)
    return sizes


def _share(each: Object, allowed: int) -> int:
    size = replicas_of(each)
    before = int(annotations_of(each).get(MAXIMUM) or size or 1)
    return round(size * allowed / before) - size


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def _age(obj: Object) -> tuple[str, str]:
    return (obj["metadata"]["creationTimestamp"], _name(obj))
