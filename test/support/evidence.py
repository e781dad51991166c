"""What `aiop explain` reads of a `World`, without any API server."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from aiop.cli.explain.workload.evidence import Evidence
from aiop.cli.explain.workload.views import Event, Lease, PodTimes, Quota
from aiop.controllers.serving.report import Report, make_report
from aiop.controllers.serving.verdict import Hindrance
from aiop.runtime.views.workloads import ContainerState, ContainerStatus, Node, Terminated, Waiting
from support.servingworld import World


def looked_at(world: World, hindrance: Hindrance | None = None) -> Report:
    """The operator looks, and writes the status."""
    report = make_report(world.observe(), world.plan(), hindrance or Hindrance(), world.now)
    world.status = report.status
    return report


def evidence_of(world: World, **more: Any) -> Evidence:
    """What a caller sees who may see everything; an operator leads unless ``leases`` say otherwise."""
    return replace(Evidence(world.observe(), world.now, leases=[lease(world.now)]), **more)


def lease(renewed: datetime, holder: str = "aiop-1") -> Lease:
    return msgspec.convert(
        {
            "metadata": {"name": "aiop-manager", "namespace": "aiop-system"},
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": 15,
                "renewTime": f"{renewed:%Y-%m-%dT%H:%M:%S.%fZ}",
            },
        },
        Lease,
    )


def event(pod: str, reason: str, message: str, count: int = 1) -> Event:
    return msgspec.convert(
        {
            "metadata": {"name": f"{pod}.1"},
            "involvedObject": {"kind": "Pod", "name": pod},
            "reason": reason,
            "message": message,
            "count": count,
            "lastTimestamp": "2026-01-01T00:01:00Z",
        },
        Event,
    )


def quota(name: str, **amounts: tuple[str, str]) -> Quota:
    """Amounts by resource (with _ for a dot): what is used, and what may be."""
    named = {resource.replace("_", "."): each for resource, each in amounts.items()}
    status = {
        "used": {resource: used for resource, (used, _) in named.items()},
        "hard": {resource: hard for resource, (_, hard) in named.items()},
    }
    return msgspec.convert({"metadata": {"name": name}, "status": status}, Quota)


def node(name: str, *, unschedulable: bool = False, **allocatable: str) -> Node:
    amounts = {resource.replace("__", "/").replace("_", "."): amount for resource, amount in allocatable.items()}
    return msgspec.convert(
        {
            "metadata": {"name": name},
            "spec": {"unschedulable": unschedulable},
            "status": {"allocatable": amounts},
        },
        Node,
    )


def pod_times(uid: str, container: str, finished: datetime) -> PodTimes:
    ended = {"terminated": {"finishedAt": f"{finished:%Y-%m-%dT%H:%M:%SZ}"}}
    status = {"containerStatuses": [{"name": container, "lastState": ended}]}
    return msgspec.convert({"metadata": {"name": uid, "uid": uid}, "status": status}, PodTimes)


def crashed(words: str = "panic", *, restarts: int = 4, back_off: str = "1m20s") -> ContainerStatus:
    """A server in its back-off."""
    waiting = Waiting("CrashLoopBackOff", f"back-off {back_off} restarting failed container=server pod=a_b(c)")
    return ContainerStatus(
        name="server",
        restart_count=restarts,
        state=ContainerState(waiting=waiting),
        last_state=ContainerState(terminated=Terminated(1, "Error", words)),
    )


def waiting(reason: str, message: str = "") -> ContainerStatus:
    return ContainerStatus(name="server", image="registry/a:1", state=ContainerState(waiting=Waiting(reason, message)))
