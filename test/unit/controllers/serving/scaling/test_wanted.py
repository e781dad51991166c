"""Which workloads are looked at."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.controllers.serving.scaling.wanted import by_gpu_target
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta


def workload(spec: Any, **meta: Any) -> CustomObject:
    return CustomObject(ObjectMeta(name="n", **meta), spec if isinstance(spec, bytes) else msgspec.json.encode(spec))


@pytest.mark.parametrize(
    ("autoscaling", "expected"),
    [
        ({"enabled": True, "targetGPUUtilization": 80}, True),
        ({"enabled": False, "targetGPUUtilization": 80}, False),
        ({"targetGPUUtilization": 80}, False),
        ({"enabled": True, "targetCPUUtilization": 80}, False),
        ({"enabled": True, "targetGPUUtilization": None}, False),
        (None, False),
    ],
)
def test_a_workload_with_a_gpu_target_that_is_on(autoscaling: Any, expected: bool) -> None:
    assert bool(by_gpu_target(workload({"modelName": "m", "autoscaling": autoscaling}))) is expected


def test_none_that_is_being_deleted() -> None:
    spec = {"autoscaling": {"enabled": True, "targetGPUUtilization": 80}}
    assert not by_gpu_target(workload(spec, deletion_timestamp="2026-01-01T00:00:00Z"))


@given(
    st.binary(max_size=30) | st.dictionaries(st.just("autoscaling"), st.integers() | st.text()).map(msgspec.json.encode)
)
def test_none_whose_spec_makes_no_sense(spec: bytes) -> None:
    assert by_gpu_target(workload(spec)) == ()


def test_none_that_is_nested_beyond_reason() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert by_gpu_target(workload(b'{"x":' + deep + b"}")) == ()
