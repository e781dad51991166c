"""Pods that are there and do not serve, though nothing has failed: not set up, not ready, on a silent node.

Most of this is no fault for a while; ``Wait`` says how long it still is none.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiop.controllers.serving.causes.cause import Case, Cause
from aiop.controllers.serving.words import one_line
from aiop.runtime.kit.moments import moment_of
from aiop.runtime.views.workloads import Pod

# Volumes are attached, networks set up and servers ready within seconds; a minute is past all of that.
_PATIENCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Wait:
    """A cause that counts from some moment on: now (``seconds`` is 0), or in so many seconds."""

    cause: Cause
    seconds: float = 0.0


def not_ready(case: Case) -> Iterable[Wait]:
    """What is found, the worse first; the last one is always there."""
    for find in (_silent_node, _not_set_up, _unready):
        found = find(case)
        if found is not None:
            yield found
    yield Wait(_starting(case))


def _silent_node(case: Case) -> Wait | None:
    """A node controller that misses a node's beats takes the pods' readiness; their containers say nothing of it."""
    found = [
        pod
        for pod in case.pods
        if pod.status.container_statuses
        and all(each.ready for each in pod.status.container_statuses)
        and _is(pod, "ContainersReady", "True")
        and _is(pod, "Ready", "False")
    ]
    if not found:
        return None
    node = found[0].spec.node_name
    return Wait(Cause(
        "NodeUnreachable",
        f"the node {node!r} of {case.counted(len(found))} does not answer; they are replaced if it stays away, after "
        "five minutes by default",
    ))  # fmt: skip


def _not_set_up(case: Case) -> Wait | None:
    """Volumes come first, then the network; why they do not stands in the pod's events alone, which are not read."""
    claim = case.template.claim()
    what = (
        f"the claim {claim!r} is not mounted, or their network is not set up" if claim else "they have no network yet"
    )

    def told(pods: Sequence[Pod]) -> Cause:
        name = pods[0].metadata.name
        return Cause(
            "PodNotSetUp",
            f"{case.counted(len(pods))} have a node and do not start: {what}; `kubectl describe pod {name}` has the "
            "node's own words",
        )

    waiting = {
        pod.metadata.uid: pod.status.start_time for pod in case.pods if _is(pod, "PodReadyToStartContainers", "False")
    }
    return _overdue(case, waiting, told)


def _unready(case: Case) -> Wait | None:
    def told(pods: Sequence[Pod]) -> Cause:
        unready = [each for each in pods[0].status.container_statuses if not each.ready]
        probe = case.template.container(unready[0].name).readiness_probe
        return Cause(
            "ReadinessFailing",
            f"container {unready[0].name!r} of {case.counted(len(pods))} runs and is not ready: the readiness probe "
            f"({probe or 'of its own'}) does not succeed; `kubectl describe pod {pods[0].metadata.name}` has what "
            "it got. Check spec.ports and spec.probes, or the server's log",
        )

    waiting = {
        pod.metadata.uid: each.state.running.started_at
        for pod in case.pods
        for each in pod.status.container_statuses
        if each.started and not each.ready and each.state.running is not None
    }
    return _overdue(case, waiting, told)


def _overdue(case: Case, since: dict[str, str], told: Callable[[Sequence[Pod]], Cause]) -> Wait | None:
    """The pods that have waited too long by now, else those that will have first."""
    moments = {uid: moment for uid, text in since.items() if (moment := moment_of(text)) is not None}
    if not moments:
        return None
    late = [pod for pod in case.pods if _wait(case, moments.get(pod.metadata.uid)) <= 0]
    if late:
        return Wait(told(late))
    first = [pod for pod in case.pods if pod.metadata.uid in moments]
    return Wait(told(first), min(_wait(case, moment) for moment in moments.values()))


def _wait(case: Case, since: datetime | None) -> float:
    return (since + _PATIENCE - case.now).total_seconds() if since is not None else float("inf")


def _starting(case: Case) -> Cause:
    ready = f"{sum(pod.ready for pod in case.pods)} of {case.desired} pods are ready"
    if case.evicted:
        words = one_line(case.evicted[0].status.message).rstrip(". ")
        return Cause("Evicted", f"{ready}; {len(case.evicted)} were evicted by their nodes: {words}")
    return Cause("PodsNotReady", f"{ready}; waiting for the others to start")


def _is(pod: Pod, kind: str, status: str) -> bool:
    found = pod.condition(kind)
    return found is not None and found.status == status
