"""How many pods each revision should have next. Pure: it sees counts and gives counts.

Promised: never fewer available pods than wanted through our doing; at most a quarter (at least one) more than wanted
while rolling without an autoscaler; what never served gives way at once; repeated, it ends with the target alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Kubernetes' own default surge of a rolling update.
_SURGE = 0.25


@dataclass(frozen=True, slots=True)
class RevisionState:
    """One revision's Deployment as it is; ``served`` is true once it was fully available."""

    name: str
    number: int
    desired: int
    existing: int
    available: int
    served: bool


@dataclass(frozen=True, slots=True)
class Steps:
    """The counts to set, by revision (a revision that is not named keeps what it has), and who serves.

    ``serving`` is whom an autoscaler should aim at.
    """

    counts: dict[str, int]
    serving: str


def rolling_steps(target: str, states: Sequence[RevisionState], wanted: int) -> Steps:
    """Without an autoscaler: pod by pod from the others to the target, ``wanted`` in all."""
    current = _state(target, states)
    others = _keepers(target, states)
    kept = sum(state.desired for state in others)
    if not kept:
        return Steps({**_dropped(target, states, ()), target: wanted}, target)
    surge = max(1, math.ceil(wanted * _SURGE))
    raised = min(wanted, max(min(current.desired, wanted), wanted + surge - kept))
    needed = min(kept, max(0, wanted - current.available))
    counts = _dropped(target, states, others)
    counts[target] = raised
    for state in sorted(others, key=lambda other: (other.available, other.number), reverse=True):
        share = min(state.desired, needed)
        counts[state.name] = share
        needed -= share
    return Steps(counts, target if not needed and current.available >= wanted else _serving(target, others))


def autoscaled_steps(target: str, states: Sequence[RevisionState], aimed_at: str, start: int) -> Steps:
    """With an autoscaler that aims at ``aimed_at`` (empty: none yet): the target is raised to the live count first.

    Once it is available the autoscaler moves to it; the others shrink when it has moved, for until then it owns
    their count. ``start`` is the count to begin with when nothing runs.
    """
    current = _state(target, states)
    serving = next((state for state in states if state.name == aimed_at and state.name != target), None)
    if serving is None or not serving.desired or not (serving.available or serving.served):
        counts = _dropped(target, states, _keepers(target, states) if not current.available else ())
        if not current.desired:
            counts[target] = start
        return Steps(counts, target)
    if current.available >= serving.desired:
        return Steps({target: current.desired}, target)
    return Steps({**_never_served(target, aimed_at, states), target: max(serving.desired, 1)}, aimed_at)


def _state(name: str, states: Sequence[RevisionState]) -> RevisionState:
    return next((state for state in states if state.name == name), RevisionState(name, 0, 0, 0, 0, served=False))


def _keepers(target: str, states: Sequence[RevisionState]) -> list[RevisionState]:
    """The others that may still be needed: those that serve, or did and may come back."""
    return [state for state in states if state.name != target and state.desired and (state.available or state.served)]


def _dropped(target: str, states: Sequence[RevisionState], keepers: Sequence[RevisionState]) -> dict[str, int]:
    kept = {state.name for state in keepers} | {target}
    return {state.name: 0 for state in states if state.name not in kept and state.desired}


def _never_served(target: str, aimed_at: str, states: Sequence[RevisionState]) -> dict[str, int]:
    return {state.name: 0 for state in states if state.name not in {target, aimed_at} and state.desired}


def _serving(target: str, others: Sequence[RevisionState]) -> str:
    best = max(others, key=lambda state: (state.available, state.number), default=None)
    return best.name if best and best.available else target
