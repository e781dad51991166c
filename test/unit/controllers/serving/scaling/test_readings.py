"""What `status.autoscaling` tells of the readings, and how seldom it is written for them."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.api.aiworkloadstatus import AutoscalingStatus
from aiop.controllers.serving.scaling.plan import ScalingPlan, scaling_plan
from aiop.controllers.serving.scaling.readings import KnownScaling, autoscaling_status, only_readings
from aiop.controllers.serving.scaling.served import Served, Sight
from aiop.controllers.serving.scaling.targets import gpu_measure
from aiop.controllers.serving.settings import ServingSettings
from aiop.runtime.views.owned import AutoscalerStatus
from support.servingspecs import workload_spec
from support.servingworld import BERT

GPU, SLICE = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
MIG = {"limits": {"cpu": 1, "nvidia.com/mig-1g.5gb": 1}}


def plan_of(resources: Any = None, **targets: Any) -> ScalingPlan:
    raw = {**BERT, "autoscaling": {"enabled": True, **(targets or {"targetCPUUtilization": 50})}}
    if resources is not None:
        raw["resources"] = resources
    spec, settings = workload_spec(raw), ServingSettings()
    served = Served(True, Sight.SERVED, gpu_measure(spec, settings).name)
    found = scaling_plan(spec, settings, None, served)
    assert found is not None
    return found


def cpu(percent: int) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": percent}}}


def pods(name: str, value: str) -> dict[str, Any]:
    return {"type": "Pods", "pods": {"metric": {"name": name}, "current": {"averageValue": value}}}


def live_of(*metrics: dict[str, Any], desired: int = 2) -> AutoscalerStatus:
    return msgspec.convert({"desiredReplicas": desired, "currentMetrics": list(metrics)}, AutoscalerStatus)


def told_after(*lives: AutoscalerStatus, plan: ScalingPlan | None = None) -> list[dict[str, Any]]:
    """What the status says after each, each one knowing the last."""
    told: list[dict[str, Any]] = []
    for live in lives:
        known = msgspec.convert(told[-1], KnownScaling) if told else None
        told.append(autoscaling_status(plan or plan_of(), live, known))
        AutoscalingStatus.model_validate(told[-1], extra="forbid")
    return told


def readings(*lives: AutoscalerStatus, plan: ScalingPlan | None = None) -> list[str | None]:
    return [told["metrics"][0].get("current") for told in told_after(*lives, plan=plan)]


def test_each_target_is_told_with_its_reading() -> None:
    plan = plan_of(targetCPUUtilization=50, targetMemoryUtilization=60, targetGPUUtilization=80)
    (told,) = told_after(live_of(cpu(31), pods(GPU, "45500m")), plan=plan)
    assert told["metrics"] == [
        {"name": "cpu", "current": "31%", "target": "50%"},
        {"name": "memory", "target": "60%"},
        {"name": GPU, "current": "46%", "target": "80%"},
    ]


@pytest.mark.parametrize(("value", "percent"), [("450m", "45%"), ("1", "100%"), ("0", "0%"), ("2500u", "0%")])
def test_the_ratio_of_a_slice_is_told_in_percent(value: str, percent: str) -> None:
    plan = plan_of(MIG, targetGPUUtilization=80)
    assert readings(live_of(pods(SLICE, value)), plan=plan) == [percent]


@pytest.mark.parametrize("value", ["", "-1", "nonsense", "9223372036854775794", "1e999999999", "1e999999", "٣"])
def test_what_is_no_reading_is_not_told(value: str) -> None:
    assert readings(live_of(pods(GPU, value)), plan=plan_of(targetGPUUtilization=80)) == [None]
    assert readings(live_of(pods(SLICE, value)), plan=plan_of(MIG, targetGPUUtilization=80)) == [None]


def test_a_reading_that_moved_by_less_than_a_tenth_of_the_target_is_told_as_it_was() -> None:
    lives = [live_of(cpu(each)) for each in (40, 44, 36, 43, 45, 44, 35)]
    assert readings(*lives) == ["40%", "40%", "40%", "40%", "45%", "45%", "35%"]


def test_another_number_of_servers_tells_the_readings_afresh() -> None:
    assert readings(live_of(cpu(40)), live_of(cpu(41), desired=3)) == ["40%", "41%"]


def test_readings_of_other_metrics_are_none_of_ours() -> None:
    others = [pods(f"other_{number}", "1") for number in range(1000)]
    (told,) = told_after(live_of(*others, cpu(10)))
    assert told["metrics"] == [{"name": "cpu", "current": "10%", "target": "50%"}]


@given(st.text(max_size=30), st.integers(0, 200))
def test_whatever_a_status_told_before_the_next_one_makes_sense(last: str, percent: int) -> None:
    known = msgspec.convert({"desired": 2, "metrics": [{"name": "cpu", "current": last}]}, KnownScaling)
    told = autoscaling_status(plan_of(), live_of(cpu(percent)), known)
    number = int(told["metrics"][0]["current"].removesuffix("%"))
    assert abs(number - percent) < 5


BEFORE: dict[str, Any] = {
    "replicas": 2,
    "autoscaling": {"desired": 2, "reason": "one", "metrics": [{"name": "cpu", "current": "1%", "target": "50%"}]},
    "conditions": [
        {"type": "Ready", "status": "True", "message": "one"},
        {"type": "ScalingActive", "status": "False", "message": "The autoscaler waits: one. A note."},
    ],
}


def after(**scaling: Any) -> dict[str, Any]:
    return {**BEFORE, "autoscaling": {**BEFORE["autoscaling"], **scaling}}


def test_readings_and_the_autoscalers_words_are_all_that_may_wait() -> None:
    assert only_readings(BEFORE, after(metrics=[]))
    said = after(reason="two")
    said["conditions"] = [BEFORE["conditions"][0], {**BEFORE["conditions"][1]}]
    said["conditions"][1]["message"] = "The autoscaler waits: two. A note."
    assert only_readings(BEFORE, said)
    assert not only_readings(BEFORE, after(desired=3))
    assert not only_readings(BEFORE, {**BEFORE, "replicas": 3})
    said["conditions"][1]["message"] = "The autoscaler waits: two. Another note."
    assert not only_readings(BEFORE, said)
    said["conditions"][0] = {**BEFORE["conditions"][0], "message": "two"}
    assert not only_readings(BEFORE, said)
