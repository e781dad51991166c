"""No room for another server, in the words of scheduler and quota, and whose leaving would help."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aiop.controllers.serving.rollout.room import makes_room, shortage
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.workloads import Pod, PodStatus, ReplicaSet, ReplicaSetStatus, TimedCondition

FULL = (
    "0/3 nodes are available: 1 node(s) had untolerated taint {a: b}, 2 Insufficient nvidia.com/gpu. "
    "preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
)
QUOTA = (
    'pods "bert-1" is forbidden: exceeded quota: gpus, requested: pods=1,requests.nvidia.com/gpu=1, '
    "used: pods=2,requests.nvidia.com/gpu=2, limited: pods=2,requests.nvidia.com/gpu=2"
)
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def unscheduled(words: str, created: str = "2026-01-01T00:00:00Z", reason: str = "Unschedulable") -> Pod:
    told = TimedCondition("PodScheduled", "False", reason, words)
    return Pod(ObjectMeta(name="a", creation_timestamp=created), status=PodStatus(conditions=(told,)))


def refused(words: str, since: str = "2026-01-01T00:00:00Z") -> ReplicaSet:
    told = TimedCondition("ReplicaFailure", "True", "FailedCreate", words, since)
    return ReplicaSet(ObjectMeta(name="a"), ReplicaSetStatus(conditions=(told,)))


def test_a_full_cluster_is_told_in_the_schedulers_words_with_what_is_short_and_since_when() -> None:
    found = shortage([unscheduled(FULL, "2026-01-01T00:05:00Z"), unscheduled(FULL)], [])
    assert found is not None
    assert found.words.startswith("the scheduler finds no room: 0/3 nodes are available")
    assert (found.lacking, found.since) == (frozenset({"nvidia.com/gpu"}), MOMENT)


@pytest.mark.parametrize("words", ["2 Too many pods", "2 node(s) didn't match pod anti-affinity rules"])
def test_nodes_that_are_taken_for_other_reasons_than_resources_are_full_too(words: str) -> None:
    found = shortage([unscheduled(f"0/2 nodes are available: {words}.")], [])
    assert found is not None
    assert found.lacking == frozenset()


@pytest.mark.parametrize(
    "words",
    [
        '0/2 nodes are available: persistentvolumeclaim "models" not found.',
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
        "0/2 nodes are available: 2 node(s) had untolerated taint {a: b}.",
        "no nodes available to schedule pods",
    ],
)
def test_what_no_leaving_server_would_mend_is_no_lack_of_room(words: str) -> None:
    assert shortage([unscheduled(words)], []) is None


def test_a_pod_that_is_held_at_a_gate_lacks_no_room() -> None:
    assert shortage([unscheduled("Insufficient cpu", reason="SchedulingGated")], []) is None


def test_a_pod_of_no_known_age_is_not_waited_for() -> None:
    assert shortage([unscheduled(FULL, created="long ago")], []) is None


def test_a_full_quota_is_told_with_its_name_and_numbers() -> None:
    found = shortage([], [refused(QUOTA)])
    assert found is not None
    assert found.words.startswith("a quota leaves no room: gpus, requested: pods=1,requests.nvidia.com/gpu=1, used:")
    assert (found.lacking, found.since) == (frozenset({"nvidia.com/gpu"}), MOMENT)


def test_another_refusal_is_no_lack_of_room() -> None:
    assert shortage([], [refused('pods "x" is forbidden: violates PodSecurity "restricted:latest"')]) is None


def pod_spec(limits: dict[str, Any], init: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    initial = {"initContainers": [{"name": "fetch-model", "resources": {"limits": init}}]} if init else {}
    return {"containers": [{"name": "server", "resources": {"limits": limits}}], **initial, **fields}


GPU = {"cpu": "4", "nvidia.com/gpu": "1"}


def test_an_equal_server_fits_where_one_leaves() -> None:
    assert makes_room(pod_spec(GPU), pod_spec(GPU), {"nvidia.com/gpu"})


def test_one_that_asks_for_more_of_what_is_short_does_not_fit() -> None:
    assert not makes_room(pod_spec(GPU), pod_spec({"nvidia.com/gpu": "2"}), {"nvidia.com/gpu"})
    assert not makes_room(pod_spec(GPU), pod_spec(GPU, init={"cpu": "8"}), {"cpu"})


def test_one_that_asks_for_more_of_what_is_not_short_fits() -> None:
    assert makes_room(pod_spec(GPU), pod_spec({"cpu": "8", "nvidia.com/gpu": 1}), {"nvidia.com/gpu"})


def test_requests_count_before_limits() -> None:
    modest = {"containers": [{"name": "server", "resources": {"limits": {"cpu": "8"}, "requests": {"cpu": "500m"}}}]}
    assert makes_room(pod_spec({"cpu": "1"}), modest, {"cpu"})


@pytest.mark.parametrize(
    "fields",
    [
        {"nodeSelector": {"pool": "new"}},
        {"tolerations": [{"operator": "Exists"}]},
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}},
    ],
)
def test_one_for_other_nodes_does_not_fit(fields: dict[str, Any]) -> None:
    assert not makes_room(pod_spec(GPU), pod_spec(GPU, **fields), {"nvidia.com/gpu"})


@pytest.mark.parametrize("spoiled", [{"containers": 7}, pod_spec({"cpu": "plenty"}), {"nodeSelector": [1]}])
def test_a_spoiled_record_fits_nothing(spoiled: dict[str, Any]) -> None:
    assert not makes_room(spoiled, pod_spec(GPU), {"cpu"})
