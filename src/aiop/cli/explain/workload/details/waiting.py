"""Pods that are there and do not serve: what their nodes say of it in events."""

from datetime import timedelta

from aiop.cli.explain.explanation import Finding, Source
from aiop.cli.explain.workload.details.events import with_event
from aiop.cli.explain.workload.replay import Scene
from aiop.controllers.serving.causes.cause import Cause

_MOUNTS = frozenset(
    {"FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "NetworkNotReady"}
)
_PROBES = frozenset({"Unhealthy", "ProbeWarning"})
_NEXT = {
    "NodeUnreachable": "the pods are replaced if the node stays away, after five minutes by default",
    "Evicted": "others take their place as soon as a node has room",
    "PodNotSetUp": "the kubelet goes on trying",
    "ReadinessFailing": "the kubelet goes on asking; a server that answers gets requests at once",
}


def waits(scene: Scene, cause: Cause) -> Finding:
    """The pod that waits, and its newest warning."""
    pod = next((each for each in scene.case.pods if not each.ready), None)
    name = scene.evidence.observed.key.name
    source = (
        Source("Pod", pod.metadata.name, "condition Ready")
        if pod is not None
        else Source("AIWorkload", name, "its pods")
    )
    after = scene.diagnosis.look_again if cause.reason == "PodsNotReady" else None
    found = Finding(
        cause.reason,
        cause.told,
        source,
        next="servers start; what lasts longer counts as a fault" if after is not None else _NEXT.get(cause.reason, ""),
        at=scene.evidence.now + timedelta(seconds=after) if after is not None else None,
        numbers={"ready": sum(each.ready for each in scene.case.pods), "wanted": scene.case.desired},
    )
    return with_event(scene, found, _MOUNTS | _PROBES)
