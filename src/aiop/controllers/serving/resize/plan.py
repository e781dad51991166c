"""Whether servers get their new amounts while they run, and what is next on that way. Pure.

First the servers, then what new ones are made from: so a node that has no room is known before anything else has
changed, and the revision can still be rolled out as any other. Until then the workload's newest revision stays as it
is, and its record says what its servers may have been given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.controllers.serving.causes.cause import Cause
from aiop.controllers.serving.observed import Observed
from aiop.controllers.serving.resize.amounts import Amounts, agrees, amounts_of, server_amounts, shown, with_amounts
from aiop.controllers.serving.resize.pods import Stage, Standing, answered, look_again, standing, waiting
from aiop.controllers.serving.resize.restart import gets_more, only_resources_differ, restart_needed, told
from aiop.controllers.serving.resize.shape import shape_of
from aiop.controllers.serving.revision import KnownRevision, under_another_name
from aiop.runtime.views.workloads import Pod

# A lot of servers takes a second or so of a worker that other workloads wait for; the next lot follows at once.
LOT = 20
# Of what servers were given: as many changes as can overtake each other before the servers have followed.
_REMEMBERED = 5


@dataclass(frozen=True, slots=True)
class ServerResize:
    """A server that is to have these amounts from now on."""

    pod: Pod
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class ResizePlan:
    """``target`` is the revision to serve; ``look_again`` are the seconds after which the way may be another.

    ``servers`` are LOT at most; ``more``: others are to follow once these were asked.
    """

    target: KnownRevision
    servers: tuple[ServerResize, ...] = ()
    told: Cause | None = None
    look_again: float | None = None
    more: bool = False


def plan_resize(
    observed: Observed, spec: AIWorkloadSpec, target: KnownRevision, known: Sequence[KnownRevision], now: datetime
) -> ResizePlan:
    """``target`` is what the spec asks for, ``known`` are all revisions, the newest last."""
    if not known or target.hash == known[-1].hash or (target.number and observed.pods_of(target.hash)):
        return _settle(observed, target, known, now, _patience(spec))
    current = known[-1]
    old, new = current.data.pod, target.data.pod
    if spec.rollout.resize != "InPlace" or not only_resources_differ(old, new):
        return ResizePlan(target)
    aim = server_amounts(new)
    given = _given(current, aim)
    pods = observed.pods_of(current.hash)
    if not pods:
        return ResizePlan(target)
    patience = _patience(spec)
    standings = [standing(pod, aim, given, now, patience) for pod in pods]
    why = restart_needed(old, new) or observed.resize_refusal or _hopeless(standings) or _unfit(observed, current, aim)
    if why:
        return ResizePlan(replace(target, restart=why))
    change = f"{current.title} gets {told(server_amounts(old), aim)}"
    if all(each.stage is Stage.DONE for each in standings):
        return _settle(observed, _resized(current, target), known, now, patience, change)
    return _under_way(replace(current, given=given), standings, aim, change)


def _resized(current: KnownRevision, target: KnownRevision) -> KnownRevision:
    """The current revision once its servers have what the target asks for."""
    pod = with_amounts(current.data.pod, amounts_of(target.data.pod))
    data = msgspec.structs.replace(current.data, pod=pod)
    given, first = _given(current, server_amounts(pod)), current.first or current.data
    return replace(current, data=data, asked=target.asked, given=given, resized=True, first=first)


def _settle(
    observed: Observed,
    target: KnownRevision,
    known: Sequence[KnownRevision],
    now: datetime,
    patience: timedelta,
    change: str = "",
) -> ResizePlan:
    """Servers that were made or changed meanwhile follow, and so does what new ones are made from."""
    if not target.given and not (target.resized and observed.resize_refusal):
        return ResizePlan(target)
    aim = server_amounts(target.data.pod)
    # What runs was found to have its amounts before; how a kubelet rounds them later says nothing.
    standings = [
        standing(pod, aim, target.given, now, patience, settled=answered(pod)) for pod in observed.pods_of(target.hash)
    ]
    why = _hopeless(standings) or observed.resize_refusal
    if why:
        return ResizePlan(replace(under_another_name(target, known), restart=why))
    change = change or f"{target.title} gets {told(target.given[0], aim) or 'its amounts back'}"
    if any(each.stage is not Stage.DONE for each in standings):
        return _under_way(target, standings, aim, change)
    if shape_of(observed, target).settled:
        return ResizePlan(target)
    words = f"{change} without a restart: all servers have it, and new ones will start with it in a moment"
    return ResizePlan(target, told=Cause("ResizingInPlace", words))


def _under_way(target: KnownRevision, standings: Sequence[Standing], aim: Amounts, change: str) -> ResizePlan:
    done = sum(each.stage is Stage.DONE for each in standings)
    words = f"{change} without a restart: {done} of {len(standings)} servers have it"
    held = waiting(standings)
    words += f"; {held.words}" if held is not None else ""
    # Those that get less go first: a quota that lets none have more may have room then.
    asked = [each.pod for each in standings if each.stage is Stage.ASKED_NOT_YET]
    asked.sort(key=lambda pod: gets_more(shown(pod.spec.containers), aim))
    lot = tuple(ServerResize(pod, aim) for pod in asked[:LOT])
    return ResizePlan(target, lot, Cause("ResizingInPlace", words), look_again(standings), more=len(asked) > LOT)


def _patience(spec: AIWorkloadSpec) -> timedelta:
    return timedelta(seconds=spec.rollout.progress_deadline_seconds)


def _given(current: KnownRevision, aim: Amounts) -> tuple[Amounts, ...]:
    """What servers of the revision may have of us, the newest last."""
    before = current.given or (server_amounts(current.data.pod),)
    return (*(each for each in before if each != aim), aim)[-_REMEMBERED:]


def _hopeless(standings: Sequence[Standing]) -> str:
    return next((each.words for each in standings if each.stage is Stage.HOPELESS), "")


def _unfit(observed: Observed, current: KnownRevision, aim: Amounts) -> str:
    """Why servers as these are better replaced; what has begun goes on."""
    pods = observed.pods_of(current.hash)
    if any(agrees(shown(pod.spec.containers), aim) for pod in pods):
        return ""
    if len(pods) < len(observed.live_pods):
        return "servers of another version are still there"
    if any(not pod.ready and any(each.restart_count for each in pod.status.container_statuses) for pod in pods):
        return "not all servers are well"
    return "" if any(pod.ready for pod in pods) else "no server is ready"
