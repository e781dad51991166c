"""Amounts in PodSpecs: read, put in, compared; and which changes a running pod takes."""

from typing import Any

import pytest

from aiop.controllers.serving.resize.amounts import (
    agrees,
    amounts_of,
    apart_from_amounts,
    read_amounts,
    shown,
    with_amounts,
    written,
)
from aiop.controllers.serving.resize.restart import (
    only_resources_differ,
    quality,
    restart_needed,
    same_pod,
    told,
)
from aiop.runtime.views.workloads import Amounts, Container, Resources


def pod_of(limits: dict[str, str], requests: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    resources = {"limits": limits} | ({"requests": requests} if requests else {})
    return {"containers": [{"name": "server", "image": "a", "resources": resources}], **more}


def test_a_request_that_is_not_named_is_the_limit() -> None:
    assert amounts_of(pod_of({"cpu": "2", "nvidia.com/gpu": "1"}, {"memory": "1Gi"})) == {
        "server": {"limits.cpu": "2", "requests.cpu": "2", "requests.memory": "1Gi"}
    }


def test_new_amounts_leave_everything_else_as_it_is() -> None:
    old = pod_of({"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1"}, volumes=[{"name": "v"}])
    new = with_amounts(old, amounts_of(pod_of({"cpu": "2", "memory": "2Gi"})))
    assert new["containers"][0]["resources"] == {
        "limits": {"cpu": "2", "memory": "2Gi", "nvidia.com/gpu": "1"},
        "requests": {"cpu": "2", "memory": "2Gi"},
    }
    assert apart_from_amounts(new) == apart_from_amounts(old)
    assert old["containers"][0]["resources"]["limits"]["cpu"] == "1"


def test_amounts_agree_however_they_are_written() -> None:
    live = shown([Container("server", Resources(Amounts("2000m", "1024Mi"), Amounts("2", "1Gi")))])
    assert agrees(live, amounts_of(pod_of({"cpu": "2", "memory": "1Gi"})))
    assert not agrees(live, amounts_of(pod_of({"cpu": "2", "memory": "2Gi"})))
    assert not agrees({}, amounts_of(pod_of({"cpu": "2"})))


def test_what_an_annotation_says_is_read_back_and_nonsense_is_not() -> None:
    amounts = amounts_of(pod_of({"cpu": "2"}))
    assert read_amounts(written([amounts])) == (amounts,)
    for nonsense in ("", "[", "[1]", '[{"server": {"image": "evil"}}]', '{"server": {}}'):
        assert read_amounts(nonsense) == ()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (pod_of({"cpu": "1"}), pod_of({"cpu": "2"}), ""),
        (pod_of({"cpu": "1", "memory": "1Gi"}), pod_of({"cpu": "2", "memory": "4Gi"}), ""),
        (pod_of({"cpu": "1"}), pod_of({"cpu": "1", "nvidia.com/gpu": "1"}), "another resource"),
        (pod_of({"cpu": "1", "memory": "1Gi"}), pod_of({"cpu": "1"}), "limits.memory and requests.memory cannot be"),
        (pod_of({}), pod_of({"cpu": "1"}), "from BestEffort to Burstable"),
        (
            pod_of({"cpu": "2", "memory": "1Gi"}),
            pod_of({"cpu": "2", "memory": "1Gi"}, {"cpu": "1"}),
            "from Guaranteed to Burstable",
        ),
    ],
)
def test_what_a_running_pod_does_not_take_is_named(old: dict[str, Any], new: dict[str, Any], why: str) -> None:
    assert only_resources_differ(old, new)
    assert why in restart_needed(old, new)
    assert bool(restart_needed(old, new)) is bool(why)


def test_an_initial_container_counts_with_what_it_had_when_the_pod_was_made() -> None:
    old = pod_of({"cpu": "1", "memory": "1Gi"}, initContainers=pod_of({"cpu": "1"})["containers"])
    new = pod_of({"cpu": "1", "memory": "1Gi"}, initContainers=pod_of({"cpu": "2", "memory": "1Gi"})["containers"])
    new["initContainers"][0]["name"] = old["initContainers"][0]["name"] = "fetch"
    assert quality(old) == "Burstable"
    assert restart_needed(old, new) == ""


def test_another_image_is_no_matter_of_amounts() -> None:
    other = pod_of({"cpu": "2"})
    other["containers"][0]["image"] = "b"
    assert not only_resources_differ(pod_of({"cpu": "1"}), other)
    assert not same_pod(pod_of({"cpu": "1"}), pod_of({"cpu": "2"}))
    assert same_pod(pod_of({"cpu": "1"}), pod_of({"cpu": "1000m"}, {"cpu": "1"}))


def test_limit_and_request_that_change_alike_are_told_once() -> None:
    before = amounts_of(pod_of({"cpu": "1", "memory": "1Gi"}))
    assert told(before, amounts_of(pod_of({"cpu": "2", "memory": "1Gi"}))) == "cpu from 1 to 2"
    after = amounts_of(pod_of({"cpu": "2", "memory": "1Gi"}, {"cpu": "1"}))
    assert told(before, after) == "cpu limit from 1 to 2"
