"""The status-condition library: conditions by the Kubernetes API conventions, as immutable values."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

# The API's own bound of a condition's message.
_MESSAGE_BYTES = 32768


class Condition(msgspec.Struct, frozen=True, rename="camel", omit_defaults=False):
    """One condition; ``last_transition_time`` is RFC 3339 in whole seconds, when ``status`` last flipped."""

    type: str
    status: str = "Unknown"
    reason: str = "Unknown"
    message: str = ""
    last_transition_time: str = ""
    observed_generation: int = 0


def condition(kind: str, status: bool | None, reason: str, message: str = "") -> Condition:
    """A condition as a plan wants it, without time and generation; None is Unknown."""
    word = "Unknown" if status is None else str(status)
    text = message.encode()[:_MESSAGE_BYTES].decode(errors="ignore")
    return Condition(type=kind, status=word, reason=reason, message=text)


def merge_conditions(
    existing: Iterable[Condition], wanted: Sequence[Condition], *, now: datetime, generation: int
) -> tuple[Condition, ...]:
    """``wanted``, in its order, with the generation; the transition time is kept unless the status flipped.

    Conditions that exist and are not wanted are dropped: a writer says all of its conditions each time.
    """
    known = {each.type: each for each in existing}
    moment = now.replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")
    return tuple(_merged(known.get(each.type), each, moment, generation) for each in wanted)


def set_condition(
    existing: Sequence[Condition], wanted: Condition, *, now: datetime, generation: int
) -> tuple[Condition, ...]:
    """``existing`` with ``wanted`` in the place of its kind, or at the end; the others stay as they are.

    They keep their own observedGeneration, since nobody has looked at them anew.
    """
    (merged,) = merge_conditions(existing, [wanted], now=now, generation=generation)
    if find(existing, wanted.type) is None:
        return (*existing, merged)
    return tuple(merged if each.type == wanted.type else each for each in existing)


def changed(existing: Iterable[Condition], merged: Iterable[Condition]) -> list[Condition]:
    """Those of ``merged`` that are new, or whose status or reason differs: what an event is worth."""
    known = {each.type: (each.status, each.reason) for each in existing}
    return [each for each in merged if known.get(each.type) != (each.status, each.reason)]


def find(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """The condition of that type, if there is one."""
    return next((each for each in conditions if each.type == kind), None)


def _merged(known: Condition | None, wanted: Condition, moment: str, generation: int) -> Condition:
    kept = known is not None and known.status == wanted.status and known.last_transition_time
    return msgspec.structs.replace(
        wanted,
        last_transition_time=known.last_transition_time if known and kept else moment,
        observed_generation=generation,
    )
