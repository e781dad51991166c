"""What the pods of a Job come to, before the status says so."""

from aiop.sim.cluster import jobpods
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import active, finished, phase_of, status_of, uid_of


class Tally:
    """The pods of a Job, and how many have succeeded and failed in all, those included that are not counted yet."""

    def __init__(self, job: Object, pods: list[Object]) -> None:
        self.pods = pods
        self.suspended = bool(job["spec"].get("suspend"))
        self.running = [pod for pod in pods if active(pod)]
        self.ended = [pod for pod in pods if jobpods.tracked(pod) and not active(pod)]
        known = status_of(job).get("uncountedTerminatedPods") or {}
        self.uncounted = {name: list(known.get(name) or []) for name in ("succeeded", "failed")}
        for pod in self.ended:
            if phase_of(pod) == "Succeeded":
                self._count("succeeded", pod)
            elif finished(pod) or not self.suspended:
                self._count("failed", pod)
        self.done = jobpods.done_indexes(job, self.ended) if jobpods.is_indexed(job) else set()
        self._before = {name: int(status_of(job).get(name) or 0) for name in self.uncounted}

    @property
    def succeeded(self) -> int:
        """Of an indexed Job, the number of indexes."""
        return len(self.done) or self._before["succeeded"] + len(self.uncounted["succeeded"])

    @property
    def failed(self) -> int:
        """Pods that have failed."""
        return self._before["failed"] + len(self.uncounted["failed"])

    def stopped(self, pod: Object) -> None:
        """We have deleted it while it ran."""
        self.ended.append(pod)
        if not self.suspended:
            self._count("failed", pod)

    def _count(self, name: str, pod: Object) -> None:
        if uid_of(pod) not in self.uncounted[name]:
            self.uncounted[name].append(uid_of(pod))
