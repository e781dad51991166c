"""Pods that find no node, in the scheduler's words."""

from aiop.controllers.serving.causes.cause import Case, Cause, advised, kind_of, known_by
from aiop.controllers.serving.words import one_line

_KINDS = (
    known_by(
        "MissingClaim",
        r'persistentvolumeclaim "[^"]{1,253}" not found',
        "create the claim in this namespace, or correct spec.modelUri or the model store",
    ),
    known_by(
        "ClaimTerminating", r"persistentvolumeclaim \"[^\"]{1,253}\" is being deleted", "create it anew once it is gone"
    ),
    known_by(
        "ClaimNotBound",
        r"unbound immediate PersistentVolumeClaims|find available persistent volumes to bind|"
        r"persistentvolumeclaim \"[^\"]{1,253}\" bound to non-existent persistentvolume",
        "`kubectl describe pvc` says what it waits for",
    ),
)


def unscheduled(case: Case) -> Cause | None:
    """Pods without a node."""
    told = [
        condition.message
        for pod in case.pods
        if (condition := pod.condition("PodScheduled")) is not None
        and condition.status == "False"
        and condition.reason == "Unschedulable"
    ]
    if not told:
        return None
    words = next((each for each in told if kind_of(each, _KINDS) is not None), told[0])
    found = kind_of(words, _KINDS)
    message = f"{case.counted(len(told))} cannot be scheduled: {one_line(words).rstrip('. ')}"
    if found is not None:
        return advised(found.reason, message, found.fix)
    return advised("Unschedulable", message, "they start as soon as there is room")
