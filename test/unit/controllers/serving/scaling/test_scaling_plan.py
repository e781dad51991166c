"""Which targets an autoscaler gets, what is said of the others, and that what is stored is what was meant."""

import copy
from collections.abc import Collection
from typing import Any

import kubernetes_validate
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.controllers.serving.children.autoscaler import autoscaler
from aiop.controllers.serving.scaling.plan import ScalingPlan, scaling_plan
from aiop.controllers.serving.scaling.served import NOT_LOOKED, Served, Sight, why_left_out
from aiop.controllers.serving.settings import ServingSettings
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.drift import says
from support.servingspecs import amounts, workload_spec
from support.servingworld import BERT

KEY = ObjectKey("team", "bert")
GPU, SLICE = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
SERVED, MISSING = Served(True, Sight.SERVED, GPU), Served(False, Sight.NO_SAMPLE, GPU)
MIG = {"limits": {"cpu": 1, "nvidia.com/mig-1g.5gb": 1}}


def plan_of(
    resources: Any = None, *, live: Collection[str] | None = None, gpu: Served = NOT_LOOKED, **fields: Any
) -> ScalingPlan:
    raw = {**BERT, "autoscaling": {"enabled": True, **fields}}
    if resources is not None:
        raw["resources"] = resources
    found = scaling_plan(workload_spec(raw), ServingSettings(), live, gpu)
    assert found is not None
    return found


def made(plan: ScalingPlan) -> dict[str, Any]:
    """The autoscaler's spec as it is sent."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(autoscaler(KEY, plan, "bert-1").body["spec"]))
    return found


def names(plan: ScalingPlan) -> list[str]:
    return [target.measure.name for target in plan.targets]


def test_autoscaling_that_is_off_comes_to_nothing() -> None:
    assert scaling_plan(workload_spec(BERT), ServingSettings()) is None
    assert scaling_plan(workload_spec({**BERT, "autoscaling": {"enabled": False}}), ServingSettings()) is None


def test_cpu_and_memory_are_aimed_at_together() -> None:
    plan = plan_of(targetCPUUtilization=75, targetMemoryUtilization=60)
    assert made(plan)["metrics"] == [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 75}}},
        {
            "type": "Resource",
            "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 60}},
        },
    ]
    assert plan.notes == ()


@pytest.mark.parametrize(
    ("field", "resource"), [("targetCPUUtilization", "cpu"), ("targetMemoryUtilization", "memory")]
)
@pytest.mark.parametrize(
    "nothing", [{}, {"limits": {"cpu": 0, "memory": "0Mi"}}, {"requests": {"cpu": 0, "memory": 0}}]
)
def test_percent_of_nothing_is_left_out_and_the_fix_named(field: str, resource: str, nothing: Any) -> None:
    target: dict[str, Any] = {field: 75}
    plan = plan_of(nothing, **target)
    assert not plan.active
    assert any(f"{field} 75 is left out" in note and f"resources.requests.{resource}" in note for note in plan.notes)


def test_one_target_that_cannot_be_read_does_not_keep_the_other_from_working() -> None:
    plan = plan_of({"requests": {"memory": "1Gi"}}, targetCPUUtilization=75, targetMemoryUtilization=60)
    assert names(plan) == ["memory"]
    assert plan.readable


def test_no_target_at_all_means_kubernetes_own_default() -> None:
    assert [str(target) for target in plan_of().targets] == ["CPU 80 %"]


def test_memory_alone_is_memory_alone() -> None:
    assert names(plan_of(targetMemoryUtilization=60)) == ["memory"]


def test_a_gpu_target_that_is_served_is_a_metric_of_pods_in_percent() -> None:
    plan = plan_of(gpu=SERVED, targetCPUUtilization=75, targetGPUUtilization=80)
    assert made(plan)["metrics"][1] == {
        "type": "Pods",
        "pods": {"metric": {"name": GPU}, "target": {"type": "AverageValue", "averageValue": "80"}},
    }
    assert plan.notes == ()


@pytest.mark.parametrize(
    ("percent", "amount"), [(80, "800m"), (100, "1"), (1, "10m"), (99, "990m"), (50, "500m"), (5, "50m")]
)
def test_the_target_of_a_slice_of_a_gpu_is_a_ratio_in_its_canonical_form(percent: int, amount: str) -> None:
    plan = plan_of(MIG, gpu=Served(True, Sight.SERVED, SLICE), targetGPUUtilization=percent)
    (metric,) = made(plan)["metrics"]
    assert metric["pods"]["metric"] == {"name": SLICE}
    assert metric["pods"]["target"] == {"type": "AverageValue", "averageValue": amount}


@pytest.mark.parametrize(
    ("gpu", "expected"),
    [
        ({"mig": "1g.5gb"}, SLICE),
        ({"product": ["NVIDIA-A100-SXM4-40GB-MIG-1g.5gb"]}, SLICE),
        ({"product": ["NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", "NVIDIA-L4"]}, GPU),
        ({"product": ["NVIDIA-L4"]}, GPU),
        ({"memory": "24Gi"}, GPU),
    ],
)
def test_which_metric_counts_depends_on_the_kind_of_gpu(gpu: Any, expected: str) -> None:
    raw = {**BERT, "resources": {}, "gpu": gpu, "autoscaling": {"enabled": True, "targetGPUUtilization": 80}}
    plan = scaling_plan(workload_spec(raw), ServingSettings(), None, Served(True, Sight.SERVED, expected))
    assert plan is not None
    assert names(plan) == [expected]


def test_an_administrators_metrics_take_the_place_of_dcgms() -> None:
    own = ServingSettings(gpu_metric="gpu_busy", gpu_metric_mig="slice_busy")
    for resources, expected in ((BERT["resources"], "gpu_busy"), (MIG, "slice_busy")):
        raw = {**BERT, "resources": resources, "autoscaling": {"enabled": True, "targetGPUUtilization": 80}}
        plan = scaling_plan(workload_spec(raw), own, None, Served(True, Sight.SERVED, expected))
        assert plan is not None
        assert names(plan) == [expected]


@pytest.mark.parametrize("sight", [sight for sight in Sight if sight is not Sight.SERVED])
def test_a_gpu_target_that_is_not_served_is_left_out_with_its_own_reason(sight: Sight) -> None:
    plan = plan_of(gpu=Served(False, sight, GPU), targetCPUUtilization=75, targetGPUUtilization=80)
    assert names(plan) == ["cpu"]
    (note,) = plan.notes
    assert note == f"targetGPUUtilization 80 is left out: {why_left_out(sight, GPU)}."


def test_no_two_causes_have_one_sentence() -> None:
    sentences = {why_left_out(sight, GPU) for sight in Sight if sight is not Sight.SERVED}
    assert len(sentences) == len(Sight) - 1
    assert all(GPU in sentence for sentence in sentences)


def test_while_it_is_undecided_the_autoscaler_keeps_what_it_has() -> None:
    fields: dict[str, Any] = {"targetCPUUtilization": 75, "targetGPUUtilization": 80}
    undecided = Served(None, Sight.UNREADABLE, GPU)
    assert names(plan_of(gpu=undecided, live=["cpu", GPU], **fields)) == ["cpu", GPU]
    assert names(plan_of(gpu=undecided, live=["cpu"], **fields)) == ["cpu"]
    assert names(plan_of(gpu=undecided, live=None, **fields)) == ["cpu"]
    assert names(plan_of(gpu=MISSING, live=["cpu", GPU], **fields)) == ["cpu"]


def test_what_is_known_of_another_metric_does_not_count() -> None:
    plan = plan_of(MIG, gpu=SERVED, live=["cpu"], targetCPUUtilization=75, targetGPUUtilization=80)
    assert names(plan) == ["cpu"]
    assert any(f"not known yet whether this cluster serves the metric {SLICE}" in note for note in plan.notes)


def test_a_gpu_target_alone_that_was_never_served_makes_no_autoscaler() -> None:
    plan = plan_of(gpu=MISSING, targetGPUUtilization=80)
    assert not plan.active
    assert not plan.readable


def test_an_autoscaler_that_has_nothing_left_to_read_is_kept_so_that_the_number_stays() -> None:
    plan = plan_of(gpu=MISSING, live=[GPU], targetGPUUtilization=80)
    assert plan.active
    assert not plan.readable
    assert names(plan) == [GPU]


def test_replicas_outside_the_bounds_are_said_to_be_only_a_beginning() -> None:
    assert any("spec.replicas 2" in note for note in plan_of(minReplicas=3, maxReplicas=4).notes)
    assert plan_of(minReplicas=1, maxReplicas=4).notes == ()


def test_an_autoscaler_aims_at_one_deployment_within_the_bounds() -> None:
    found = made(plan_of(minReplicas=2, maxReplicas=5))
    assert (found["minReplicas"], found["maxReplicas"]) == (2, 5)
    assert found["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "bert-1"}


# Behaviour.

POLICY = {"type": "Pods", "value": 2, "periodSeconds": 60}
# What the API server makes of a behaviour with anything in it: everything (its own defaults).
UP = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
DOWN = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}

behaviors: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        direction: st.fixed_dictionaries(
            {},
            optional={
                "stabilizationWindowSeconds": st.integers(0, 3600),
                "selectPolicy": st.sampled_from(["Max", "Min", "Disabled"]),
                "policies": st.lists(
                    st.fixed_dictionaries(
                        {
                            "type": st.sampled_from(["Pods", "Percent"]),
                            "value": st.integers(1, 100000),
                            "periodSeconds": st.integers(1, 1800),
                        }
                    ),
                    min_size=1,
                    max_size=8,
                ),
            },
        )
        for direction in ("scaleUp", "scaleDown")
    },
)


def stored(spec: dict[str, Any]) -> dict[str, Any]:
    """As the API server keeps it: with its defaults in every gap."""
    kept = copy.deepcopy(spec)
    if "behavior" in kept:
        for direction, defaults in (("scaleUp", UP), ("scaleDown", DOWN)):
            kept["behavior"][direction] = {**defaults, **kept["behavior"].get(direction, {})}
    return kept


def test_a_behaviour_is_carried_over_word_for_word() -> None:
    behavior = {
        "scaleUp": {"stabilizationWindowSeconds": 30, "selectPolicy": "Min", "policies": [POLICY]},
        "scaleDown": {"selectPolicy": "Disabled"},
    }
    assert made(plan_of(behavior=behavior))["behavior"] == behavior


@pytest.mark.parametrize("nothing", [None, {}, {"scaleUp": {}}, {"scaleUp": {}, "scaleDown": {}}])
def test_a_behaviour_that_says_nothing_is_left_to_the_server(nothing: Any) -> None:
    fields: dict[str, Any] = {} if nothing is None else {"behavior": nothing}
    assert "behavior" not in made(plan_of(**fields))


@given(behaviors)
def test_what_the_server_adds_to_a_behaviour_never_looks_like_a_difference(behavior: dict[str, Any]) -> None:
    wanted = made(plan_of(behavior=behavior))
    assert says(stored(wanted), wanted)


def test_a_behaviour_edited_by_hand_does() -> None:
    wanted = made(plan_of(behavior={"scaleUp": {"policies": [POLICY]}}))
    edited = stored(wanted)
    edited["behavior"]["scaleUp"]["policies"][0]["value"] = 9
    assert not says(edited, wanted)


# Any spec, any sight.

scalings = st.fixed_dictionaries(
    {"enabled": st.just(True), "minReplicas": st.integers(1, 3), "maxReplicas": st.integers(3, 1000)},
    optional={
        "targetCPUUtilization": st.integers(1, 1000),
        "targetMemoryUtilization": st.integers(1, 1000),
        "targetGPUUtilization": st.integers(1, 100),
        "behavior": behaviors,
    },
)
missing = st.sampled_from([sight for sight in Sight if sight is not Sight.SERVED])
metrics = st.sampled_from([GPU, SLICE])
served = st.builds(Served, st.just(True), st.just(Sight.SERVED), metrics) | st.builds(
    Served, st.sampled_from([False, None]), missing, metrics
)
lives = st.none() | st.lists(st.sampled_from(["cpu", "memory", GPU, SLICE, "strange"]), max_size=3)


@pytest.mark.parametrize("version", ["1.34", "1.37"])
@given(scalings, st.fixed_dictionaries({}, optional={"limits": amounts, "requests": amounts}), lives, served)
@settings(max_examples=40)
def test_whatever_is_asked_and_served_the_autoscaler_is_valid_and_settles(
    version: str, scaling: dict[str, Any], resources: dict[str, Any], live: list[str] | None, gpu: Served
) -> None:
    plan = plan_of(resources, live=live, gpu=gpu, **scaling)
    assert plan.active or (live is None and plan.notes)
    if not plan.active:
        return
    spec = made(plan)
    head = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "bert"}}
    kubernetes_validate.validate({**head, "spec": spec}, version, strict=True)
    assert spec["metrics"], "an autoscaler without metrics would get Kubernetes' own default"
    assert made(plan_of(resources, live=names(plan), gpu=gpu, **scaling)) == spec
