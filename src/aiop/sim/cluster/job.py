"""The Job controller: pods until enough have succeeded, too many have failed, or the time is up.

A finished pod is counted once: its UID is written to the status, its finalizer is taken away, and only then does the
count move. So neither a crash of the controller nor the loss of the pod changes the count.
"""

from aiop.runtime.client.builtin import JOBS, PODS
from aiop.runtime.client.errors import Conflict, NotFound
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster import jobpods
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.events import Events
from aiop.sim.cluster.jobtally import Tally
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.moments import seconds_since
from aiop.sim.cluster.objects import (
    active,
    condition_of,
    controlled_by,
    controller_of,
    finalizers_of,
    finished,
    key_of,
    phase_of,
    pod_ready,
    status_of,
    terminating,
    uid_of,
)
from aiop.sim.cluster.world import World

_REACHED = ("CompletionsReached", "Reached expected number of succeeded pods")
_TOO_MANY = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
_TOO_LATE = ("DeadlineExceeded", "Job was active longer than specified deadline")
# The real controller's back-off between failed pods.
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 600.0

Verdict = tuple[str, str, str]
"""Condition, reason and message of a Job's end."""


class Jobs:
    """Reconciles every Job."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events = Events(world.api, world.clock, "job-controller")
        self._jobs = world.mirror(JOBS)
        self.loop = Loop(world.clock, self._reconcile)
        self._jobs.subscribe(self._job_changed)
        world.pods.subscribe(self._pod_changed)

    def _job_changed(self, old: Object | None, new: Object | None) -> None:
        job = new or old
        if job is not None:
            self.loop.add(key_of(job))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for pod in (old, new):
            owner = controller_of(pod) if pod is not None else None
            if pod is not None and owner is not None and owner["kind"] == "Job":
                self.loop.add(ObjectKey(pod["metadata"]["namespace"], owner["name"]))

    async def _reconcile(self, key: ObjectKey) -> float | None:
        job = self._jobs.get(key)
        await self._free_orphans(key, job)
        if job is None or terminating(job):
            return None
        if _holds(job, "Complete") or _holds(job, "Failed"):
            return await self._expire(job)
        tally = Tally(job, self._pods_of(job))
        verdict = _verdict(job, tally, self._world)
        wait = None
        if verdict is not None or tally.suspended:
            await self._stop(job, tally)
        else:
            wait = await self._fill(job, tally)
        job = await self._write(job, self._standing(job, tally, verdict))
        for pod in tally.ended:
            await self._free(pod)
        job = await self._write(job, self._settled(job, tally, verdict))
        return wait if wait is not None else self._until_deadline(job)

    def _pods_of(self, job: Object) -> list[Object]:
        return [pod for pod in self._world.pods.owned_by(uid_of(job)) if controlled_by(pod, uid_of(job))]

    async def _free_orphans(self, key: ObjectKey, job: Object | None) -> None:
        """Take our finalizer from the pods of Jobs of that name that are gone or going."""
        for pod in self._world.pods.in_namespace(key.namespace):
            owner = controller_of(pod)
            if owner is None or (owner["kind"], owner["name"]) != ("Job", key.name) or not jobpods.tracked(pod):
                continue
            if job is None or uid_of(job) != owner["uid"] or terminating(job):
                await self._free(pod)

    async def _free(self, pod: Object) -> None:
        left = [each for each in finalizers_of(pod) if each != jobpods.TRACKING]
        try:
            await self._world.patch(PODS, pod, {"metadata": {"finalizers": left}})
        except (NotFound, Conflict):
            return

    async def _stop(self, job: Object, tally: Tally) -> None:
        """Delete what still runs; of a Job that has failed these pods have failed too."""
        for pod in tally.running:
            await self._world.delete(PODS, pod)
            await self._events.normal(job, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
            tally.stopped(pod)

    async def _fill(self, job: Object, tally: Tally) -> float | None:
        """Make the pods that are missing; the seconds to wait if a failure must be slept over first."""
        missing = min(_parallelism(job), _open_completions(job, tally)) - len(tally.running)
        for pod in tally.running[: max(0, -missing)]:
            await self._world.delete(PODS, pod)
        if missing <= 0:
            return None
        pause = self._pause(tally)
        if pause > 0:
            return pause
        indexes: list[int | None] = [None] * missing
        if jobpods.is_indexed(job):
            indexes = [*jobpods.missing_indexes(job, tally.pods, tally.done)[:missing]]
        for index in indexes:
            pod = await self._world.create(PODS, jobpods.pod_of(job, index))
            await self._events.normal(job, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return None

    def _pause(self, tally: Tally) -> float:
        """Seconds until the next try after failed pods: ten, doubled with each failure."""
        ends = [_ended_at(pod) for pod in tally.pods if phase_of(pod) == "Failed"]
        if not tally.failed or not any(ends):
            return 0.0
        pause = min(_FIRST_PAUSE * 2.0 ** min(tally.failed - 1, 10), _LONGEST_PAUSE)
        return pause - seconds_since(max(ends), self._world.clock)

    def _standing(self, job: Object, tally: Tally, verdict: Verdict | None) -> Object:
        """The status before the pods that have ended are freed: they are named, and not yet counted."""
        pods = self._pods_of(job)
        status: Object = {name: value for name, value in status_of(job).items() if name not in {"active", "startTime"}}
        status |= {
            "ready": sum(pod_ready(pod) for pod in pods if active(pod)),
            "terminating": sum(terminating(pod) and not finished(pod) for pod in pods),
            "uncountedTerminatedPods": {name: uids for name, uids in tally.uncounted.items() if uids},
        }
        if running := sum(active(pod) for pod in pods):
            status["active"] = running
        if not tally.suspended:
            status["startTime"] = status_of(job).get("startTime") or self._world.moment
        conditions: list[Object] = list(status_of(job).get("conditions") or [])
        if tally.suspended:
            conditions = self._said(conditions, "Suspended", "True", "JobSuspended", "Job suspended")
        elif _holds(job, "Suspended"):
            conditions = self._said(conditions, "Suspended", "False", "JobResumed", "Job resumed")
        if verdict is not None:
            first = "SuccessCriteriaMet" if verdict[0] == "Complete" else "FailureTarget"
            conditions = self._said(conditions, first, "True", verdict[1], verdict[2])
        return status | ({"conditions": conditions} if conditions else {})

    def _settled(self, job: Object, tally: Tally, verdict: Verdict | None) -> Object:
        """The status once they are freed: counted, and with the Job's end if nothing of it is left."""
        status: Object = {**status_of(job), "uncountedTerminatedPods": {}}
        counted = {"succeeded": tally.succeeded, "failed": tally.failed}
        status |= {name: number for name, number in counted.items() if number}
        if tally.done:
            status["completedIndexes"] = jobpods.written(tally.done)
        if verdict is not None and not status.get("active") and not status["terminating"]:
            status["conditions"] = self._said(status["conditions"], verdict[0], "True", verdict[1], verdict[2])
            if verdict[0] == "Complete":
                status.setdefault("completionTime", self._world.moment)
        return status

    async def _write(self, job: Object, status: Object) -> Object:
        written = await self._world.write_status(JOBS, job, status)
        for each in status.get("conditions") or []:
            if each["status"] != "True" or _holds(job, each["type"]):
                continue
            if each["type"] == "Complete":
                await self._events.normal(job, "Completed", "Job completed")
            elif each["type"] == "Failed":
                await self._events.warning(job, each["reason"], each["message"])
            elif each["type"] == "Suspended":
                await self._events.normal(job, "Suspended", "Job suspended")
        return written

    def _said(self, conditions: list[Object], kind: str, status: str, reason: str, message: str) -> list[Object]:
        if any((each["type"], each["status"]) == (kind, status) for each in conditions):
            return conditions
        moment = self._world.moment
        times = {"lastProbeTime": moment, "lastTransitionTime": moment}
        said = {"type": kind, "status": status, **times, "reason": reason, "message": message}
        return [*(each for each in conditions if each["type"] != kind), said]

    async def _expire(self, job: Object) -> float | None:
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        if seconds is None:
            return None
        end = condition_of(job, "Complete" if _holds(job, "Complete") else "Failed")
        left = int(seconds) - seconds_since(end["lastTransitionTime"], self._world.clock)
        if left > 0:
            return left
        await self._world.delete(JOBS, job)
        return None

    def _until_deadline(self, job: Object) -> float | None:
        job = self._jobs.get(key_of(job)) or job
        seconds, started = job["spec"].get("activeDeadlineSeconds"), status_of(job).get("startTime")
        if seconds is None or not started:
            return None
        return max(0.0, int(seconds) - seconds_since(started, self._world.clock))


def _verdict(job: Object, tally: Tally, world: World) -> Verdict | None:
    """How the Job ends, once that is clear."""
    told = condition_of(job, "FailureTarget") or condition_of(job, "SuccessCriteriaMet")
    if told:
        end = "Complete" if told["type"] == "SuccessCriteriaMet" else "Failed"
        return (end, told["reason"], told["message"])
    if tally.failed + _restarts(job, tally.pods) > int(job["spec"].get("backoffLimit", 6)):
        return ("Failed", *_TOO_MANY)
    seconds, started = job["spec"].get("activeDeadlineSeconds"), status_of(job).get("startTime")
    if seconds is not None and started and seconds_since(started, world.clock) >= int(seconds):
        return ("Failed", *_TOO_LATE)
    completions = job["spec"].get("completions")
    if completions is None:
        return ("Complete", *_REACHED) if tally.succeeded and not tally.running else None
    return ("Complete", *_REACHED) if tally.succeeded >= int(completions) else None


def _restarts(job: Object, pods: list[Object]) -> int:
    """Restarts in place count as failures where the kubelet restarts containers."""
    if (job["spec"]["template"]["spec"].get("restartPolicy")) != "OnFailure":
        return 0
    statuses = [each for pod in pods if active(pod) for each in status_of(pod).get("containerStatuses") or []]
    return sum(int(each.get("restartCount") or 0) for each in statuses)


def _parallelism(job: Object) -> int:
    value = job["spec"].get("parallelism")
    return 1 if value is None else int(value)


def _open_completions(job: Object, tally: Tally) -> int:
    """Completions still to come; without a fixed number, none once a pod has succeeded."""
    completions = job["spec"].get("completions")
    if completions is not None:
        return max(0, int(completions) - tally.succeeded)
    return 0 if tally.succeeded else _parallelism(job)


def _holds(job: Object, kind: str) -> bool:
    return bool(condition_of(job, kind).get("status") == "True")


def _ended_at(pod: Object) -> str:
    statuses = status_of(pod).get("containerStatuses") or []
    ends = [(each.get("state") or {}).get("terminated", {}).get("finishedAt", "") for each in statuses]
    return max(ends, default="")
