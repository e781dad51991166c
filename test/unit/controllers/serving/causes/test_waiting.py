"""Pods that are there and do not serve: what is no fault for a minute, and then is one."""

from typing import Any

import pytest

from aiop.runtime.views.workloads import ContainerStatus, TimedCondition
from support.pods import READY, TEMPLATE, before, cause_of, diagnosis_of, pod, running

NOT_SET_UP = TimedCondition("PodReadyToStartContainers", "False")
CLAIM = {**TEMPLATE, "volumes": [{"name": "model", "persistentVolumeClaim": {"claimName": "models"}}]}


def test_a_server_that_has_run_for_a_minute_and_is_not_ready_has_a_failing_probe() -> None:
    found = cause_of(running(61), pod(READY), desired=2)
    assert found.reason == "ReadinessFailing"
    assert "container 'server' of 1 of 2 pods runs and is not ready: the readiness probe" in found.message
    assert "(GET /ready on port http, every 5 s)" in found.message
    assert "kubectl describe pod pod-" in found.message


def test_before_that_it_merely_starts_and_it_is_said_when_to_look_again() -> None:
    found = diagnosis_of(running(20), running(45))
    assert found.cause is not None
    assert (found.cause.reason, found.look_again) == ("PodsNotReady", 15.0)


def test_a_server_whose_startup_probe_has_not_passed_starts_for_as_long_as_it_takes() -> None:
    found = diagnosis_of(running(3600, started=False))
    assert found.cause is not None
    assert (found.cause.reason, found.look_again) == ("PodsNotReady", None)


def test_a_server_that_starts_is_told_with_what_it_has_not_answered_yet() -> None:
    words = (
        "0 of 1 pods are ready; container 'server' runs and has not answered its readiness probe (GET /ready on port"
    )
    assert cause_of(running(1)).message.startswith(words)
    probes = {"readinessProbe": {"tcpSocket": {"port": 1}}, "startupProbe": {"tcpSocket": {"port": 2}}}
    template = {"containers": [{"name": "server", **probes}]}
    assert (
        "its startup probe (a connection to port 2, " in cause_of(running(1, started=False), template=template).message
    )
    assert "its readiness probe (a connection to port 1, " in cause_of(running(1), template=template).message
    assert cause_of(pod()).message == "0 of 1 pods are ready; waiting for the others to start"


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        ({"tcpSocket": {"port": "http"}, "periodSeconds": 5}, "a connection to port http, every 5 s"),
        ({"grpc": {"port": 8001}}, "gRPC health on port 8001, every 10 s"),
        ({"exec": {"command": ["a"]}}, "a command, every 10 s"),
    ],
)
def test_the_probe_is_named_as_it_asks(probe: dict[str, Any], words: str) -> None:
    template = {"containers": [{"name": "server", "readinessProbe": probe}]}
    assert words in cause_of(running(300), template=template).message


def test_where_no_startup_probe_says_how_long_it_may_load_a_server_has_five_minutes() -> None:
    found = diagnosis_of(running(290), template={"containers": [{"name": "server", "readinessProbe": {}}]})
    assert found.cause is not None
    assert (found.cause.reason, found.look_again) == ("PodsNotReady", 10.0)


def test_a_pod_without_volumes_or_network_for_a_minute_is_not_set_up() -> None:
    late = pod(NOT_SET_UP, start_time=before(60))
    found = cause_of(late, template=CLAIM)
    assert found.reason == "PodNotSetUp"
    assert "1 of 1 pods have a node and do not start: the claim 'models' is not mounted, or" in found.message
    assert f"kubectl describe pod {late.metadata.name}" in found.message
    assert "they have no network yet" in cause_of(late).message


def test_before_that_nothing_is_wrong_with_it() -> None:
    found = diagnosis_of(pod(NOT_SET_UP, start_time=before(50)))
    assert found.cause is not None
    assert (found.cause.reason, found.look_again) == ("PodsNotReady", 10.0)


def test_a_pod_of_no_known_age_is_not_waited_for() -> None:
    found = diagnosis_of(pod(NOT_SET_UP, start_time="soon"))
    assert found.cause is not None
    assert (found.cause.reason, found.look_again) == ("PodsNotReady", None)


def test_a_silent_node_is_named() -> None:
    conditions = (TimedCondition("ContainersReady", "True"), TimedCondition("Ready", "False"))
    found = cause_of(pod(*conditions, container=ContainerStatus(name="server", ready=True)), pod(READY), desired=2)
    assert found.reason == "NodeUnreachable"
    assert found.message.startswith("the node 'node-1' of 1 of 2 pods does not answer; ")


def test_servers_that_were_evicted_are_told_while_others_take_their_place() -> None:
    gone = pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory. ")
    found = cause_of(pod(READY), pod(), evicted=[gone])
    assert found.reason == "Evicted"
    assert found.message == "1 of 2 pods are ready; 1 were evicted by their nodes: The node was low on resource: memory"
