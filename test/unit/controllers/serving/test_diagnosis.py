"""The one cause worth saying."""

from dataclasses import dataclass
from typing import Any

import pytest

from aiop.controllers.serving.diagnosis import Cause, diagnose
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.workloads import (
    Condition,
    ContainerState,
    ContainerStatus,
    Pod,
    PodStatus,
    ReplicaSet,
    ReplicaSetStatus,
    Terminated,
    TimedCondition,
    Waiting,
)

READY = Condition(type="Ready", status="True")


@dataclass
class Kubelet:
    """Makes pods as the kubelet would describe them."""

    number: int = 0

    def pod(self, *conditions: Condition, container: ContainerStatus | None = None, init: Any = ()) -> Pod:
        self.number += 1
        status = PodStatus(
            conditions=conditions,
            container_statuses=(container,) if container else (),
            init_container_statuses=tuple(init),
        )
        return Pod(ObjectMeta(name=f"pod-{self.number}", uid=str(self.number)), status=status)

    def waiting(self, reason: str, message: str = "", **more: Any) -> Pod:
        state = ContainerState(waiting=Waiting(reason, message))
        return self.pod(container=ContainerStatus(name="server", image="image:1", state=state, **more))

    def unscheduled(self, words: str) -> Pod:
        return self.pod(Condition("PodScheduled", "False", "Unschedulable", words))


kubelet = Kubelet()


def cause_of(*pods: Pod, sets: tuple[ReplicaSet, ...] = (), desired: int = 0) -> Cause:
    found = diagnose(pods, sets, desired or len(pods))
    assert found is not None
    return found


def refusing(message: str) -> ReplicaSet:
    condition = TimedCondition("ReplicaFailure", "True", "FailedCreate", message)
    return ReplicaSet(ObjectMeta(name="rs"), ReplicaSetStatus(conditions=(condition,)))


def test_enough_ready_pods_need_no_cause() -> None:
    assert diagnose([kubelet.pod(READY), kubelet.waiting("ImagePullBackOff")], [], 1) is None
    assert diagnose([], [], 0) is None


def test_pods_that_merely_start_are_counted() -> None:
    found = cause_of(kubelet.pod(READY), kubelet.pod(), desired=2)
    assert found.reason == "PodsNotReady"
    assert "1 of 2 pods are ready" in found.message


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"])
def test_a_missing_image_is_named_with_the_kubelets_words(reason: str) -> None:
    found = cause_of(kubelet.waiting(reason, "manifest unknown"), kubelet.pod(), desired=2)
    assert found.reason == "ImagePullFailed"
    assert "'image:1'" in found.message
    assert "1 of 2 pods" in found.message
    assert "manifest unknown" in found.message


def test_a_crash_loop_tells_exit_code_reason_and_last_words() -> None:
    ended = ContainerState(terminated=Terminated(137, "OOMKilled", "out\nof   memory"))
    found = cause_of(kubelet.waiting("CrashLoopBackOff", "back-off", last_state=ended, restart_count=4))
    assert found.reason == "CrashLoop"
    assert "exit code 137 (OOMKilled): out of memory" in found.message
    assert "restarted 4 times" in found.message
    assert "the kubelet restarts it" in found.message


def test_a_server_that_runs_again_after_a_crash_is_said_to_run() -> None:
    ended = ContainerState(terminated=Terminated(1, "Error", "panic"))
    found = cause_of(kubelet.pod(container=ContainerStatus(name="server", last_state=ended, restart_count=1)))
    assert found.reason == "CrashLoop"
    assert "it runs again and is not ready yet" in found.message


def test_a_server_that_crashed_once_and_is_ready_is_no_cause() -> None:
    ended = ContainerState(terminated=Terminated(1, "Error", "panic"))
    recovered = kubelet.pod(READY, container=ContainerStatus(name="server", ready=True, last_state=ended))
    assert cause_of(recovered, kubelet.pod(), desired=2).reason == "PodsNotReady"


def test_of_a_long_log_the_end_is_told() -> None:
    ended = ContainerState(terminated=Terminated(1, "Error", "noise " * 500 + "the cause"))
    found = cause_of(kubelet.waiting("CrashLoopBackOff", last_state=ended))
    assert "the cause" in found.message
    assert len(found.message) < 700


def test_a_model_that_cannot_be_fetched_is_not_called_a_crash_of_the_server() -> None:
    ended = ContainerState(terminated=Terminated(1, "Error", "403 Forbidden"))
    fetcher = ContainerStatus(name="fetch-model", state=ended, restart_count=2)
    found = cause_of(kubelet.pod(init=[fetcher]))
    assert found.reason == "ModelFetchFailed"
    assert "403 Forbidden" in found.message


def test_an_init_container_that_ended_well_is_no_crash() -> None:
    done = ContainerStatus(name="fetch-model", state=ContainerState(terminated=Terminated(0, "Completed")))
    assert cause_of(kubelet.pod(init=[done])).reason == "PodsNotReady"


def test_an_image_that_only_runs_as_root_is_told_with_the_fix() -> None:
    found = cause_of(
        kubelet.waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root")
    )
    assert found.reason == "ContainerConfigError"
    assert "use an image that runs as a numeric non-root user" in found.message


def test_unschedulable_is_told_in_the_schedulers_own_words() -> None:
    words = "0/2 nodes are available: 2 Insufficient nvidia.com/gpu."
    found = cause_of(kubelet.unscheduled(words), kubelet.unscheduled(words))
    assert found.reason == "Unschedulable"
    assert "2 of 2 pods" in found.message
    assert words.rstrip(".") in found.message


def test_pods_that_the_server_refuses_are_told_in_its_own_words() -> None:
    found = cause_of(sets=(refusing('pods "x" is forbidden: exceeded quota'),), desired=3)
    assert found.reason == "PodsRefused"
    assert "3 of 3 pods cannot be created" in found.message
    assert "exceeded quota" in found.message


def test_a_refusal_that_is_over_is_not_told() -> None:
    assert cause_of(kubelet.waiting("ErrImagePull"), sets=(refusing("quota"),)).reason == "ImagePullFailed"


def test_what_no_restart_mends_goes_before_what_only_waits() -> None:
    pods = [kubelet.unscheduled("no room"), kubelet.waiting("ErrImagePull"), kubelet.waiting("CreateContainerError")]
    assert cause_of(*pods).reason == "ContainerConfigError"
    assert cause_of(*pods[:2]).reason == "ImagePullFailed"
