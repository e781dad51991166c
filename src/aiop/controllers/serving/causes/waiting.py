"""Pods that are there and do not serve, though nothing has failed: not set up, not ready, on a silent node.

Most of this is no fault for a while; ``Wait`` says how long it still is none.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiop.controllers.serving.causes.cause import Case, Cause
from aiop.controllers.serving.words import one_line
from aiop.runtime.kit.moments import moment_of
from aiop.runtime.views.workloads import ContainerStatus, Pod

# Volumes are attached, networks set up, and servers ready that have passed their startup probe, within seconds; a
# minute is past all of that.
_PATIENCE = timedelta(seconds=60)
# Where no startup probe says how long a server may load, this is what the larger models on one GPU take.
_LOADING = timedelta(minutes=5)


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

    ends = {
        pod.metadata.uid: since + _PATIENCE
        for pod in case.pods
        if _is(pod, "PodReadyToStartContainers", "False") and (since := moment_of(pod.status.start_time)) is not None
    }
    return _overdue(case, ends, told)


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

    ends = {
        pod.metadata.uid: since + _time_to_load(case, each)
        for pod in case.pods
        for each in pod.status.container_statuses
        if each.started and not each.ready and each.state.running is not None
        if (since := moment_of(each.state.running.started_at)) is not None
    }
    return _overdue(case, ends, told)


def _time_to_load(case: Case, container: ContainerStatus) -> timedelta:
    return _PATIENCE if case.template.container(container.name).startup_probe is not None else _LOADING


def _overdue(case: Case, ends: dict[str, datetime], told: Callable[[Sequence[Pod]], Cause]) -> Wait | None:
    """The pods whose time is over by now, else those whose time ends some time; by their UIDs."""
    if not ends:
        return None
    waits = [
        (pod, (ends[pod.metadata.uid] - case.now).total_seconds()) for pod in case.pods if pod.metadata.uid in ends
    ]
    late = [pod for pod, seconds in waits if seconds <= 0]
    if late:
        return Wait(told(late))
    return Wait(told([pod for pod, _ in waits]), min(seconds for _, seconds in waits))


def _starting(case: Case) -> Cause:
    ready = f"{sum(pod.ready for pod in case.pods)} of {case.desired} pods are ready"
    if case.evicted:
        words = one_line(case.evicted[0].status.message).rstrip(". ")
        return Cause("Evicted", f"{ready}; {len(case.evicted)} were evicted by their nodes: {words}")
    return Cause("PodsNotReady", f"{ready}; {_awaited(case) or 'waiting for the others to start'}")


def _awaited(case: Case) -> str:
    """What the first container that runs, and is not ready, has not answered yet; empty if none runs."""
    running = (
        each
        for pod in case.pods
        for each in pod.status.container_statuses
        if each.state.running is not None and not each.ready
    )
    found = next(running, None)
    if found is None:
        return ""
    container = case.template.container(found.name)
    name, probe = "readiness", container.readiness_probe
    if not found.started and container.startup_probe is not None:
        name, probe = "startup", container.startup_probe
    if probe is None:
        return ""
    return (
        f"container {found.name!r} runs and has not answered its {name} probe ({probe}) yet: it still loads, or does "
        "not listen there"
    )


def _is(pod: Pod, kind: str, status: str) -> bool:
    found = pod.condition(kind)
    return found is not None and found.status == status
