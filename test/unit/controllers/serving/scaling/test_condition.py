"""ScalingActive in every situation: who sets the number, by what, and what holds it back."""

from typing import Any

import msgspec

from aiop.controllers.serving.scaling.condition import scaling_active
from aiop.controllers.serving.scaling.plan import ScalingPlan, scaling_plan
from aiop.controllers.serving.scaling.served import NOT_LOOKED, Served, Sight
from aiop.controllers.serving.settings import ServingSettings
from aiop.runtime.conditions.condition import Condition
from aiop.runtime.views.owned import AutoscalerStatus
from support.servingspecs import workload_spec
from support.servingworld import BERT

FINE = {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound", "message": "calculated from cpu"}
UNABLE = {"type": "AbleToScale", "status": "False", "reason": "FailedGetScale", "message": "no scale subresource."}
LOST = Served(False, Sight.NO_API, "DCGM_FI_DEV_GPU_UTIL")


def plan_of(live: list[str] | None = None, gpu: Served = NOT_LOOKED, **fields: Any) -> ScalingPlan | None:
    scaling = {"enabled": True, "minReplicas": 2, "maxReplicas": 5, **fields}
    return scaling_plan(workload_spec({**BERT, "autoscaling": scaling}), ServingSettings(), live, gpu)


def live_of(*conditions: dict[str, Any]) -> AutoscalerStatus:
    return msgspec.convert({"conditions": list(conditions)}, AutoscalerStatus)


def told(plan: ScalingPlan | None, live: AutoscalerStatus | None = None, *, refused: bool = False) -> Condition:
    return scaling_active(plan, live, refused=refused)


def test_an_autoscaler_that_works_says_its_aims_its_bounds_and_that_kubectl_scale_changes_nothing() -> None:
    found = told(plan_of(targetCPUUtilization=75, targetMemoryUtilization=60), live_of(FINE))
    assert (found.status, found.reason) == ("True", "AutoscalerActive")
    assert found.message == (
        "The aim is CPU 75 % and memory 60 %, between 2 and 5 servers, spec.replicas being the number to begin with; "
        "kubectl scale changes nothing."
    )


def test_an_autoscaler_that_waits_says_why_in_its_own_words_and_that_kubectl_scale_changes_nothing() -> None:
    found = told(plan_of(), live_of({**FINE, "status": "False", "message": "no metrics known for any pods"}))
    assert (found.status, found.reason) == ("False", "AutoscalerWaiting")
    assert found.message.startswith("The autoscaler waits: no metrics known for any pods. ")
    assert "kubectl scale changes nothing" in found.message
    assert "it has not looked yet" in told(plan_of()).message


def test_what_keeps_the_autoscaler_from_scaling_goes_before_what_it_reads() -> None:
    found = told(plan_of(), live_of(FINE, UNABLE))
    assert (found.status, found.reason) == ("False", "AutoscalerBlocked")
    assert found.message.startswith("The autoscaler cannot scale: no scale subresource. ")


def test_a_load_beyond_the_maximum_is_told_by_a_reason_of_its_own() -> None:
    words = "the desired replica count is more than the maximum replica count"
    limited = {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "message": words}
    found = told(plan_of(), live_of(FINE, limited))
    assert (found.status, found.reason) == ("True", "AtMaximum")
    assert f"It is limited: {words}." in found.message
    assert told(plan_of(), live_of(FINE, {**limited, "status": "False"})).reason == "AutoscalerActive"


def test_a_pace_that_holds_it_back_is_told_and_the_minimum_is_not() -> None:
    limited = {"type": "ScalingLimited", "status": "True", "reason": "ScaleUpLimit", "message": "increasing too fast"}
    found = told(plan_of(), live_of(FINE, limited))
    assert found.reason == "AutoscalerActive"
    assert "It is limited: increasing too fast." in found.message
    least = {**limited, "reason": "TooFewReplicas", "message": "less than the minimum"}
    assert "limited" not in told(plan_of(), live_of(FINE, least)).message


def test_without_any_readable_target_spec_replicas_counts_and_it_says_so() -> None:
    found = told(plan_of(None, LOST, targetGPUUtilization=80))
    assert (found.status, found.reason) == ("False", "NoUsableMetric")
    assert "this cluster has no API custom.metrics.k8s.io" in found.message
    assert "until then spec.replicas sets the number of servers, between 2 and 5" in found.message


def test_an_autoscaler_that_lost_its_only_metric_holds_the_number_and_it_says_so() -> None:
    found = told(plan_of(["DCGM_FI_DEV_GPU_UTIL"], LOST, targetGPUUtilization=80), live_of(FINE))
    assert (found.status, found.reason) == ("False", "NoUsableMetric")
    assert "keeps the number of servers as it is" in found.message
    assert "spec.replicas" not in found.message


def test_what_was_left_out_is_told_beside_what_works() -> None:
    found = told(plan_of(None, LOST, targetCPUUtilization=75, targetGPUUtilization=80), live_of(FINE))
    assert (found.status, found.reason) == ("True", "AutoscalerActive")
    assert "The aim is CPU 75 %, between" in found.message
    assert "targetGPUUtilization 80 is left out: this cluster has no API" in found.message


def test_a_page_of_an_error_is_cut_and_put_on_one_line() -> None:
    found = told(plan_of(), live_of({**FINE, "status": "False", "message": "broken:\n" + "x" * 100_000}))
    assert len(found.message) < 1000
    assert "\n" not in found.message


def test_under_a_bad_spec_the_last_autoscaler_goes_on_and_without_one_nothing_scales() -> None:
    assert told(None, live_of(FINE), refused=True).status == "True"
    assert told(None, None, refused=True).reason == "AutoscalingOff"
    assert told(None).reason == "AutoscalingOff"
