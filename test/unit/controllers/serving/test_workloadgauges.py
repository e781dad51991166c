"""What Prometheus is told of a workload: what its status says, and nothing that somebody else made up."""

from typing import Any

import msgspec
import pytest

from aiop.controllers.serving.reasons import REASONS
from aiop.controllers.serving.workloadgauges import (
    CONDITION,
    CONDITION_TYPES,
    CREATED,
    DESIRED,
    EXISTING,
    INFO,
    OTHER_REASON,
    READY,
    REASON,
    SCALING_DESIRED,
    SCALING_MAX,
    SCALING_MIN,
    SINCE,
    WORKLOAD_GAUGES,
    workload_samples,
)
from aiop.runtime.manager.objectgauges import ObjectGauge
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta

READY_SINCE = {"type": "Ready", "status": "True", "reason": "Serving", "lastTransitionTime": "2026-01-01T00:00:00Z"}


def samples(
    status: dict[str, Any] | bytes, spec: dict[str, Any] | bytes = b"{}", deleted: str = ""
) -> dict[tuple[str, ...], float]:
    created = "2025-12-31T23:59:00Z"
    meta = ObjectMeta(name="bert", namespace="team", creation_timestamp=created, deletion_timestamp=deleted)
    written = [each if isinstance(each, bytes) else msgspec.json.encode(each) for each in (spec, status)]
    found = [((each.gauge.name, *each.labels), each.value) for each in workload_samples(CustomObject(meta, *written))]
    assert len(dict(found)) == len(found), "a series stands there twice"
    return dict(found)


def only(found: dict[tuple[str, ...], float], gauge: ObjectGauge) -> dict[tuple[str, ...], float]:
    return {name[1:]: value for name, value in found.items() if name[0] == gauge.name}


def test_a_condition_is_1_while_true_with_its_reason_and_since_when() -> None:
    found = samples({"conditions": [READY_SINCE]})
    assert only(found, CONDITION) == {(kind,): kind == "Ready" for kind in CONDITION_TYPES}
    assert only(found, REASON) == {("Ready", "Serving"): 1}
    assert only(found, SINCE) == {("Ready",): 1767225600}
    assert only(found, CREATED) == {(): 1767225540}


@pytest.mark.parametrize("status", ["False", "Unknown", "true", ""])
def test_a_condition_that_is_not_true_is_0(status: str) -> None:
    found = samples({"conditions": [{**READY_SINCE, "status": status}]})
    assert only(found, CONDITION)["Ready",] == 0


def test_replicas_are_those_of_the_status() -> None:
    versions = [{"name": "v1", "desired": 2, "runtime": "triton"}, {"name": "v2", "desired": 1, "runtime": "vllm"}]
    found = samples({"replicas": 4, "readyReplicas": 3, "version": "v2", "versions": versions}, {"framework": "ONNX"})
    assert only(found, INFO) == {("v2", "vllm", "ONNX"): 1}
    assert (only(found, DESIRED), only(found, EXISTING), only(found, READY)) == ({(): 3}, {(): 4}, {(): 3})


def test_bounds_of_the_autoscaler_show_only_while_it_is_enabled() -> None:
    spec = {"autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 5}}
    found = samples({"autoscaling": {"desired": 3}}, spec)
    scaling = (SCALING_MIN, SCALING_DESIRED, SCALING_MAX)
    assert [only(found, each) for each in scaling] == [{(): 2}, {(): 3}, {(): 5}]
    spec["autoscaling"]["enabled"] = False
    assert [only(samples({}, spec), each) for each in scaling] == [{}, {}, {}]


def test_a_workload_that_goes_has_no_series() -> None:
    assert samples({"conditions": [READY_SINCE]}, deleted="2026-01-01T00:00:00Z") == {}


@pytest.mark.parametrize("nonsense", [b"{}", b"[]", b"null", b"{", b'{"conditions": 1}', b"[" * 100_000])
def test_a_status_and_a_spec_without_sense_show_as_an_empty_one(nonsense: bytes) -> None:
    found = samples(nonsense, nonsense)
    assert only(found, CONDITION) == {(kind,): 0 for kind in CONDITION_TYPES}
    assert only(found, INFO) == {("", "", ""): 1}


def test_a_status_that_somebody_else_wrote_adds_no_series() -> None:
    made_up = [
        {**READY_SINCE, "reason": "MadeUp"},
        {**READY_SINCE, "type": "MadeUp"},
        {**READY_SINCE, "reason": "Healthy", "type": "Ready"},
    ]
    found = samples({"conditions": made_up})
    assert only(found, REASON) == {("Ready", OTHER_REASON): 1}
    assert {name[0] for name in only(found, CONDITION)} == set(CONDITION_TYPES)


@pytest.mark.parametrize("time", ["", "soon", "2026-01-01", "0001-01-01T00:00:00+23:59", "9" * 1000])
def test_a_time_that_makes_no_sense_is_left_out(time: str) -> None:
    found = only(samples({"conditions": [{**READY_SINCE, "lastTransitionTime": time}]}), SINCE)
    assert all(-1e12 < value < 1e12 for value in found.values())
    assert len(found) == (1 if "+" in time else 0)


def test_the_number_of_series_of_a_workload_is_as_documented() -> None:
    every = [
        {
            "type": reason.conditions[0],
            "status": "True",
            "reason": reason.name,
            "lastTransitionTime": "2026-01-01T00:00Z",
        }
        for reason in REASONS
    ]
    assert len(samples({"conditions": every})) <= 3 * len(CONDITION_TYPES) + len(WORKLOAD_GAUGES) - 3
