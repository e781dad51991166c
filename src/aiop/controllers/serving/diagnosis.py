"""What blocks the servers: of all that is wrong the one cause worth saying, with numbers and what comes next."""

from dataclasses import dataclass

from aiop.controllers.serving.causes.cause import Case, Cause
from aiop.controllers.serving.causes.creation import not_made, not_started
from aiop.controllers.serving.causes.endings import ended, forgiven_in
from aiop.controllers.serving.causes.images import image_missing
from aiop.controllers.serving.causes.refused import refused
from aiop.controllers.serving.causes.scheduling import unscheduled
from aiop.controllers.serving.causes.waiting import not_ready

__all__ = ["Case", "Cause", "Diagnosis", "diagnose"]

# What no restart mends goes before what may pass.
_FINDERS = (refused, not_made, image_missing, not_started, ended, unscheduled)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``cause`` is None if nothing is wrong; ``look_again`` are the seconds after which it may be another one."""

    cause: Cause | None = None
    look_again: float | None = None


def diagnose(case: Case) -> Diagnosis:
    """The cause why not all of the pods that there should be are ready."""
    if sum(pod.ready for pod in case.pods) >= case.desired:
        return Diagnosis()
    for find in _FINDERS:
        cause = find(case)
        if cause is not None:
            return Diagnosis(cause, forgiven_in(case) if find is ended else None)
    waits = list(not_ready(case))
    cause = next(each.cause for each in waits if not each.seconds)
    return Diagnosis(cause, min((each.seconds for each in waits if each.seconds), default=None))
