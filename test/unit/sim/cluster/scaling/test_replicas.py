"""How many replicas CPU asks for, to the number."""

from datetime import UTC, datetime

import pytest

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.scaling.errors import NoMetric
from aiop.sim.cluster.scaling.replicas import ResourceTarget, proposal
from support.podmeasures import MIB, MadeUpMetrics, measured_pod

# An hour after the pods started: past every period of grace.
LATER = datetime(2026, 1, 1, 1, tzinfo=UTC)
EARLY = datetime(2026, 1, 1, 0, 2, tzinfo=UTC)
CPU_75 = ResourceTarget("cpu", utilization=75)


def asked(use: list[int | None], *, target: ResourceTarget = CPU_75, now: datetime = LATER, **pods: str) -> int:
    """Replicas for pods that use so many thousandths; None: not measured. ``p1="Pending"`` gives a pod its phase."""
    known = {ObjectKey("team", f"p{number}"): used for number, used in enumerate(use)}
    metrics = MadeUpMetrics(now, {key: used for key, used in known.items() if used is not None})
    objects = [measured_pod(key.name, phase=pods.get(key.name, "Running")) for key in known]
    return proposal(objects, metrics.of, target, len(use), now).replicas


@pytest.mark.parametrize(
    ("use", "wanted"),
    [
        ([750], 1),
        ([825], 1),  # 82 % of 75 % is within a tenth
        ([830], 2),  # 83 % is not
        ([2000], 3),
        ([750, 750], 2),
        ([300, 300], 1),
        ([670, 680], 2),  # 67 %: 0.89
        ([680, 680], 2),
        ([0, 0, 0], 0),
        ([1500, 0, 0], 2),
    ],
)
def test_the_ratio_to_the_target_times_the_pods_rounded_up_outside_the_tolerance(use: list[int], wanted: int) -> None:
    assert asked(list(use)) == wanted


def test_pods_that_were_not_measured_hold_a_scale_down_back_and_count_nothing_in_a_scale_up() -> None:
    assert asked([100, 100, None, None]) == 3  # 10 % each, and 100 % for the missing: 55 of 75, of four pods
    assert asked([1500, None]) == 2  # 150 % and nothing: just at the target
    assert asked([3000, None]) == 4
    assert asked([800, None]) == 2  # the direction would flip


def test_pods_that_start_do_not_drive_a_scale_up() -> None:
    assert asked([3000, 3000], p1="Pending") == 4
    assert asked([863] * 10, p9="Pending") == 10  # nine at 1.15 of the target are ten at 1.03
    assert asked([100, 900], p1="Pending") == 1


def test_what_a_pod_used_before_it_was_ready_does_not_count() -> None:
    key, fresh = ObjectKey("team", "a"), "2026-01-01T00:01:50Z"
    pods = [measured_pod("a", since=fresh), measured_pod("b")]
    metrics = MadeUpMetrics(EARLY, {key: 900, ObjectKey("team", "b"): 300}, window_seconds=15)
    assert proposal(pods, metrics.of, CPU_75, 2, EARLY).replicas == 1
    metrics.window_seconds = 5
    assert proposal(pods, metrics.of, CPU_75, 2, EARLY).replicas == 2


def test_terminating_and_failed_pods_do_not_count() -> None:
    pods = [measured_pod("a"), measured_pod("b", phase="Failed"), measured_pod("c", deletionTimestamp="now")]
    metrics = MadeUpMetrics(LATER, {ObjectKey("team", name): 2000 for name in "abc"})
    assert proposal(pods, metrics.of, CPU_75, 1, LATER).replicas == 3


def test_an_average_value_needs_no_request() -> None:
    pods = [measured_pod("a", request={}), measured_pod("b", request={})]
    metrics = MadeUpMetrics(LATER, {ObjectKey("team", name): 900 for name in "ab"})
    found = proposal(pods, metrics.of, ResourceTarget("cpu", average=500), 2, LATER)
    assert (found.replicas, found.average, found.utilization) == (4, 900, None)
    found = proposal(pods, metrics.of, ResourceTarget("memory", average=50 * MIB * 1000), 2, LATER)
    assert found.replicas == 4


def test_a_container_is_measured_alone() -> None:
    pod = measured_pod("a")
    pod["spec"]["containers"].append({"name": "side", "resources": {}})
    found = proposal(
        [pod], MadeUpMetrics(LATER, {ObjectKey("team", "a"): 1500}).of, ResourceTarget("cpu", "main", 75), 1, LATER
    )
    assert (found.replicas, found.utilization) == (2, 150)
    with pytest.raises(NoMetric, match="no metrics returned"):
        proposal(
            [pod], MadeUpMetrics(LATER, {ObjectKey("team", "a"): 1}).of, ResourceTarget("cpu", "side", 75), 1, LATER
        )


def test_utilization_is_told_in_percent_of_the_request() -> None:
    found = proposal(
        [measured_pod("a", request={"cpu": "500m"})],
        MadeUpMetrics(LATER, {ObjectKey("team", "a"): 1234}).of, CPU_75, 1, LATER,
    )  # fmt: skip
    assert (found.utilization, found.average) == (246, 1234)


@pytest.mark.parametrize(
    ("pods", "use", "words"),
    [
        ([], {}, "no pods returned by selector while calculating replica count"),
        ([measured_pod("a")], {}, "no metrics returned from resource metrics API"),
        ([measured_pod("a", phase="Pending")], {}, "did not receive metrics for targeted pods"),
        ([measured_pod("a", request={})], {"a": 1}, "missing request for cpu in container main of Pod a"),
    ],
)
def test_what_is_missing_is_said(pods: list[dict[str, object]], use: dict[str, int], words: str) -> None:
    metrics = MadeUpMetrics(LATER, {ObjectKey("team", name): used for name, used in use.items()})
    with pytest.raises(NoMetric, match=words) as caught:
        proposal(pods, metrics.of, CPU_75, 1, LATER)
    assert caught.value.reason == "FailedGetResourceMetric"
