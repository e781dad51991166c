"""What a Deployment says of itself: counts and conditions, in the real controller's words. Pure but for the clock."""

from collections.abc import Sequence

from aiop.runtime.kit.clock import Clock
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.moments import moment_of, seconds_since
from aiop.sim.cluster.objects import condition_of, generation_of, status_of, without_empty
from aiop.sim.cluster.rollout import count, most_unavailable, replicas_of

# What the API server fills in means "no deadline"; so does a missing one.
_NO_DEADLINE = 2**31 - 1


def deadline_of(deployment: Object) -> int | None:
    """progressDeadlineSeconds, if there is one."""
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return None if seconds is None or int(seconds) == _NO_DEADLINE else int(seconds)


def counts(deployment: Object, new: Object | None, everyone: Sequence[Object], clock: Clock) -> Object:
    """The status but for what it says of progress and failures, which is kept."""
    available = sum(count(each, "availableReplicas") for each in everyone)
    total = sum(map(replicas_of, everyone))
    enough = available >= replicas_of(deployment) - most_unavailable(deployment)
    status = {
        "observedGeneration": generation_of(deployment),
        "replicas": sum(count(each, "replicas") for each in everyone),
        "updatedReplicas": count(new, "replicas") if new else 0,
        "readyReplicas": sum(count(each, "readyReplicas") for each in everyone),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total - available),
        "collisionCount": count(deployment, "collisionCount"),
        "conditions": with_said(status_of(deployment).get("conditions") or [], _availability(enough), clock),
    }
    return without_empty(status) | {"terminatingReplicas": sum(count(each, "terminatingReplicas") for each in everyone)}


def progressed(
    deployment: Object, status: Object, new: Object | None, everyone: Sequence[Object], clock: Clock
) -> Object:
    """``status`` with what it should say of progress and failures."""
    conditions = status["conditions"]
    known = condition_of(deployment, "Progressing")
    if deadline_of(deployment) is None:
        conditions = [each for each in conditions if each["type"] != "Progressing"]
    elif not _rests(status, known):
        conditions = _judged(deployment, status, known, new, clock)
    return {**status, "conditions": _with_failure(conditions, everyone, clock)}


def complete(deployment: Object, status: Object) -> bool:
    """True once every pod is new and available, and no old one is left."""
    wanted = replicas_of(deployment)
    fields = ("updatedReplicas", "replicas", "availableReplicas")
    return all(int(status.get(field) or 0) == wanted for field in fields)


def with_said(conditions: list[Object], said: Object, clock: Clock) -> list[Object]:
    """``conditions`` with ``said`` at the end, or unchanged if they say so already; times move only when they must."""
    known = next((each for each in conditions if each["type"] == said["type"]), None)
    if known and (known["status"], known["reason"]) == (said["status"], said["reason"]):
        return conditions
    moment = moment_of(clock)
    since = known["lastTransitionTime"] if known and known["status"] == said["status"] else moment
    rest = [each for each in conditions if each is not known]
    return [*rest, {**said, "lastUpdateTime": moment, "lastTransitionTime": since}]


def condition(kind: str, status: str, reason: str, message: str) -> Object:
    """A condition without its times."""
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _availability(enough: bool) -> Object:
    if enough:
        return condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    words = "Deployment does not have minimum availability."
    return condition("Available", "False", "MinimumReplicasUnavailable", words)


def _rests(status: Object, known: Object) -> bool:
    return status.get("replicas", 0) == status.get("updatedReplicas", 0) and (
        known.get("reason") == "NewReplicaSetAvailable"
    )


def _judged(deployment: Object, status: Object, known: Object, new: Object | None, clock: Clock) -> list[Object]:
    meta = (new or deployment)["metadata"]
    subject = f'{"ReplicaSet" if new else "Deployment"} "{meta["name"]}"'
    conditions: list[Object] = status["conditions"]
    if complete(deployment, status):
        words = f"{subject} has successfully progressed."
        return with_said(conditions, condition("Progressing", "True", "NewReplicaSetAvailable", words), clock)
    if _moved(deployment, status):
        words = f"{subject} is progressing."
        return _restated(conditions, condition("Progressing", "True", "ReplicaSetUpdated", words), known, clock)
    if _timed_out(deployment, known, clock):
        words = f"{subject} has timed out progressing."
        return with_said(conditions, condition("Progressing", "False", "ProgressDeadlineExceeded", words), clock)
    return conditions


def _restated(conditions: list[Object], said: Object, known: Object, clock: Clock) -> list[Object]:
    """Progress is told anew each time: its lastUpdateTime is what the deadline counts from."""
    moment = moment_of(clock)
    since = known["lastTransitionTime"] if known.get("status") == "True" else moment
    rest = [each for each in conditions if each["type"] != said["type"]]
    return [*rest, {**said, "lastUpdateTime": moment, "lastTransitionTime": since}]


def _moved(deployment: Object, status: Object) -> bool:
    before = status_of(deployment)
    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return _old(status) < _old(before) or any(status.get(name, 0) > before.get(name, 0) for name in grown)


def _old(status: Object) -> int:
    return int(status.get("replicas", 0)) - int(status.get("updatedReplicas", 0))


def _timed_out(deployment: Object, known: Object, clock: Clock) -> bool:
    if not known or known["reason"] == "NewReplicaSetAvailable":
        return False
    if known["reason"] == "ProgressDeadlineExceeded":
        return True
    deadline = deadline_of(deployment)
    return deadline is not None and seconds_since(known["lastUpdateTime"], clock) > deadline


def _with_failure(conditions: list[Object], everyone: Sequence[Object], clock: Clock) -> list[Object]:
    failure = next((found for each in everyone if (found := condition_of(each, "ReplicaFailure"))), None)
    if failure is None:
        return [each for each in conditions if each["type"] != "ReplicaFailure"]
    said = condition("ReplicaFailure", failure["status"], failure["reason"], failure["message"])
    return with_said(conditions, said, clock)
