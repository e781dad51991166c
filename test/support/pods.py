"""Pods as kubelets, schedulers and the fetcher describe them, for tests of what is said of them."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiop.controllers.serving.causes.cause import Case, Cause
from aiop.controllers.serving.causes.template import template_of
from aiop.controllers.serving.diagnosis import Diagnosis, diagnose
from aiop.controllers.serving.pod.fetching import FETCH, MEASURE
from aiop.fetcher.termination import Outcome
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.workloads import (
    ContainerState,
    ContainerStatus,
    Pod,
    PodSpec,
    PodStatus,
    ReplicaSet,
    ReplicaSetStatus,
    Running,
    Terminated,
    TimedCondition,
    Waiting,
)

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
READY = TimedCondition(type="Ready", status="True")
_numbers = itertools.count(1)

TEMPLATE: dict[str, Any] = {
    "containers": [
        {
            "name": "server",
            "resources": {"limits": {"memory": "4Gi"}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
            "livenessProbe": {"tcpSocket": {"port": "http"}},
            "startupProbe": {"httpGet": {"path": "/live", "port": "http"}},
        }
    ]
}
FETCHED: dict[str, Any] = {
    **TEMPLATE,
    "initContainers": [{"name": MEASURE}, {"name": FETCH, "resources": {"limits": {"memory": "1Gi"}}}],
}


def before(seconds: float) -> str:
    """A moment so many seconds ago, as the API server writes it."""
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(*conditions: TimedCondition, container: ContainerStatus | None = None, init: Any = (), **status: Any) -> Pod:
    number = next(_numbers)
    found = PodStatus(
        conditions=conditions,
        container_statuses=(container,) if container else (),
        init_container_statuses=tuple(init),
        **status,
    )
    return Pod(ObjectMeta(name=f"pod-{number}", uid=str(number)), PodSpec("node-1"), found)


def waiting(reason: str, message: str = "", **more: Any) -> Pod:
    """A pod whose server waits."""
    state = ContainerState(waiting=Waiting(reason, message))
    return pod(container=ContainerStatus(name="server", image="image:1", state=state, **more))


def running(seconds: float, **more: Any) -> Pod:
    """A pod whose server has run for so long."""
    fields: dict[str, Any] = {"started": True, **more}
    state = ContainerState(running=Running(before(seconds)))
    return pod(container=ContainerStatus(name="server", state=state, **fields))


def crashed(code: int, reason: str = "Error", message: str = "", **more: Any) -> Pod:
    """A pod whose server the kubelet does not start again for now."""
    ended = ContainerState(terminated=Terminated(code, reason, message))
    fields: dict[str, Any] = {"restart_count": 4, "last_state": ended, **more}
    return waiting("CrashLoopBackOff", "back-off", **fields)


def unscheduled(words: str) -> Pod:
    return pod(TimedCondition("PodScheduled", "False", "Unschedulable", words))


def refusing(words: str) -> ReplicaSet:
    condition = TimedCondition("ReplicaFailure", "True", "FailedCreate", words)
    return ReplicaSet(ObjectMeta(name="rs"), ReplicaSetStatus(conditions=(condition,)))


def done(message: str = "", name: str = MEASURE) -> ContainerStatus:
    """An initial container that ended well."""
    return ContainerStatus(name=name, ready=True, state=ContainerState(terminated=Terminated(0, "Completed", message)))


def failed(message: str, name: str = FETCH, code: int = 1, reason: str = "Error", restarts: int = 2) -> ContainerStatus:
    """An initial container that waits for its next try."""
    return ContainerStatus(
        name=name,
        restart_count=restarts,
        state=ContainerState(waiting=Waiting("CrashLoopBackOff", "back-off")),
        last_state=ContainerState(terminated=Terminated(code, reason, message)),
    )


def said(reason: str, message: str, files: int = 0, size: int = 0, seconds: float = 0.0) -> str:
    """The fetcher's own last word."""
    return Outcome(reason, message, files, size, seconds).line()


def case_of(
    *pods: Pod, desired: int = 0, sets: Sequence[ReplicaSet] = (), template: Any = TEMPLATE, evicted: Any = ()
) -> Case:
    return Case(pods, desired or len(pods), NOW, sets, evicted, template_of(template))


def diagnosis_of(*pods: Pod, **case: Any) -> Diagnosis:
    return diagnose(case_of(*pods, **case))


def cause_of(*pods: Pod, **case: Any) -> Cause:
    found = diagnosis_of(*pods, **case).cause
    assert found is not None
    return found
