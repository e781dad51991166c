"""Which way a rollout takes: with extra servers where there is room, one for one where there is none. Pure.

Nothing is remembered here: that old servers have begun to give way stands on the Deployments, as a mark.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aiop.api.rollout import Rollout
from aiop.controllers.serving.diagnosis import Cause
from aiop.controllers.serving.rollout.room import Shortage
from aiop.controllers.serving.rollout.steps import Bounds

# Long enough for a pod that is on its way out to go, and for a cluster that grows by itself to begin with it; what
# serves loses nothing meanwhile.
PATIENCE = timedelta(seconds=60)
_IN_PLACE = Bounds(surge=0, unavailable=1)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the way depends on.

    ``coming`` and ``leaving`` are what messages call the revisions; ``surge`` is how many servers more than ``wanted``
    there may be unless the spec says so. ``fits``: where an old server stood, a new one can. ``begun``: old ones gave
    way before.
    """

    coming: str
    leaving: str
    wanted: int
    surge: int
    shortage: Shortage | None = None
    fits: bool = True
    begun: bool = False

    @property
    def move(self) -> str:
        """Who takes whose place."""
        if self.coming == self.leaving:
            return f"the changed {self.coming} takes the old one's place".replace("  ", " ")
        return f"{self.coming} takes {self.leaving}'s place"


@dataclass(frozen=True, slots=True)
class Way:
    """``told`` is for the condition; ``look_again`` are the seconds after which the way may be another.

    ``pod_by_pod``: an autoscaler has to hold its number meanwhile. ``gives_way``: old servers leave before the new ones
    serve, though the spec does not say so.
    """

    bounds: Bounds
    told: Cause
    pod_by_pod: bool = False
    gives_way: bool = False
    look_again: float | None = None


def choose_way(rollout: Rollout, situation: Situation, now: datetime) -> Way:
    """The way for this pass."""
    surge = situation.surge if rollout.max_surge is None else rollout.max_surge
    if rollout.max_unavailable is not None or not surge:
        # With no server more there has to be one fewer, or none could ever be replaced.
        bounds = Bounds(surge, max(rollout.max_unavailable or 0, 0 if surge else 1))
        return Way(bounds, _as_told(situation, bounds), pod_by_pod=True)
    pod_by_pod = rollout.max_surge is not None
    short = situation.shortage
    if (short is not None or situation.begun) and situation.wanted > 1 and situation.fits:
        wait = 0.0 if short is None or situation.begun else (short.since + PATIENCE - now).total_seconds()
        if wait <= 0:
            return Way(_IN_PLACE, _in_place(situation), pod_by_pod=True, gives_way=True)
        return Way(Bounds(surge), _patient(situation, short, surge), pod_by_pod, look_again=wait)
    told = _surging(situation, surge) if short is None else _held_up(situation, short)
    return Way(Bounds(surge), told, pod_by_pod)


def for_new_amounts(way: Way, why_not: str) -> Way:
    """The same way, and why servers are replaced that could have got their new amounts while they run."""
    words = f"new amounts need new servers: {why_not}; {way.told.message}"
    told = Cause("RestartNeeded", words) if way.told.reason == "RollingOut" else replace(way.told, message=words)
    return replace(way, told=told)


def _surging(situation: Situation, surge: int) -> Cause:
    return Cause("RollingOut", f"{situation.move} with up to {_servers(surge)} more than {situation.wanted}")


def _patient(situation: Situation, short: Shortage | None, surge: int) -> Cause:
    if short is None:
        return _surging(situation, surge)
    moment = (short.since + PATIENCE).strftime("%H:%M:%SZ")
    return Cause(
        "RollingOut",
        f"{situation.move}, and {short.words}; at {moment} one old server gives way unless there is room by then",
    )


def _in_place(situation: Situation) -> Cause:
    short = situation.shortage
    why = short.words if short is not None else "there was no room for an extra one"
    return Cause("RollingOutInPlace", f"{situation.move} one server at a time without an extra one, since {why}")


def _as_told(situation: Situation, bounds: Bounds) -> Cause:
    short = situation.shortage
    if short is not None and not bounds.unavailable:
        return Cause(
            "NoneMayGiveWay",
            f"{situation.move} as soon as there is room: {short.words}; spec.rollout.maxUnavailable 0 lets no old "
            "server go first: set it to 1, or make room",
        )
    return Cause(
        "RollingOut",
        f"{situation.move} with up to {_servers(bounds.surge)} more and {bounds.unavailable} fewer than "
        f"{situation.wanted}, as spec.rollout says",
    )


def _held_up(situation: Situation, short: Shortage) -> Cause:
    if situation.fits:
        return Cause(
            "LastServerStays",
            f"{situation.move} as soon as there is room: {short.words}; the last server does not give way by itself: "
            "set spec.rollout.maxUnavailable: 1 to let it go first, with nothing serving meanwhile, or make room",
        )
    return Cause(
        "NeedsMoreRoom",
        f"{situation.move} as soon as there is room: {short.words}; the new servers ask for more than the old ones, or "
        "for other nodes, so no old one gives way by itself: make room, or set spec.rollout.maxUnavailable",
    )


def _servers(count: int) -> str:
    return "1 server" if count == 1 else f"{count} servers"
