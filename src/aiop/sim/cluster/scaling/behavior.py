"""How fast replicas may follow what metrics ask for: spec.behavior of HPA v2. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiop.sim.cluster.amounts import amount
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.scaling.replicas import Tolerances

# kube-controller-manager's --horizontal-pod-autoscaler-downscale-stabilization.
_DOWNSCALE_WINDOW = 300.0


@dataclass(frozen=True, slots=True)
class Policy:
    """At most ``value`` pods, or percent of them, in any ``period_seconds``."""

    kind: str
    value: int
    period_seconds: float


# What the API's documentation gives as defaults.
_UP = (Policy("Pods", 4, 15.0), Policy("Percent", 100, 15.0))
_DOWN = (Policy("Percent", 100, 15.0),)


@dataclass(frozen=True, slots=True)
class Direction:
    """``select`` is Max, Min or Disabled."""

    window_seconds: float
    policies: tuple[Policy, ...]
    select: str = "Max"


@dataclass(frozen=True, slots=True)
class Behavior:
    """Both directions, defaults filled in, and how far a metric may be off."""

    up: Direction
    down: Direction
    tolerances: Tolerances


@dataclass(frozen=True, slots=True)
class Dated:
    """A recommendation of ``replicas``, or a change by as many, at a moment of the monotonic clock."""

    at: float
    replicas: int


@dataclass(slots=True)
class Memory:
    """What one autoscaler remembers; ``forget`` keeps it bounded."""

    recommended: list[Dated] = field(default_factory=list)
    grown: list[Dated] = field(default_factory=list)
    shrunk: list[Dated] = field(default_factory=list)

    def forget(self, behavior: Behavior, now: float) -> None:
        """Drop what no window and no period reaches back to."""
        window = max(behavior.up.window_seconds, behavior.down.window_seconds)
        self.recommended = _since(self.recommended, now - window)
        self.grown = _since(self.grown, now - _longest(behavior.up))
        self.shrunk = _since(self.shrunk, now - _longest(behavior.down))


@dataclass(frozen=True, slots=True)
class Bounds:
    """minReplicas and maxReplicas."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Decision:
    """How many replicas; ``stabilized`` says which window held it ("" for none), ``limited`` what else did."""

    replicas: int
    stabilized: str = ""
    limited: str = ""


def behavior_of(spec: Mapping[str, Object]) -> Behavior:
    """spec.behavior of an HPA with its defaults."""
    given = spec.get("behavior") or {}
    up, down = given.get("scaleUp") or {}, given.get("scaleDown") or {}
    tolerances = Tolerances(_tolerance(up), _tolerance(down))
    return Behavior(_direction(up, 0.0, _UP), _direction(down, _DOWNSCALE_WINDOW, _DOWN), tolerances)


def decide(asked: int, current: int, bounds: Bounds, behavior: Behavior, memory: Memory, now: float) -> Decision:
    """What becomes of ``asked`` replicas; remembers that they were asked for."""
    memory.recommended.append(Dated(now, asked))
    memory.forget(behavior, now)
    steady = _stabilized(current, behavior, memory, now)
    stabilized = "" if steady == asked else ("ScaleDownStabilized" if asked < steady else "ScaleUpStabilized")
    if steady > current:
        ceiling = max(current, _highest(current, behavior.up, memory, now))
        return _within(steady, min(ceiling, bounds.most), bounds, stabilized, "ScaleUpLimit")
    if steady < current:
        floor = min(current, _lowest(current, behavior.down, memory, now))
        return _lowered(steady, floor, bounds, stabilized)
    return Decision(steady, stabilized, _bound_of(asked, bounds))


def rescaled(old: int, new: int, memory: Memory, now: float) -> None:
    """Remember that the size was changed."""
    if new > old:
        memory.grown.append(Dated(now, new - old))
    elif new < old:
        memory.shrunk.append(Dated(now, old - new))


def _tolerance(given: Object) -> float:
    """A quantity; a tenth if it is not set, and nothing is forgiven at zero."""
    return 0.1 if given.get("tolerance") is None else float(amount(given["tolerance"]))


def _direction(given: Object, window: float, policies: tuple[Policy, ...]) -> Direction:
    listed = tuple(
        Policy(each["type"], int(each["value"]), float(each["periodSeconds"])) for each in given.get("policies") or []
    )
    seconds = given.get("stabilizationWindowSeconds")
    return Direction(
        window if seconds is None else float(seconds), listed or policies, given.get("selectPolicy") or "Max"
    )


def _stabilized(current: int, behavior: Behavior, memory: Memory, now: float) -> int:
    """Up to the least that was asked for in the window up, down to the most in the window down."""
    least = min(_values(memory.recommended, now - behavior.up.window_seconds))
    most = max(_values(memory.recommended, now - behavior.down.window_seconds))
    return min(max(current, least), most)


def _highest(current: int, up: Direction, memory: Memory, now: float) -> int:
    if up.select == "Disabled":
        return current
    limits = []
    for policy in up.policies:
        start = current - _changed(memory.grown, policy, now) + _changed(memory.shrunk, policy, now)
        limits.append(start + policy.value if policy.kind == "Pods" else math.ceil(start * (1 + policy.value / 100)))
    return min(limits) if up.select == "Min" else max(limits)


def _lowest(current: int, down: Direction, memory: Memory, now: float) -> int:
    if down.select == "Disabled":
        return current
    limits = []
    for policy in down.policies:
        start = current - _changed(memory.grown, policy, now) + _changed(memory.shrunk, policy, now)
        limits.append(start - policy.value if policy.kind == "Pods" else math.floor(start * (1 - policy.value / 100)))
    return max(limits) if down.select == "Min" else min(limits)


def _within(wanted: int, ceiling: int, bounds: Bounds, stabilized: str, rate: str) -> Decision:
    if wanted <= ceiling:
        return Decision(max(wanted, bounds.least), stabilized, _bound_of(wanted, bounds))
    return Decision(ceiling, stabilized, "TooManyReplicas" if ceiling == bounds.most else rate)


def _lowered(wanted: int, floor: int, bounds: Bounds, stabilized: str) -> Decision:
    least = max(floor, bounds.least)
    if wanted >= least:
        return Decision(min(wanted, bounds.most), stabilized, _bound_of(wanted, bounds))
    return Decision(least, stabilized, "TooFewReplicas" if least == bounds.least else "ScaleDownLimit")


def _bound_of(asked: int, bounds: Bounds) -> str:
    if asked > bounds.most:
        return "TooManyReplicas"
    return "TooFewReplicas" if asked < bounds.least else ""


def _changed(changes: Iterable[Dated], policy: Policy, now: float) -> int:
    return sum(each.replicas for each in changes if each.at > now - policy.period_seconds)


def _values(dated: Iterable[Dated], since: float) -> list[int]:
    return [each.replicas for each in dated if each.at >= since]


def _since(dated: Sequence[Dated], moment: float) -> list[Dated]:
    return [each for each in dated if each.at >= moment]


def _longest(direction: Direction) -> float:
    return max(policy.period_seconds for policy in direction.policies)
