"""Pod statuses as a kubelet writes them. Pure; wordings are the kubelet's own."""

from typing import Any

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import containers_of, with_condition
from aiop.sim.cluster.outcomes import Outcome

# The kubelet's crash back-off: ten seconds, doubled, five minutes at most.
_CRASH_FIRST, _CRASH_MOST = 10, 300


def crash_delay(restarts: int) -> int:
    """Seconds before restart number ``restarts`` + 1."""
    return int(min(_CRASH_FIRST * 2 ** min(restarts, 10), _CRASH_MOST))


def creating(pod: Object, moment: str) -> Object:
    """Bound to a node, containers not running yet."""
    return _status(pod, moment, "Pending", _waiting("ContainerCreating"), running=False)


def running(pod: Object, moment: str, *, ready: bool, address: str, restarts: int = 0) -> Object:
    """Containers run; ready or not."""
    state = {"running": {"startedAt": moment}}
    return _status(pod, moment, "Running", state, running=True, ready=ready, address=address, restarts=restarts)


def image_missing(pod: Object, moment: str) -> Object:
    """The image cannot be pulled."""
    image = next(str(container.get("image")) for container in containers_of(pod))
    words = f'Back-off pulling image "{image}": ErrImagePull: failed to pull and unpack image "{image}": not found'
    return _status(pod, moment, "Pending", _waiting("ImagePullBackOff", words), running=False)


def config_error(pod: Object, moment: str, outcome: Outcome) -> Object:
    """The container cannot be made as asked."""
    container = next(containers_of(pod))["name"]
    words = outcome.message.format(pod=pod["metadata"]["name"], container=container)
    return _status(pod, moment, "Pending", _waiting("CreateContainerConfigError", words), running=False)


def crashed(pod: Object, moment: str, outcome: Outcome, *, restarts: int, address: str) -> Object:
    """The container ended and waits for its next start."""
    name = next(containers_of(pod))["name"]
    meta = pod["metadata"]
    words = (
        f"back-off {crash_delay(restarts)}s restarting failed container={name} "
        f"pod={meta['name']}_{meta['namespace']}({meta['uid']})"
    )
    return _status(
        pod,
        moment,
        "Running",
        _waiting("CrashLoopBackOff", words),
        running=True,
        address=address,
        restarts=restarts,
        last={"terminated": _terminated(outcome, moment)},
    )


def completed(pod: Object, moment: str, outcome: Outcome, *, address: str) -> Object:
    """The containers have ended for good."""
    phase = "Failed" if outcome.exit_code else "Succeeded"
    state = {"terminated": _terminated(outcome, moment)}
    return _status(pod, moment, phase, state, running=True, address=address)


def _waiting(reason: str, message: str = "") -> Object:
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def _terminated(outcome: Outcome, moment: str) -> Object:
    terminated: Object = {
        "exitCode": outcome.exit_code,
        "reason": "Error" if outcome.exit_code else "Completed",
        "startedAt": moment,
        "finishedAt": moment,
    }
    return terminated | ({"message": outcome.message} if outcome.message else {})


def _status(
    pod: Object,
    moment: str,
    phase: str,
    state: Object,
    *,
    running: bool,
    ready: bool = False,
    address: str = "",
    restarts: int = 0,
    last: Object | None = None,
) -> Object:
    containers = [
        {
            "name": container["name"],
            "image": container.get("image", ""),
            "imageID": "",
            "ready": ready,
            "started": running and ready,
            "restartCount": restarts,
            "state": state,
            "lastState": last or {},
        }
        for container in containers_of(pod)
    ]
    inits = [
        {
            "name": container["name"],
            "image": container.get("image", ""),
            "imageID": "",
            "ready": running,
            "started": False,
            "restartCount": 0,
            "state": {"terminated": _terminated(Outcome(), moment)} if running else _waiting("PodInitializing"),
            "lastState": {},
        }
        for container in pod["spec"].get("initContainers", [])
    ]
    status: dict[str, Any] = {
        "phase": phase,
        "startTime": pod.get("status", {}).get("startTime") or moment,
        "conditions": _conditions(pod, moment, running=running, ready=ready, ended=phase in {"Succeeded", "Failed"}),
        "containerStatuses": containers,
        "observedGeneration": pod["metadata"].get("generation", 1),
    }
    if inits:
        status["initContainerStatuses"] = inits
    if address:
        status |= {"podIP": address, "podIPs": [{"ip": address}]}
    return status


def _conditions(pod: Object, moment: str, *, running: bool, ready: bool, ended: bool) -> list[Object]:
    why = {"reason": "PodCompleted"} if ended else {"reason": "ContainersNotReady"}
    if not ready and not ended:
        names = " ".join(container["name"] for container in containers_of(pod))
        why["message"] = f"containers with unready status: [{names}]"
    wanted = [
        {"type": "PodScheduled", "status": "True"},
        {"type": "PodReadyToStartContainers", "status": str(running)},
        {"type": "Initialized", "status": str(running or not pod["spec"].get("initContainers"))},
        {"type": "Ready", "status": str(ready), **({} if ready else why)},
        {"type": "ContainersReady", "status": str(ready), **({} if ready else why)},
    ]
    conditions = list(pod.get("status", {}).get("conditions") or [])
    for each in wanted:
        conditions = with_condition(conditions, {**each, "lastProbeTime": None}, moment)
    return conditions
