"""What blocks the servers: of all that is wrong the one cause worth saying, with numbers and what comes next."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from aiop.runtime.views.workloads import ContainerStatus, Pod, ReplicaSet

_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"})
_CONFIG = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
# A termination message may be 4 KiB of log; the beginning of its end is what helps.
_WORDS = 400


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason of the list of reasons and the sentence that goes with it."""

    reason: str
    message: str


def diagnose(pods: Sequence[Pod], replica_sets: Iterable[ReplicaSet], desired: int) -> Cause | None:
    """The cause why not all of ``desired`` pods of a revision are ready; None if all are."""
    if sum(pod.ready for pod in pods) >= desired:
        return None
    refused = _refused(replica_sets)
    if refused and len(pods) < desired:
        return Cause("PodsRefused", f"{desired - len(pods)} of {desired} pods cannot be created: {refused}")
    for find in (_config_error, _image_missing, _crash_loop, _unschedulable):
        cause = find(pods, desired)
        if cause is not None:
            return cause
    ready = sum(pod.ready for pod in pods)
    return Cause("PodsNotReady", f"{ready} of {desired} pods are ready; waiting for the others to start")


def _refused(replica_sets: Iterable[ReplicaSet]) -> str:
    for each in replica_sets:
        for condition in each.status.conditions:
            if condition.type == "ReplicaFailure" and condition.status == "True":
                return condition.message
    return ""


def _containers(pod: Pod) -> Iterable[ContainerStatus]:
    return (*pod.status.init_container_statuses, *pod.status.container_statuses)


def _waiting(pods: Sequence[Pod], matches: Callable[[str], bool]) -> list[tuple[Pod, ContainerStatus]]:
    return [
        (pod, container)
        for pod in pods
        for container in _containers(pod)
        if container.state.waiting is not None and matches(container.state.waiting.reason)
    ]


def _config_error(pods: Sequence[Pod], desired: int) -> Cause | None:
    found = _waiting(pods, _CONFIG.__contains__)
    if not found:
        return None
    _, container = found[0]
    words = _shortened(container.state.waiting.message if container.state.waiting else "")
    hint = "; use an image that runs as a numeric non-root user" if "runAsNonRoot" in words else ""
    return Cause(
        "ContainerConfigError",
        f"container {container.name!r} of {len(found)} of {desired} pods cannot be made: {words}{hint}",
    )


def _image_missing(pods: Sequence[Pod], desired: int) -> Cause | None:
    found = _waiting(pods, _IMAGE.__contains__)
    if not found:
        return None
    _, container = found[0]
    waiting = container.state.waiting
    words = _shortened(waiting.message or waiting.reason) if waiting else ""
    return Cause(
        "ImagePullFailed",
        f"the image {container.image!r} of {len(found)} of {desired} pods cannot be pulled: {words}; "
        "the kubelet goes on trying",
    )


def _crash_loop(pods: Sequence[Pod], desired: int) -> Cause | None:
    crashed = [
        (pod, container)
        for pod in pods
        for container in _containers(pod)
        if not container.ready and (container.last_state.terminated or _failed(container)) and not _done(container)
    ]
    if not crashed:
        return None
    pod, container = max(crashed, key=lambda found: found[1].restart_count)
    ended = container.last_state.terminated or container.state.terminated
    words = f": {_shortened(ended.message)}" if ended and ended.message else ""
    ending = (
        f"exit code {ended.exit_code} ({ended.reason or 'no reason given'}){words}" if ended else "no exit code yet"
    )
    init = container in pod.status.init_container_statuses
    runs = container.state.waiting is None and container.state.terminated is None
    next_step = "it runs again and is not ready yet" if runs else "the kubelet restarts it after growing pauses"
    return Cause(
        "ModelFetchFailed" if init else "CrashLoop",
        f"container {container.name!r} of {len(crashed)} of {desired} pods ended with {ending}; it was restarted "
        f"{container.restart_count} times, and {next_step}",
    )


def _failed(container: ContainerStatus) -> bool:
    return container.state.terminated is not None and container.state.terminated.exit_code != 0


def _done(container: ContainerStatus) -> bool:
    """An init container that ended well is no crash, though it is not ready."""
    return container.state.terminated is not None and container.state.terminated.exit_code == 0


def _unschedulable(pods: Sequence[Pod], desired: int) -> Cause | None:
    waiting = [
        condition
        for pod in pods
        if (condition := pod.condition("PodScheduled")) is not None
        and condition.status == "False"
        and condition.reason == "Unschedulable"
    ]
    if not waiting:
        return None
    return Cause(
        "Unschedulable",
        f"{len(waiting)} of {desired} pods cannot be scheduled: {waiting[0].message.rstrip('. ')}; "
        "they start as soon as there is room",
    )


def _shortened(words: str) -> str:
    """One line of at most a few hundred characters; of a log the end, which has the error."""
    line = " ".join(words.split())
    return line if len(line) <= _WORDS else "…" + line[-_WORDS:]
