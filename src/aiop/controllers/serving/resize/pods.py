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
    """``words`` say what holds it up, if anything does; ``seconds`` after how long it may be another, by time alone."""

    pod: Pod
    stage: Stage
    words: str = ""
    seconds: float | None = None


def standing(
    pod: Pod, aim: Amounts, ours: Sequence[Amounts], now: datetime, patience: timedelta, *, settled: bool = False
) -> Standing:
    """``aim`` are the amounts that the server shall have, ``ours`` those that it may have of us.

    ``patience`` is how long a kubelet may take. ``settled``: what the kubelet says of its amounts no longer counts.
    """
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
    stage, words = _acted_on(pod, aim)
    if stage is not Stage.UNDER_WAY:
        return Standing(pod, stage, words)
    return Standing(pod, Stage.DONE) if settled else _slow(pod, now, patience)


def answered(pod: Pod) -> bool:
    """True if its kubelet has seen what it shall have, and is at work on nothing."""
    progress = pod.condition(_IN_PROGRESS)
    at_work = progress is not None and progress.status == "True"
    # A kubelet before Kubernetes 1.34 does not say what it has seen.
    seen = pod.status.observed_generation
    return not at_work and (not seen or seen >= pod.metadata.generation)


def waiting(standings: Iterable[Standing]) -> Standing | None:
    """The one with something to tell that will be another soonest."""
    told = (each for each in standings if each.words and each.seconds is not None)
    return min(told, key=lambda each: (each.seconds or 0.0, each.pod.metadata.name), default=None)


def look_again(standings: Iterable[Standing]) -> float | None:
    """Seconds after which one of them may be another, though nothing has changed."""
    return min((each.seconds for each in standings if each.seconds is not None), default=None)


def _patient(pod: Pod, told: TimedCondition, now: datetime) -> Standing:
    since = moment_of(told.last_transition_time)
    seconds = PATIENCE.total_seconds() if since is None else (since + PATIENCE - now).total_seconds()
    if seconds <= 0:
        return Standing(pod, Stage.HOPELESS, _words(pod, told))
    words = f"{_words(pod, told)}; if that lasts for {PATIENCE.total_seconds():.0f} s, servers are replaced instead"
    return Standing(pod, Stage.WAITING, words, seconds)


def _slow(pod: Pod, now: datetime, patience: timedelta) -> Standing:
    """It is named once it takes long, and has all of ``patience`` as a rollout would."""
    since = moment_of(pod.resized_at)
    if since is None:
        return Standing(pod, Stage.UNDER_WAY)
    words = (
        f"node {pod.spec.node_name!r} has not given pod {pod.metadata.name!r} its amounts, asked for at {_at(since)}"
    )
    end = since + patience
    if now >= end:
        waited = f"within {patience.total_seconds():.0f} s, as spec.rollout.progressDeadlineSeconds says"
        return Standing(pod, Stage.HOPELESS, f"{words}, {waited}")
    if now < since + PATIENCE:
        return Standing(pod, Stage.UNDER_WAY, seconds=(min(since + PATIENCE, end) - now).total_seconds())
    words = f"{words}; at {_at(end)} servers are replaced instead"
    return Standing(pod, Stage.UNDER_WAY, words, (end - now).total_seconds())


def _at(moment: datetime) -> str:
    return moment.strftime("%H:%M:%SZ")


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
