"""How many pods each revision should have next. Pure: it sees counts and gives counts.

Promised: never fewer available pods through our doing than wanted less ``Bounds.unavailable``; never more than wanted
and ``Bounds.surge`` while rolling pod by pod; what never served gives way at once; repeated, it ends with the target
alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

# Kubernetes' own default surge of a rolling update.
_SURGE = 0.25


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a rollout pod by pod: at most ``surge`` pods more and ``unavailable`` fewer than wanted; not both 0."""

    surge: int
    unavailable: int = 0


def usual_surge(wanted: int) -> int:
    """How many more there may be unless somebody says otherwise: a quarter, at least one."""
    return max(1, math.ceil(wanted * _SURGE))


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


def keepers(target: str, states: Sequence[RevisionState]) -> list[RevisionState]:
    """The others that may still be needed: those that serve, or did and may come back."""
    return [state for state in states if state.name != target and state.desired and (state.available or state.served)]


def rolling_steps(target: str, states: Sequence[RevisionState], wanted: int, bounds: Bounds) -> Steps:
    """Pod by pod from the others to the target, ``wanted`` in all; who has most of the available pods serves."""
    current = _state(target, states)
    others = keepers(target, states)
    kept = sum(state.desired for state in others)
    if not kept:
        return Steps({**_dropped(target, states, ()), target: wanted}, target)
    raised = min(wanted, max(min(current.desired, wanted), wanted + bounds.surge - kept))
    counts = _dropped(target, states, others) | _shares(others, wanted - bounds.unavailable - current.available)
    return Steps({**counts, target: raised}, _serving(current, others))


def autoscaled_steps(target: str, states: Sequence[RevisionState], aimed_at: str, start: int) -> Steps:
    """With an autoscaler that aims at ``aimed_at`` (empty: none yet): the target is raised to the live count first.

    Once it is available, or carries more than the one aimed at, the autoscaler moves to it; the others shrink when it
    has moved, for until then it owns their count. ``start`` is the count to begin with when nothing runs.
    """
    current = _state(target, states)
    others = keepers(target, states)
    aimed = next((state for state in others if state.name == aimed_at), None)
    if aimed is None:
        return Steps(_moved(current, states, others, start), target)
    if current.available >= aimed.desired or (aimed.available < aimed.desired and current.available > aimed.available):
        return Steps({target: current.desired}, target)
    spares = [state for state in others if state is not aimed]
    lacking = aimed.desired - aimed.available - current.available
    return Steps(
        {**_dropped(target, states, others), **_shares(spares, lacking), target: aimed.desired},
        aimed_at,
    )


def _moved(
    current: RevisionState, states: Sequence[RevisionState], others: Sequence[RevisionState], start: int
) -> dict[str, int]:
    """The autoscaler aims at the target and sets its count; the others make up for what it lacks."""
    counts = _dropped(current.name, states, others)
    if current.desired:
        return counts | _shares(others, current.desired - current.available)
    return counts | {current.name: max(start, sum(state.desired for state in others))}


def _state(name: str, states: Sequence[RevisionState]) -> RevisionState:
    return next((state for state in states if state.name == name), RevisionState(name, 0, 0, 0, 0, served=False))


def _shares(others: Sequence[RevisionState], needed: int) -> dict[str, int]:
    """``needed`` pods: those that are available first, then those that may become so; the rest goes."""
    ranked = sorted(others, key=lambda other: (other.available, other.number), reverse=True)
    counts = dict.fromkeys((state.name for state in ranked), 0)
    for most in (attrgetter("available"), attrgetter("desired")):
        for state in ranked:
            share = max(0, min(most(state) - counts[state.name], needed))
            counts[state.name] += share
            needed -= share
    return counts


def _dropped(target: str, states: Sequence[RevisionState], keepers: Sequence[RevisionState]) -> dict[str, int]:
    kept = {state.name for state in keepers} | {target}
    return {state.name: 0 for state in states if state.name not in kept and state.desired}


def _serving(current: RevisionState, others: Sequence[RevisionState]) -> str:
    best = max(others, key=lambda state: (state.available, state.number))
    return best.name if best.available > current.available else current.name
