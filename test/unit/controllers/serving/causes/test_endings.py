"""Containers that end though they should serve."""

import pytest

from aiop.controllers.serving.causes.endings import restarted
from aiop.controllers.serving.pod.fetching import FETCH
from aiop.runtime.views.workloads import ContainerState, ContainerStatus, Terminated
from support.pods import FETCHED, READY, TEMPLATE, cause_of, crashed, diagnosis_of, failed, pod, running


def test_out_of_memory_names_the_limit_and_the_field() -> None:
    found = cause_of(crashed(137, "OOMKilled"), pod(), desired=2)
    assert found.reason == "OutOfMemory"
    assert found.message == (
        "container 'server' of 1 of 2 pods used more memory than its limit of 4Gi: raise "
        "spec.resources.limits.memory; it was restarted 4 times, and the kubelet restarts it after growing pauses"
    )


def test_out_of_memory_without_a_limit_is_the_nodes() -> None:
    found = cause_of(crashed(137, "OOMKilled"), template={"containers": [{"name": "server"}]})
    assert "used more memory than its node has" in found.message


def test_a_fetcher_out_of_memory_names_its_own_setting() -> None:
    found = cause_of(pod(init=[failed("", code=137, reason="OOMKilled")]), template=FETCHED)
    assert found.reason == "OutOfMemory"
    assert "its limit of 1Gi: raise it in the chart's models.fetcher.resources" in found.message


@pytest.mark.parametrize("code", [137, 143])
def test_a_server_killed_while_it_starts_is_blamed_on_the_startup_probe(code: int) -> None:
    found = cause_of(crashed(code, message="loading shard 3"))
    assert found.reason == "KilledByProbe"
    assert "the startup probe fails too often: loading shard 3" in found.message
    assert "raise the failureThreshold" in found.message


def test_a_server_killed_later_is_blamed_on_the_liveness_probe() -> None:
    template = {"containers": [{"name": "server", "livenessProbe": {}}]}
    assert "the liveness probe fails" in cause_of(crashed(137), template=template).message


def test_a_server_killed_without_any_probe_has_crashed() -> None:
    assert cause_of(crashed(137), template={"containers": [{"name": "server"}]}).reason == "CrashLoop"


def test_a_crash_tells_exit_code_reason_and_last_words() -> None:
    found = cause_of(crashed(1, message="panic:\n  the   file is damaged"))
    assert found.reason == "CrashLoop"
    assert "exit code 1 (Error): panic: the file is damaged; it was restarted 4 times" in found.message
    assert "the kubelet restarts it" in found.message


@pytest.mark.parametrize(
    ("count", "words"), [(0, "not restarted yet"), (1, "restarted once"), (2, "restarted 2 times")]
)
def test_restarts_are_counted_as_a_person_would(count: int, words: str) -> None:
    assert restarted(ContainerStatus(restart_count=count)) == words


def test_a_server_that_ends_well_has_crashed_too() -> None:
    ended = ContainerState(terminated=Terminated(0, "Completed"))
    assert cause_of(crashed(0, "Completed")).reason == "CrashLoop"
    assert cause_of(running(5, last_state=ended)).reason == "CrashLoop"


def test_only_of_a_server_that_ended_well_and_said_nothing_the_log_is_named() -> None:
    log = "only its log (`kubectl logs --previous`) says why; it was restarted 4 times"
    assert log in cause_of(crashed(0, "Completed")).message
    assert log not in cause_of(crashed(0, "Completed", "nothing to serve")).message
    assert log not in cause_of(crashed(1)).message


def test_a_server_that_runs_again_after_a_crash_is_said_to_run_until_it_is_forgiven() -> None:
    ended = ContainerState(terminated=Terminated(1, "Error", "panic"))
    found = diagnosis_of(running(20, last_state=ended, restart_count=1))
    assert found.cause is not None
    assert found.cause.reason == "CrashLoop"
    assert "it runs again and is not ready yet" in found.cause.message
    assert found.look_again == 40.0
    assert cause_of(running(60, last_state=ended, restart_count=1)).reason == "ReadinessFailing"


def test_a_server_that_still_starts_after_a_crash_is_not_forgiven() -> None:
    ended = ContainerState(terminated=Terminated(1, "Error", "panic"))
    found = diagnosis_of(running(600, started=False, last_state=ended))
    assert found.cause is not None
    assert (found.cause.reason, found.look_again) == ("CrashLoop", None)


def test_a_server_that_crashed_once_and_is_ready_is_no_cause() -> None:
    ended = ContainerState(terminated=Terminated(1, "Error", "panic"))
    recovered = pod(READY, container=ContainerStatus(name="server", ready=True, last_state=ended))
    assert cause_of(recovered, pod(), desired=2).reason == "PodsNotReady"


def test_of_a_long_log_the_end_is_told_without_what_moves_a_cursor() -> None:
    found = cause_of(crashed(1, message="noise " * 500 + "\x1b[31mthe cause\x1b[0m"))
    assert "[31mthe cause[0m;" in found.message
    assert len(found.message) < 700


def test_a_fetcher_that_has_to_run_again_after_it_had_succeeded_has_not_failed() -> None:
    ended = ContainerState(terminated=Terminated(0, "Completed"))
    again = ContainerStatus(name=FETCH, last_state=ended, restart_count=1)
    assert cause_of(pod(init=[again]), template=FETCHED).reason == "PodsNotReady"


def test_an_unknown_template_names_no_limit_and_no_probe() -> None:
    assert cause_of(crashed(137), template={"containers": "spoiled"}).reason == "CrashLoop"
    assert cause_of(crashed(137, "OOMKilled"), template={**TEMPLATE, "volumes": 3}).reason == "OutOfMemory"
