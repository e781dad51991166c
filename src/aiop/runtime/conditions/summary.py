"""One answer from many conditions, in the words that generic tools read: Ready, Reconciling, Stalled (kstatus).

kstatus and what is built on it (kubectl, Flux, Helm, Argo CD's checks) know an object to be done by Ready, to be at
work by Reconciling and to have failed by Stalled. The last two stand only while they are true, and never together.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from aiop.runtime.conditions.condition import Condition, condition, find

READY, RECONCILING, STALLED = "Ready", "Reconciling", "Stalled"


class Why(NamedTuple):
    """What a condition gives as its grounds: a word for machines, a sentence for people."""

    reason: str
    message: str = ""


def complete(kinds: Sequence[str], known: Iterable[Condition]) -> tuple[Condition, ...]:
    """One condition of each kind, in that order: the known one, or Unknown. So a first visit says all there will be."""
    found = tuple(known)
    return tuple(find(found, kind) or condition(kind, None, "NotYetKnown", "not looked at yet") for kind in kinds)


def while_true(*, stalled: Why | None, reconciling: Why | None) -> tuple[Condition, ...]:
    """Stalled or Reconciling, or neither; what is stalled does not go on by itself, so it is not reconciling too."""
    if stalled is not None:
        return (condition(STALLED, True, stalled.reason, stalled.message),)
    if reconciling is not None:
        return (condition(RECONCILING, True, reconciling.reason, reconciling.message),)
    return ()


def summarise(
    conditions: Sequence[Condition],
    *,
    negative: Collection[str] = (),
    stalled: Why | None = None,
    success: Why | None = None,
) -> tuple[Condition, ...]:
    """``conditions``, then Ready, and Reconciling or Stalled while that is true.

    A condition of a kind in ``negative`` is good when False, any other when True. Ready is False for the first that is
    bad, else Unknown for the first that is unknown, else True for ``success``. ``stalled`` says why it will not get
    ready by itself; what is not ready without it is Reconciling.
    """
    fault = _first(conditions, negative, good=False) or _first(conditions, negative, good=None)
    if stalled is not None:
        return (*conditions, condition(READY, False, *stalled), *while_true(stalled=stalled, reconciling=None))
    if fault is None:
        return (*conditions, condition(READY, True, *(success or Why("Ready"))))
    ready = condition(READY, _is_good(fault, negative), fault.reason, fault.message)
    return (*conditions, ready, *while_true(stalled=None, reconciling=Why(fault.reason, fault.message)))


def _first(conditions: Sequence[Condition], negative: Collection[str], *, good: bool | None) -> Condition | None:
    return next((each for each in conditions if _is_good(each, negative) is good), None)


def _is_good(each: Condition, negative: Collection[str]) -> bool | None:
    """None for what is unknown."""
    if each.status not in {"True", "False"}:
        return None
    return (each.status == "True") != (each.type in negative)
