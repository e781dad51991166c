"""Which details go with which cause."""

from collections.abc import Callable, Mapping

from aiop.cli.explain.explanation import Finding
from aiop.cli.explain.workload.details.containers import in_container
from aiop.cli.explain.workload.details.refusals import not_created
from aiop.cli.explain.workload.details.scheduling import unplaced
from aiop.cli.explain.workload.details.waiting import waits
from aiop.cli.explain.workload.replay import Scene
from aiop.controllers.serving.causes.cause import Cause

_REFUSED = (
    "QuotaExceeded", "QuotaWantsAmounts", "LimitRangeBroken", "PodSecurityRefused", "MissingPriorityClass",
    "MissingServiceAccount", "AdmissionDenied", "AdmissionFailed", "NamespaceTerminating", "RightMissing",
    "PodsRefused",
)  # fmt: skip
_UNPLACED = ("Unschedulable", "MissingClaim", "ClaimTerminating", "ClaimNotBound")
_WAITING = ("PodsNotReady", "ReadinessFailing", "PodNotSetUp", "NodeUnreachable", "Evicted")
_DETAILS: Mapping[str, Callable[[Scene, Cause], Finding]] = {
    **dict.fromkeys(_REFUSED, not_created),
    **dict.fromkeys(_UNPLACED, unplaced),
    **dict.fromkeys(_WAITING, waits),
}


def detailed(scene: Scene, cause: Cause) -> Finding:
    """The finding for a cause; those that are not listed are of containers."""
    return _DETAILS.get(cause.reason, in_container)(scene, cause)
