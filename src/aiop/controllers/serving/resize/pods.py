"""How far each server is on its way to other amounts. Pure.

Only servers that have amounts of ours are changed: another (a vertical autoscaler, say) may have given them others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from aiop.controllers.serving.resize.amounts import Amounts, agrees, shown
from aiop.controllers.serving.words import one_line
from aiop.runtime.kit.moments import moment_of
from aiop.runtime.views.workloads import Container, Pod, TimedCondition

# Long enough for a pod that is on its way out to leave its room, as with a rollout; servers serve meanwhile.
PATIENCE = timedelta(seconds=60)
_PENDING, _IN_PROGRESS = "PodResizePending", "PodResizeInProgress"


class Stage(Enum):
    """Of one server: it has the amounts, was not asked yet, works on it, waits for room, or never will."""

    DONE = "done"
    ASKED_NOT_YET = "asked not yet"
    UNDER_WAY = "under way"
    WAITING = "waiting"
    HOPELESS = "hopeless"


@dataclass(frozen=True, slots=True)
class Standing:
    """``words`` are the kubelet's, of one that waits or never will; ``seconds`` how long it may wait yet."""

    pod: Pod
    stage: Stage
    words: str = ""
    seconds: float = 0.0


def standing(pod: Pod, aim: Amounts, ours: Sequence[Amounts], now: datetime) -> Standing:
    """``aim`` are the amounts that the server shall have, ``ours`` those that it may have of us."""
    live = shown(pod.spec.containers)
    if not agrees(live, aim):
        foreign = not any(agrees(live, each) for each in ours)
        return Standing(pod, Stage.DONE if foreign else Stage.ASKED_NOT_YET)
    pending, progress = pod.condition(_PENDING), pod.condition(_IN_PROGRESS)
    if pending is not None and pending.status == "True":
        if pending.reason == "Infeasible":
            return Standing(pod, Stage.HOPELESS, _words(pod, pending))
        return _patient(pod, pending, now)
    if progress is not None and progress.status == "True" and progress.reason == "Error":
        return _patient(pod, progress, now)
    return Standing(pod, *_acted_on(pod, aim))


def waiting(standings: Iterable[Standing]) -> Standing | None:
    """The one that waits shortest of those that wait."""
    return min((each for each in standings if each.stage is Stage.WAITING), key=lambda each: each.seconds, default=None)


def _patient(pod: Pod, told: TimedCondition, now: datetime) -> Standing:
    since = moment_of(told.last_transition_time)
    seconds = PATIENCE.total_seconds() if since is None else (since + PATIENCE - now).total_seconds()
    stage = Stage.WAITING if seconds > 0 else Stage.HOPELESS
    return Standing(pod, stage, _words(pod, told), max(0.0, seconds))


def _acted_on(pod: Pod, aim: Amounts) -> tuple[Stage, str]:
    """What runs says what it has; what does not run yet begins with what it is asked to have."""
    for each in pod.status.container_statuses:
        if each.name not in aim or each.state.running is None:
            continue
        if each.resources is None:
            return Stage.HOPELESS, f"the kubelet of node {pod.spec.node_name!r} does not offer it"
        if not agrees(shown([Container(each.name, each.resources)]), {each.name: aim[each.name]}):
            return Stage.UNDER_WAY, ""
    return Stage.DONE, ""


def _words(pod: Pod, told: TimedCondition) -> str:
    said = one_line(told.message).rstrip(". ")
    return f"node {pod.spec.node_name!r} says {told.reason}{f': {said}' if said else ''}"
