"""The condition ModelReady: how the model's files come to the servers."""

from typing import Any

import pytest

from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.modelready import model_ready, no_model
from aiop.controllers.serving.pod.fetching import FETCH, MEASURE
from aiop.runtime.conditions.condition import Condition
from aiop.runtime.views.workloads import ContainerState, ContainerStatus, Pod, Running, Waiting
from aiop.runtime.views.workloads import TimedCondition as PodCondition
from support.pods import FETCHED, TEMPLATE, before, case_of, diagnosis_of, done, failed, pod, said, unscheduled

URI = "s3://models/bert/v1"
SIZE = 4_402_341_478
MEASURED = done(said("Measured", "The model has 12 files.", 12, SIZE, 0.4))
HERE = done(said("Fetched", "Fetched.", 12, SIZE, 93.4), FETCH)
MOUNTED = {**TEMPLATE, "volumes": [{"name": "model", "persistentVolumeClaim": {"claimName": "models"}}]}
SET_UP = PodCondition("PodReadyToStartContainers", "True")


def busy(name: str, seconds: float, **more: Any) -> ContainerStatus:
    return ContainerStatus(name=name, state=ContainerState(running=Running(before(seconds))), **more)


def idle(name: str) -> ContainerStatus:
    return ContainerStatus(name=name, state=ContainerState(waiting=Waiting("PodInitializing")))


def told(*pods: Pod, **case: Any) -> Condition:
    case = {"template": FETCHED, **case}
    return model_ready(case_of(*pods, **case), URI, diagnosis_of(*pods, **case).cause)


def short(found: Condition) -> tuple[str, str]:
    return found.status, found.reason


def test_before_any_server_has_begun_it_says_what_is_waited_for() -> None:
    found = told(unscheduled("0/1 nodes are available: 1 Insufficient cpu"))
    assert short(found) == ("False", "ModelWaiting")
    assert "Insufficient cpu" in found.message
    assert short(told(desired=1)) == ("False", "ModelWaiting")


def test_where_no_server_is_wanted_none_has_the_model() -> None:
    assert short(told()) == ("False", "ScaledToZero")


def test_a_model_that_is_looked_at_is_measured() -> None:
    found = told(pod(init=[busy(MEASURE, 5), idle(FETCH)]))
    assert short(found) == ("False", "ModelMeasuring")
    assert found.message == f"looking at {URI}, begun 11:59:55Z"
    assert short(told(pod(init=[MEASURED, idle(FETCH)]))) == ("False", "ModelMeasuring")


def test_a_fetch_tells_size_files_and_when_it_began() -> None:
    found = told(pod(init=[MEASURED, busy(FETCH, 60)]), pod(init=[MEASURED, busy(FETCH, 90)]), pod(), desired=3)
    assert short(found) == ("False", "ModelFetching")
    assert found.message == "fetching 4.1 GiB in 12 files, begun 11:58:30Z, for 2 of 3 servers"


def test_a_fetch_of_unknown_size_names_the_uri() -> None:
    found = told(pod(init=[done("nonsense"), busy(FETCH, 60)]))
    assert found.message == f"fetching {URI}, begun 11:59:00Z, for 1 of 1 servers"


def test_a_fetch_says_the_same_however_long_it_takes() -> None:
    one = pod(init=[MEASURED, busy(FETCH, 60)])
    assert told(one) == told(one)


def test_a_model_that_was_fetched_tells_size_and_time() -> None:
    found = told(pod(init=[MEASURED, HERE]))
    assert short(found) == ("True", "ModelFetched")
    assert found.message == "4.1 GiB in 12 files, fetched in 93 s"


def test_one_server_that_has_it_is_enough_and_the_others_are_counted() -> None:
    found = told(pod(init=[MEASURED, HERE]), pod(init=[MEASURED, busy(FETCH, 3)]), pod(), desired=3)
    assert short(found) == ("True", "ModelFetched")
    assert found.message.endswith("; 2 more of 3 servers are on their way to it")


def test_a_fetch_without_a_word_was_a_fetch() -> None:
    found = told(pod(init=[MEASURED, done("", FETCH)]))
    assert found.message == "the model was fetched"


@pytest.mark.parametrize("name", [MEASURE, FETCH])
def test_a_failure_is_told_in_the_fetchers_words_and_with_its_reason(name: str) -> None:
    found = told(pod(init=[failed(said("NoSpace", "The model needs 5 GB and the volume has 2 GB free."), name)]))
    assert short(found) == ("False", "ModelNoSpace")
    assert "The model needs 5 GB and the volume has 2 GB free; " in found.message
    assert "it was restarted 2 times and is tried again" in found.message


def test_a_failure_stands_while_it_is_tried_again_and_beside_servers_that_have_the_model() -> None:
    again = failed(said("Unreachable", "No answer."))
    retrying = ContainerStatus(name=FETCH, state=busy(FETCH, 2).state, last_state=again.last_state, restart_count=3)
    assert short(told(pod(init=[MEASURED, retrying]))) == ("False", "ModelUnreachable")
    assert short(told(pod(init=[MEASURED, HERE]), pod(init=[MEASURED, again]))) == ("False", "ModelUnreachable")


def test_a_fetcher_out_of_memory_is_told_as_that() -> None:
    assert short(told(pod(init=[failed("", code=137, reason="OOMKilled")]))) == ("False", "OutOfMemory")


def test_a_claim_counts_once_a_pod_has_it() -> None:
    assert short(told(pod(), template=MOUNTED)) == ("False", "ModelWaiting")
    found = told(pod(SET_UP), template=MOUNTED)
    assert (found.status, found.reason, found.message) == ("True", "ModelMounted", f"{URI} is mounted, read-only")
    assert short(told(pod(container=ContainerStatus(name="server")), template=MOUNTED)) == ("True", "ModelMounted")


def test_a_claim_that_is_not_there_is_told_as_what_it_is() -> None:
    words = 'persistentvolumeclaim "models" not found'
    assert short(told(unscheduled(words), template=MOUNTED)) == ("False", "MissingClaim")


def test_a_server_that_gets_the_model_by_itself_has_it_as_far_as_we_know() -> None:
    found = told(pod(), template=TEMPLATE)
    assert short(found) == ("True", "ModelByName")
    assert URI in found.message


def test_where_the_spec_is_refused_and_nothing_served_before_the_reason_is_that() -> None:
    assert short(no_model(NotAccepted("NoModelSource", "set spec.modelUri"))) == ("False", "NoModelSource")
