"""Which changes of conditions are worth an event, and of what kind. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiop.runtime.conditions.condition import Condition, changed

# What follows from these needs no event of its own.
_TOLD = frozenset({"Accepted", "Ready", "Progressing", "Degraded"})
# Of how the model's files come only this: what goes wrong with them is what Degraded says too.
_MODEL_NEWS = frozenset({"ModelFetching", "ModelFetched"})
# At the first look these only say that nothing is there yet.
_SILENT_AT_FIRST = frozenset({"Ready", "Degraded"})
# How a change goes when nothing is in its way.
_USUAL = frozenset({"ResizingInPlace", "RestartNeeded", "RolloutComplete", "RollingOut", "RollingOutInPlace"})


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event to record: Normal or Warning, the condition's reason, and a note."""

    event_type: str
    reason: str
    note: str


def announcements(before: Sequence[Condition], after: Sequence[Condition]) -> list[Announcement]:
    """One for each told condition whose status or reason changed."""
    return [
        Announcement(_event_type(each), each.reason, f"{each.type}: {each.message}" if each.message else each.type)
        for each in changed(before, after)
        if (each.type in _TOLD or each.reason in _MODEL_NEWS)
        and (before or each.type not in _SILENT_AT_FIRST)
        and not _said_elsewhere(each)
    ]


def _said_elsewhere(each: Condition) -> bool:
    """Not ready is what Accepted, Progressing or Degraded give the reason for."""
    return each.type == "Ready" and each.status != "True"


def _good(each: Condition) -> bool:
    return each.status == ("False" if each.type == "Degraded" else "True")


def _event_type(each: Condition) -> str:
    if each.reason in _MODEL_NEWS:
        return "Normal"
    if each.type == "Progressing":
        return "Normal" if each.reason in _USUAL else "Warning"
    return "Normal" if _good(each) else "Warning"
