"""Pod statuses as a kubelet writes them, from what each container does. Pure; wordings are the kubelet's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import (
    condition_of,
    containers_of,
    generation_of,
    init_containers_of,
    status_of,
    with_condition,
)
from aiop.sim.cluster.outcomes import Outcome

# The kubelet's crash back-off: ten seconds, doubled, five minutes at most. The first restart is at once.
_CRASH_FIRST, _CRASH_MOST = 10, 300
# Where every simulated node says it is.
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class View:
    """What one container does now, and how its last run ended.

    ``started`` None: as soon as it runs. ``image_id`` and ``container_id`` are empty where nothing real stands behind.
    """

    state: Object
    ready: bool = False
    restarts: int = 0
    last: Object = field(default_factory=dict)
    started: bool | None = None
    image_id: str = ""
    container_id: str = ""

    @property
    def doing(self) -> str:
        """One of waiting, running, terminated."""
        return next(iter(self.state))

    @property
    def has_started(self) -> bool:
        """True while it runs, once its startup probe, if it has one, has succeeded."""
        return self.doing == "running" and self.started is not False

    @property
    def ended_well(self) -> bool:
        """True once it has ended with exit code 0."""
        return self.doing == "terminated" and not self.state["terminated"]["exitCode"]


def waiting(reason: str, message: str = "") -> Object:
    """A container that is not running yet, or not any more for now."""
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def running(moment: str) -> Object:
    """A container that runs since ``moment``."""
    return {"running": {"startedAt": moment}}


def terminated(outcome: Outcome, started: str, finished: str) -> Object:
    """A container that has ended as the outcome says."""
    code = outcome.exit_code
    said = {
        "exitCode": code,
        "reason": outcome.reason or ("Error" if code else "Completed"),
        "startedAt": started,
        "finishedAt": finished,
    }
    return {"terminated": said | ({"message": outcome.message} if outcome.message else {})}


def lost(moment: str) -> Object:
    """A container that never ran when its pod was told to go."""
    words = "The container could not be located when the pod was terminated"
    outcome = Outcome(exit_code=137, reason="ContainerStatusUnknown", message=words)
    return terminated(outcome, moment, moment)


def pull_failed(image: str, words: str = "") -> str:
    """Why an image cannot be pulled; ``words`` are the registry's (empty: there is no such image)."""
    full = image if "/" in image else f"docker.io/library/{image}"
    said = words or f"{full}: not found"
    return f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": {said}'


def pull_back_off(image: str, words: str = "") -> str:
    """That the kubelet waits before it tries again."""
    return f'Back-off pulling image "{image}": ErrImagePull: {pull_failed(image, words)}'


def root_refused(pod: Object, container: str) -> str:
    """Why an image that runs as root is not started."""
    return f'container has runAsNonRoot and image will run as root (pod: "{full_name(pod)}", container: {container})'


def crash_delay(restarts: int) -> int:
    """Seconds before the restart that follows restart number ``restarts``; before the first there is none."""
    return int(min(_CRASH_FIRST * 2 ** min(restarts - 1, 10), _CRASH_MOST)) if restarts else 0


def crash_back_off(pod: Object, container: str, restarts: int) -> str:
    """That the kubelet waits before it starts the container again."""
    return f"back-off {_duration(crash_delay(restarts))} restarting failed container={container} pod={full_name(pod)}"


def full_name(pod: Object) -> str:
    """The kubelet's name for a pod."""
    meta = pod["metadata"]
    return f"{meta['name']}_{meta['namespace']}({meta['uid']})"


def views_of(pod: Object) -> dict[str, View]:
    """What the pod's status says of each container."""
    status = status_of(pod)
    listed = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return {
        each["name"]: View(
            each.get("state") or waiting("ContainerCreating"),
            bool(each.get("ready")),
            int(each.get("restartCount") or 0),
            each.get("lastState") or {},
        )
        for each in listed
    }


def pod_status(pod: Object, moment: str, views: Mapping[str, View], address: str) -> Object:
    """The whole status; ``address`` is empty until the pod has its sandbox."""
    phase = _phase(pod, views)
    status: dict[str, Any] = {
        "phase": phase,
        "hostIP": HOST,
        "hostIPs": [{"ip": HOST}],
        "startTime": status_of(pod).get("startTime") or moment,
        "conditions": _conditions(pod, moment, views, phase=phase, address=address),
        "containerStatuses": [_listed(each, views) for each in containers_of(pod)],
    }
    if generation_of(pod):
        status["observedGeneration"] = generation_of(pod)
    if inits := init_containers_of(pod):
        status["initContainerStatuses"] = [_listed(each, views) for each in inits]
    if address:
        status |= {"podIP": address, "podIPs": [{"ip": address}]}
    return status


def evicted(pod: Object, moment: str, views: Mapping[str, View], address: str) -> Object:
    """The status of a pod that its node has thrown out."""
    words = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. "
    status = pod_status(pod, moment, views, address)
    target = _condition(pod, "DisruptionTarget", True, {"reason": "TerminationByKubelet", "message": words})
    conditions = with_condition(status["conditions"], target, moment)
    return {**status, "phase": "Failed", "reason": "Evicted", "message": words, "conditions": conditions}


def _listed(container: Object, views: Mapping[str, View]) -> Object:
    view = views[container["name"]]
    listed = {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": view.image_id,
        "ready": view.ready,
        "started": view.has_started,
        "restartCount": view.restarts,
        "state": view.state,
        "lastState": view.last,
    }
    return listed | ({"containerID": view.container_id} if view.container_id else {})


def _phase(pod: Object, views: Mapping[str, View]) -> str:
    policy = pod["spec"].get("restartPolicy", "Always")
    inits = [views[each["name"]] for each in init_containers_of(pod)]
    if policy == "Never" and any(each.doing == "terminated" and not each.ended_well for each in inits):
        return "Failed"
    if _unfinished(pod, views):
        return "Pending"
    mains = [views[each["name"]] for each in containers_of(pod)]
    if any(each.doing == "waiting" and not each.last for each in mains):
        return "Pending"
    # A phase that is final is told once nothing runs any more, sidecars neither.
    if (
        policy == "Always"
        or any(each.doing != "terminated" for each in mains)
        or any(i.doing == "running" for i in inits)
    ):
        return "Running"
    if all(each.ended_well for each in mains):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _lasting(pod: Object) -> list[Object]:
    """What runs as long as the pod does: its sidecars and its containers."""
    return [*(each for each in init_containers_of(pod) if each.get("restartPolicy") == "Always"), *containers_of(pod)]


def _unfinished(pod: Object, views: Mapping[str, View]) -> list[str]:
    """The init containers that hold the others back; none any more once one of the others has run."""
    mains = [views[each["name"]] for each in containers_of(pod)]
    if any(each.doing != "waiting" or each.last for each in mains):
        return []
    return [each["name"] for each in init_containers_of(pod) if not _init_done(each, views)]


def _init_done(container: Object, views: Mapping[str, View]) -> bool:
    """True once the next container may start: a sidecar runs, any other has ended well."""
    view = views[container["name"]]
    return view.has_started if container.get("restartPolicy") == "Always" else view.ended_well


def _conditions(pod: Object, moment: str, views: Mapping[str, View], *, phase: str, address: str) -> list[Object]:
    over = {"Succeeded": {"reason": "PodCompleted"}, "Failed": {"reason": "PodFailed"}}.get(phase)
    unready = [each["name"] for each in _lasting(pod) if not views[each["name"]].ready]
    unfinished = _unfinished(pod, views)
    why_not = over or _why("ContainersNotReady", "unready", unready)
    why_not_begun = over or _why("ContainersNotInitialized", "incomplete", unfinished)
    ready = not unready and not unfinished and over is None
    closed = _closed_gates(pod)
    wanted = [
        _condition(pod, "PodReadyToStartContainers", bool(address) and over is None, {}),
        _condition(
            pod,
            "Initialized",
            not unfinished,
            {"reason": "PodCompleted"} if phase == "Succeeded" else {} if not unfinished else why_not_begun,
        ),
        _condition(pod, "Ready", ready and not closed, closed if ready else why_not),
        _condition(pod, "ContainersReady", ready, {} if ready else why_not),
        _condition(pod, "PodScheduled", True, {}),
    ]
    conditions = list(status_of(pod).get("conditions") or [])
    for each in wanted:
        conditions = with_condition(conditions, each, moment)
    return conditions


def _closed_gates(pod: Object) -> Object:
    """Why a pod whose containers are ready is not: conditions that others must set; nothing if all hold."""
    gates = [each["conditionType"] for each in pod["spec"].get("readinessGates") or []]
    said = []
    for gate in gates:
        status = condition_of(pod, gate).get("status")
        if status is None:
            said.append(f'corresponding condition of pod readiness gate "{gate}" does not exist.')
        elif status != "True":
            said.append(f'the status of pod readiness gate "{gate}" is not "True", but {status}')
    return {"reason": "ReadinessGatesNotReady", "message": ", ".join(said)} if said else {}


def _why(reason: str, word: str, names: list[str]) -> Object:
    return {"reason": reason, "message": f"containers with {word} status: [{' '.join(names)}]"}


def _condition(pod: Object, kind: str, holds: bool, why: Object) -> Object:
    said = {"type": kind, "status": str(holds), "lastProbeTime": None, **why}
    return said | ({"observedGeneration": generation_of(pod)} if generation_of(pod) else {})


def _duration(seconds: int) -> str:
    """Seconds as Go prints a duration."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
