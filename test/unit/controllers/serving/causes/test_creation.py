"""Containers that cannot be made or started, in the kubelet's words (1.37)."""

import pytest

from aiop.runtime.views.workloads import ContainerState, ContainerStatus, Terminated
from support.pods import cause_of, pod, waiting

ROOT = 'container has runAsNonRoot and image will run as root (pod: "demo_a(1)", container: server)'


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ('secret "keys" not found', "MissingSecret"),
        ("couldn't find key token in Secret a/keys", "MissingSecretKey"),
        ('configmap "settings" not found', "MissingConfigMap"),
        ("couldn't find key level in ConfigMap a/settings", "MissingConfigMapKey"),
        (ROOT, "ImageRunsAsRoot"),
        ("container has runAsNonRoot and image has non-numeric user (triton), cannot verify user", "ImageRunsAsRoot"),
        ('failed to create subPath directory for volumeMount "model" of container "server"', "ModelPathMissing"),
        ('failed to prepare subPath for volumeMount "model" of container "server"', "ModelPathMissing"),
        ("something else", "ContainerConfigError"),
    ],
)
def test_what_is_missing_is_named_with_the_fix(words: str, reason: str) -> None:
    found = cause_of(waiting("CreateContainerConfigError", words), pod(), desired=2)
    assert found.reason == reason
    assert found.message.startswith(f"container 'server' of 1 of 2 pods cannot be made: {words}")
    assert (reason == "ContainerConfigError") == found.message.endswith(words)


@pytest.mark.parametrize("reason", ["CreateContainerError", "RunContainerError"])
def test_a_command_that_is_not_there_is_no_crash(reason: str) -> None:
    words = 'exec: "serve": executable file not found in $PATH'
    found = cause_of(waiting(reason, words))
    assert found.reason == "ContainerStartFailed"
    assert words in found.message
    assert "spec.command" in found.message


def test_a_container_that_never_ran_between_two_tries_is_told_the_same() -> None:
    ended = ContainerState(terminated=Terminated(128, "StartError", "no such device"))
    found = cause_of(waiting("CrashLoopBackOff", "back-off", last_state=ended, restart_count=2))
    assert found.reason == "ContainerStartFailed"
    assert "no such device" in found.message


def test_one_that_runs_again_has_started() -> None:
    ended = ContainerState(terminated=Terminated(128, "StartError", "no such device"))
    assert cause_of(pod(container=ContainerStatus(name="server", last_state=ended))).reason != "PodsNotReady"
