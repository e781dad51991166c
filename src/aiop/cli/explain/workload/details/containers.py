"""Containers that wait or have ended: which one, in which state, and when the kubelet tries again."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from aiop.cli.explain.explanation import Finding, Source
from aiop.cli.explain.workload.replay import Scene
from aiop.controllers.serving.causes.cause import Cause, containers_of
from aiop.runtime.kit.moments import moment_of
from aiop.runtime.views.workloads import ContainerStatus, Pod

# What every container waits for at first.
_ORDINARY = frozenset({"ContainerCreating", "PodInitializing", ""})
_BACK_OFF = re.compile(
    r"back-off (?=\d)(?:(?P<hours>\d{1,3})h)?(?:(?P<minutes>\d{1,3})m)?(?:(?P<seconds>\d{1,3})s)? restarting"
)


def in_container(scene: Scene, cause: Cause) -> Finding:
    """The container that is worst off, its numbers, and the end of its back-off."""
    found = _worst(scene)
    if found is None:
        return Finding(cause.reason, cause.told, Source("AIWorkload", scene.evidence.observed.key.name, "its pods"))
    pod, container = found
    again = _again(scene, pod, container)
    return Finding(
        cause.reason,
        cause.told,
        Source("Pod", pod.metadata.name, f"container {container.name}: {_state(container)}"),
        next=_next(container, again),
        at=again,
        numbers=_numbers(container),
    )


def _worst(scene: Scene) -> tuple[Pod, ContainerStatus] | None:
    """One that has something to say, and of these the one that was restarted most."""
    told = [
        (pod, each)
        for pod in scene.case.pods
        for each in containers_of(pod)
        if not each.ready and (_waits(each) or each.last_state.terminated is not None or _failed(each))
    ]
    return max(told, key=lambda each: (each[1].restart_count, _waits(each[1])), default=None)


def _waits(container: ContainerStatus) -> bool:
    return container.state.waiting is not None and container.state.waiting.reason not in _ORDINARY


def _failed(container: ContainerStatus) -> bool:
    return container.state.terminated is not None and bool(container.state.terminated.exit_code)


def _state(container: ContainerStatus) -> str:
    ended = container.state.terminated or container.last_state.terminated
    last = f", last state {ended.reason or 'terminated'} with exit code {ended.exit_code}" if ended is not None else ""
    if container.state.waiting is not None:
        return f"waiting, {container.state.waiting.reason}{last}"
    return f"running{last}" if container.state.running is not None else f"terminated{last}"


def _numbers(container: ContainerStatus) -> Mapping[str, int | str]:
    ended = container.state.terminated or container.last_state.terminated
    return {"restarts": container.restart_count} | ({"exitCode": ended.exit_code} if ended is not None else {})


def _again(scene: Scene, pod: Pod, container: ContainerStatus) -> datetime | None:
    """When the back-off ends that the kubelet speaks of."""
    waiting, times = container.state.waiting, scene.evidence.times.get(pod.metadata.uid)
    told = _BACK_OFF.search(waiting.message) if waiting is not None else None
    ended = moment_of(times.ended(container.name)) if times is not None else None
    if told is None or ended is None:
        return None
    parts = {unit: int(number) for unit, number in told.groupdict().items() if number}
    return ended + timedelta(**parts)


def _next(container: ContainerStatus, again: datetime | None) -> str:
    if again is not None:
        return "the kubelet starts the container again"
    if container.state.running is not None:
        return "it runs again and is looked at as it gets on"
    reason = container.state.waiting.reason if container.state.waiting is not None else ""
    if "Image" in reason or reason == "RegistryUnavailable":
        return "the kubelet goes on trying, after pauses of up to five minutes"
    return "the kubelet goes on trying"
