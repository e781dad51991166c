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
        pods = self._pods_of(job)
        job = await self._count(job, pods)
        verdict = _verdict(job, pods, self._world)
        suspended = bool(job["spec"].get("suspend"))
        wait = None
        if verdict or suspended:
            for pod in pods:
                if active(pod):
                    await self._world.delete(PODS, pod)
        else:
            wait = await self._fill(job, pods)
        await self._write(job, verdict)
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

    async def _count(self, job: Object, pods: list[Object]) -> Object:
        """Count the pods that have ended since the last pass: told first, freed, then counted."""
        ended = [pod for pod in pods if jobpods.tracked(pod) and (finished(pod) or terminating(pod))]
        ended = [pod for pod in ended if finished(pod) or not pod["spec"].get("nodeName") or _failed(pod)]
        uncounted = status_of(job).get("uncountedTerminatedPods") or {}
        told = {name: list(uncounted.get(name) or []) for name in ("succeeded", "failed")}
        for pod in ended:
            name = "succeeded" if phase_of(pod) == "Succeeded" else "failed"
            if uid_of(pod) not in told[name]:
                told[name].append(uid_of(pod))
        if not any(told.values()):
            return job
        done = jobpods.done_indexes(job, ended) if jobpods.is_indexed(job) else set()
        open_counts = {name: uids for name, uids in told.items() if uids}
        job = await self._world.write_status(JOBS, job, {**status_of(job), "uncountedTerminatedPods": open_counts})
        for pod in ended:
            await self._free(pod)
        status = {**status_of(job), "uncountedTerminatedPods": {}}
        for name, uids in told.items():
            status[name] = int(status.get(name) or 0) + len(uids)
        if done:
            status |= {"succeeded": len(done), "completedIndexes": jobpods.written(done)}
        return await self._world.write_status(JOBS, job, {name: value for name, value in status.items() if value != 0})

    async def _fill(self, job: Object, pods: list[Object]) -> float | None:
        """Make the pods that are missing; the seconds to wait if a failure must be slept over first."""
        live = [pod for pod in pods if active(pod)]
        missing = min(_parallelism(job), _open_completions(job)) - len(live)
        for pod in live[: max(0, -missing)]:
            await self._world.delete(PODS, pod)
        if missing <= 0:
            return None
        pause = self._pause(job, pods)
        if pause > 0:
            return pause
        indexes: list[int | None] = [None] * missing
        if jobpods.is_indexed(job):
            done = jobpods.done_indexes(job, [])
            indexes = [*jobpods.missing_indexes(job, pods, done)[:missing]]
        for index in indexes:
            pod = await self._world.create(PODS, jobpods.pod_of(job, index))
            await self._events.normal(job, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return None

    def _pause(self, job: Object, pods: list[Object]) -> float:
        """Seconds until the next try after failed pods: ten, doubled with each failure."""
        failures = int(status_of(job).get("failed") or 0)
        ends = [_ended_at(pod) for pod in pods if phase_of(pod) == "Failed"]
        if not failures or not any(ends):
            return 0.0
        pause = min(_FIRST_PAUSE * 2.0 ** min(failures - 1, 10), _LONGEST_PAUSE)
        return pause - seconds_since(max(ends), self._world.clock)

    async def _write(self, job: Object, verdict: tuple[str, str, str] | None) -> None:
        pods = self._pods_of(job)
        suspended = bool(job["spec"].get("suspend"))
        status: Object = {
            **status_of(job),
            "ready": sum(pod_ready(pod) for pod in pods if active(pod)),
            "terminating": sum(terminating(pod) and not finished(pod) for pod in pods),
            "uncountedTerminatedPods": status_of(job).get("uncountedTerminatedPods") or {},
        }
        running = sum(active(pod) for pod in pods)
        status.pop("active", None)
        if running:
            status["active"] = running
        if suspended:
            status.pop("startTime", None)
        elif not status.get("startTime"):
            status["startTime"] = self._world.moment
        conditions = self._conditions(job, verdict, suspended=suspended, over=not running and not status["terminating"])
        if conditions:
            status["conditions"] = conditions
        if any(each["type"] == "Complete" for each in conditions):
            status.setdefault("completionTime", self._world.moment)
        await self._world.write_status(JOBS, job, status)
        await self._announce(job, conditions)

    def _conditions(
        self, job: Object, verdict: tuple[str, str, str] | None, *, suspended: bool, over: bool
    ) -> list[Object]:
        conditions: list[Object] = list(status_of(job).get("conditions") or [])
        if suspended:
            conditions = self._said(conditions, "Suspended", "True", "JobSuspended", "Job suspended")
        elif _holds(job, "Suspended"):
            conditions = self._said(conditions, "Suspended", "False", "JobResumed", "Job resumed")
        if verdict:
            end, reason, message = verdict
            first = "SuccessCriteriaMet" if end == "Complete" else "FailureTarget"
            conditions = self._said(conditions, first, "True", reason, message)
            if over:
                conditions = self._said(conditions, end, "True", reason, message)
        return conditions

    def _said(self, conditions: list[Object], kind: str, status: str, reason: str, message: str) -> list[Object]:
        if any((each["type"], each["status"]) == (kind, status) for each in conditions):
            return conditions
        moment = self._world.moment
        times = {"lastProbeTime": moment, "lastTransitionTime": moment}
        said = {"type": kind, "status": status, **times, "reason": reason, "message": message}
        return [*(each for each in conditions if each["type"] != kind), said]

    async def _announce(self, job: Object, conditions: list[Object]) -> None:
        for each in conditions:
            if each["status"] != "True" or _holds(job, each["type"]):
                continue
            if each["type"] == "Complete":
                await self._events.normal(job, "Completed", "Job completed")
            elif each["type"] == "Failed":
                await self._events.warning(job, each["reason"], each["message"])
            elif each["type"] == "Suspended":
                await self._events.normal(job, "Suspended", "Job suspended")

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


def _verdict(job: Object, pods: list[Object], world: World) -> tuple[str, str, str] | None:
    """(condition, reason, message) once it is clear how the Job ends."""
    told = condition_of(job, "FailureTarget") or condition_of(job, "SuccessCriteriaMet")
    if told:
        end = "Complete" if told["type"] == "SuccessCriteriaMet" else "Failed"
        return (end, told["reason"], told["message"])
    if int(status_of(job).get("failed") or 0) + _restarts(job, pods) > int(job["spec"].get("backoffLimit", 6)):
        return ("Failed", *_TOO_MANY)
    seconds, started = job["spec"].get("activeDeadlineSeconds"), status_of(job).get("startTime")
    if seconds is not None and started and seconds_since(started, world.clock) >= int(seconds):
        return ("Failed", *_TOO_LATE)
    succeeded = int(status_of(job).get("succeeded") or 0)
    completions = job["spec"].get("completions")
    if completions is None:
        return ("Complete", *_REACHED) if succeeded and not any(active(pod) for pod in pods) else None
    return ("Complete", *_REACHED) if succeeded >= int(completions) else None


def _restarts(job: Object, pods: list[Object]) -> int:
    """Restarts in place count as failures where the kubelet restarts containers."""
    if (job["spec"]["template"]["spec"].get("restartPolicy")) != "OnFailure":
        return 0
    statuses = [each for pod in pods if active(pod) for each in status_of(pod).get("containerStatuses") or []]
    return sum(int(each.get("restartCount") or 0) for each in statuses)


def _parallelism(job: Object) -> int:
    value = job["spec"].get("parallelism")
    return 1 if value is None else int(value)


def _open_completions(job: Object) -> int:
    """Completions still to come; without a fixed number, none once a pod has succeeded."""
    completions, succeeded = job["spec"].get("completions"), int(status_of(job).get("succeeded") or 0)
    if completions is not None:
        return max(0, int(completions) - succeeded)
    return 0 if succeeded else _parallelism(job)


def _holds(job: Object, kind: str) -> bool:
    return bool(condition_of(job, kind).get("status") == "True")


def _failed(pod: Object) -> bool:
    """A pod that is deleted while it runs has failed, once nothing of it runs."""
    return terminating(pod) and not pod["metadata"].get("deletionGracePeriodSeconds")


def _ended_at(pod: Object) -> str:
    statuses = status_of(pod).get("containerStatuses") or []
    ends = [(each.get("state") or {}).get("terminated", {}).get("finishedAt", "") for each in statuses]
    return max(ends, default="")
