"""The one cause worth saying."""

from aiop.controllers.serving.diagnosis import Diagnosis, diagnose
from support.pods import READY, case_of, cause_of, diagnosis_of, pod, refusing, running, unscheduled, waiting


def test_enough_ready_pods_need_no_cause() -> None:
    assert diagnosis_of(pod(READY), waiting("ImagePullBackOff"), desired=1) == Diagnosis()
    assert diagnose(case_of()) == Diagnosis()


def test_pods_that_merely_start_are_counted() -> None:
    found = cause_of(pod(READY), pod(), desired=2)
    assert found.reason == "PodsNotReady"
    assert "1 of 2 pods are ready" in found.message


def test_what_no_restart_mends_goes_before_what_only_waits() -> None:
    pods = [
        unscheduled("no room"),
        waiting("ErrImagePull", "i/o timeout"),
        waiting("CreateContainerConfigError", 'secret "a" not found'),
    ]
    assert cause_of(*pods, sets=[refusing("exceeded quota: a")], desired=4).reason == "QuotaExceeded"
    assert cause_of(*pods).reason == "MissingSecret"
    assert cause_of(*pods[:2]).reason == "RegistryUnreachable"
    assert cause_of(pods[0], running(600)).reason == "Unschedulable"
