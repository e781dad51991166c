"""The whole plan against a cluster without I/O: what people see when they change a workload."""

from typing import Any

import pytest

from aiop.controllers.serving.names import REVISION_LABEL
from aiop.controllers.serving.scaling.served import NOT_LOOKED, Served, Sight
from aiop.controllers.serving.settings import ServingSettings
from aiop.runtime.client.builtin import (
    CONTROLLERREVISIONS,
    DEPLOYMENTS,
    HORIZONTALPODAUTOSCALERS,
    INGRESSES,
    PODDISRUPTIONBUDGETS,
    SERVICES,
)
from support.servingworld import NAME, UID, World

GPU = "DCGM_FI_DEV_GPU_UTIL"
SCALED: dict[str, Any] = {"enabled": True, "minReplicas": 2, "maxReplicas": 5, "targetCPUUtilization": 75}


def served_world(**fields: Any) -> World:
    world = World()
    world.change(**fields)
    world.settle()
    return world


def test_a_workload_gets_every_child_once() -> None:
    world = served_world(autoscaling=SCALED)
    kinds = [resource.kind for resource, _ in world.things]
    assert sorted(kinds) == sorted([
        "ControllerRevision", "Deployment", "HorizontalPodAutoscaler", "Ingress", "PodDisruptionBudget",
        "Service", "Service",
    ])  # fmt: skip
    assert world.writes == 7


def test_a_quiet_workload_costs_no_write() -> None:
    world = served_world(autoscaling=SCALED)
    before = world.writes
    for _ in range(20):
        world.step()
    assert world.writes == before


def test_a_new_version_rolls_out_without_a_moment_below_the_wanted_number() -> None:
    world = served_world(replicas=4)
    world.ready_at_once = 1
    world.change(modelVersion="v2")
    for _ in range(60):
        world.step()
        assert world.ready() >= 4
        assert sum(world.counts().values()) <= 5
    assert world.counts() == {"v2": 4}


def test_a_version_set_back_reuses_its_revision() -> None:
    world = served_world()
    first = world.deployment("v1").name
    world.change(modelVersion="v2")
    world.settle()
    world.change(modelVersion="v1")
    world.settle()
    assert world.counts() == {"v1": 2}
    assert world.deployment("v1").name == first
    assert len(world.of(DEPLOYMENTS)) == 2


def test_a_version_that_never_works_leaves_the_last_one_serving_in_full() -> None:
    world = served_world(replicas=3)
    world.broken.add("v2")
    world.change(modelVersion="v2")
    world.settle()
    assert world.counts() == {"v1": 3, "v2": 1}
    assert world.ready() == 3


def test_a_version_that_never_worked_gives_way_at_once() -> None:
    world = served_world(replicas=3)
    world.broken.add("v2")
    world.change(modelVersion="v2")
    world.settle()
    world.change(modelVersion="v3")
    world.step()
    assert "v2" not in world.counts()
    world.settle()
    assert world.counts() == {"v3": 3}


def test_with_an_autoscaler_the_new_version_is_raised_to_the_live_count_before_it_takes_over() -> None:
    world = served_world(autoscaling=SCALED)
    world.autoscaler_wants = 5
    world.settle()
    assert world.counts() == {"v1": 5}
    world.ready_at_once = 1
    world.change(modelVersion="v2")
    for _ in range(60):
        world.step()
        assert world.ready() >= 5
    assert world.counts() == {"v2": 5}
    (autoscaler,) = world.of(HORIZONTALPODAUTOSCALERS)
    assert autoscaler.content["scaleTargetRef"]["name"] == world.deployment("v2").name


def test_the_autoscaler_stays_with_the_old_version_while_the_new_one_does_not_work() -> None:
    world = served_world(autoscaling=SCALED)
    world.broken.add("v2")
    world.change(modelVersion="v2")
    world.settle()
    (autoscaler,) = world.of(HORIZONTALPODAUTOSCALERS)
    assert autoscaler.content["scaleTargetRef"]["name"] == world.deployment("v1").name
    assert world.ready() == 2


def test_a_version_set_back_in_mid_rollout_keeps_the_old_servers() -> None:
    world = served_world(autoscaling=SCALED)
    world.broken.add("v2")
    world.change(modelVersion="v2")
    world.settle()
    pods = {pod.uid for pod in world.pods if pod.version == "v1"}
    world.change(modelVersion="v1")
    world.settle()
    assert world.counts() == {"v1": 2}
    assert {pod.uid for pod in world.pods} == pods


def test_switching_autoscaling_on_together_with_a_new_version_loses_no_server() -> None:
    world = served_world(replicas=5)
    world.ready_at_once = 1
    world.change(modelVersion="v2", autoscaling={**SCALED, "maxReplicas": 8}, replicas=2)
    for _ in range(60):
        world.step()
        assert world.ready() >= 5
    assert world.counts() == {"v2": 5}


def test_the_autoscalers_count_is_never_taken_from_it() -> None:
    world = served_world(autoscaling=SCALED)
    world.autoscaler_wants = 4
    world.settle()
    world.change(env=None, inferenceEndpoint="/other")
    world.settle()
    assert world.counts() == {"v1": 4}


def test_replicas_do_not_count_while_autoscaling_is_on() -> None:
    world = served_world(autoscaling=SCALED)
    world.change(replicas=5)
    world.settle()
    assert world.counts() == {"v1": 2}


def test_kubectl_scale_changes_nothing_under_an_autoscaler_nor_in_the_next_rollout() -> None:
    world = served_world(autoscaling=SCALED)
    world.change(replicas=5)
    world.settle()
    world.change(modelVersion="v2")
    for _ in range(40):
        world.step()
        assert max(world.counts().values()) == 2
    assert world.counts() == {"v2": 2}


def test_a_gpu_metric_that_comes_is_put_in_and_one_that_goes_is_left_out() -> None:
    world = served_world(autoscaling={**SCALED, "targetGPUUtilization": 80})
    (autoscaler,) = world.of(HORIZONTALPODAUTOSCALERS)
    assert [metric["type"] for metric in autoscaler.content["metrics"]] == ["Resource"]
    world.gpu_metric = Served(True, Sight.SERVED, GPU)
    world.settle()
    assert [metric["type"] for metric in autoscaler.content["metrics"]] == ["Resource", "Pods"]
    world.gpu_metric = Served(None, Sight.UNREADABLE, GPU)
    before = world.writes
    world.settle()
    assert world.writes == before
    world.gpu_metric = Served(False, Sight.UNREADABLE, GPU)
    world.settle()
    assert [metric["type"] for metric in autoscaler.content["metrics"]] == ["Resource"]


def test_an_operator_that_has_not_looked_yet_takes_no_metric_out() -> None:
    world = served_world(autoscaling={**SCALED, "targetGPUUtilization": 80})
    world.gpu_metric = Served(True, Sight.SERVED, GPU)
    world.settle()
    world.gpu_metric = NOT_LOOKED
    before = world.writes
    world.settle()
    assert world.writes == before


def test_a_workload_scaled_by_its_gpus_alone_keeps_its_servers_when_the_metric_goes() -> None:
    world = served_world(autoscaling={"enabled": True, "maxReplicas": 9, "targetGPUUtilization": 80})
    assert not world.of(HORIZONTALPODAUTOSCALERS)
    world.gpu_metric = Served(True, Sight.SERVED, GPU)
    world.autoscaler_wants = 7
    world.settle()
    assert world.counts() == {"v1": 7}
    world.gpu_metric, world.autoscaler_wants = Served(False, Sight.NO_API, GPU), None
    world.change(replicas=3)
    world.settle()
    assert world.counts() == {"v1": 7}
    world.change(modelVersion="v2")
    world.settle()
    assert world.counts() == {"v2": 7}


def test_without_any_metric_spec_replicas_counts_within_the_bounds() -> None:
    world = served_world(autoscaling={"enabled": True, "maxReplicas": 5, "targetGPUUtilization": 80})
    assert world.counts() == {"v1": 2}
    world.change(replicas=9)
    world.settle()
    assert world.counts() == {"v1": 5}


def test_the_first_count_lies_within_the_autoscalers_bounds() -> None:
    assert served_world(autoscaling=SCALED, replicas=0).counts() == {"v1": 2}
    assert served_world(autoscaling=SCALED, replicas=9).counts() == {"v1": 5}


def test_autoscaling_switched_off_gives_the_count_back_to_replicas() -> None:
    world = served_world(autoscaling=SCALED)
    world.autoscaler_wants = 5
    world.settle()
    world.change(autoscaling=None, replicas=3)
    world.settle()
    assert world.counts() == {"v1": 3}
    assert not world.of(HORIZONTALPODAUTOSCALERS)


def test_replicas_zero_stops_every_server_and_comes_back() -> None:
    world = served_world(replicas=0)
    assert world.counts() == {}
    world.change(replicas=2)
    world.settle()
    assert world.ready() == 2


@pytest.mark.parametrize("resource", [SERVICES, DEPLOYMENTS, INGRESSES, PODDISRUPTIONBUDGETS, HORIZONTALPODAUTOSCALERS])
def test_a_child_deleted_by_hand_comes_back(resource: Any) -> None:
    world = served_world(autoscaling=SCALED)
    names = [thing.name for thing in world.of(resource)]
    for name in names:
        del world.things[resource, name]
    world.settle()
    assert [thing.name for thing in world.of(resource)] == names
    assert world.ready() == 2


def test_a_count_edited_by_hand_is_repaired() -> None:
    world = served_world(replicas=3)
    thing = world.deployment("v1")
    thing.content["replicas"] = 1
    thing.replicas_owner = "kubectl"
    world.settle()
    assert world.counts() == {"v1": 3}


def test_an_old_deployment_scaled_up_by_hand_goes_back_to_zero() -> None:
    world = served_world()
    world.change(modelVersion="v2")
    world.settle()
    world.deployment("v1").content["replicas"] = 3
    world.settle()
    assert world.counts() == {"v2": 2}


def test_only_the_last_two_old_revisions_are_kept() -> None:
    world = served_world()
    for number in range(2, 7):
        world.change(modelVersion=f"v{number}")
        world.settle()
    kept = {thing.body["data"]["version"] for thing in world.of(CONTROLLERREVISIONS)}
    assert kept == {"v4", "v5", "v6"}
    assert len(world.of(DEPLOYMENTS)) == 3
    assert len(world.of(SERVICES)) == 4


def test_a_retiring_revision_whose_record_was_deleted_is_recorded_again_and_retires_as_it_should() -> None:
    world = served_world(replicas=4)
    world.ready_at_once = 1
    world.change(modelVersion="v2")
    world.step()
    (record,) = (thing for thing in world.of(CONTROLLERREVISIONS) if thing.body["data"]["version"] == "v1")
    del world.things[CONTROLLERREVISIONS, record.name]
    for _ in range(60):
        world.step()
        assert world.ready() >= 4
    assert world.counts() == {"v2": 4}
    assert (CONTROLLERREVISIONS, record.name) in world.things


@pytest.mark.parametrize("scaling", [None, SCALED])
def test_a_lost_record_of_the_serving_revision_is_written_again(scaling: Any) -> None:
    world = served_world(autoscaling=scaling)
    (record,) = world.of(CONTROLLERREVISIONS)
    del world.things[CONTROLLERREVISIONS, record.name]
    pods = {pod.uid for pod in world.pods}
    world.settle()
    assert [thing.name for thing in world.of(CONTROLLERREVISIONS)] == [record.name]
    assert {pod.uid for pod in world.pods} == pods


def test_a_record_that_lost_its_label_gets_it_back() -> None:
    world = served_world()
    (record,) = world.of(CONTROLLERREVISIONS)
    label = record.body["metadata"]["labels"].pop(REVISION_LABEL)
    world.settle()
    assert record.body["metadata"]["labels"][REVISION_LABEL] == label


def test_a_changed_runtime_or_operator_changes_no_pinned_workload() -> None:
    world = served_world()
    world.runtimes["triton"] = world.runtimes["triton"].model_copy(update={"image": "tritonserver:next"})
    world.settings = ServingSettings(model_store="s3://elsewhere", fetch_image="fetcher:next")
    before = world.writes
    world.settle()
    assert world.writes == before


def test_a_pinned_workload_stays_pinned_after_a_change_that_means_the_same() -> None:
    world = served_world()
    world.change(framework="onnx")
    world.settle()
    image = world.runtimes["triton"].image
    world.runtimes["triton"] = world.runtimes["triton"].model_copy(update={"image": "tritonserver:next"})
    world.settle()
    assert len(world.of(DEPLOYMENTS)) == 1
    assert world.deployment("v1").content["template"]["spec"]["containers"][0]["image"] == image


def test_update_policy_auto_rolls_a_changed_runtime_out() -> None:
    world = served_world(updatePolicy="Auto")
    world.runtimes["triton"] = world.runtimes["triton"].model_copy(update={"image": "tritonserver:next"})
    world.settle()
    images = {pod["containers"][0]["image"] for pod in _live_pods(world)}
    assert images == {"tritonserver:next"}


def test_a_spec_that_makes_no_sense_keeps_the_last_good_revision_and_repairs_it() -> None:
    world = served_world(autoscaling=SCALED)
    world.change(replicas="many")
    del world.things[SERVICES, NAME]
    plan = world.reconcile()
    assert plan.refusal is not None
    assert plan.refusal.reason == "InvalidSpec"
    assert "replicas" in plan.refusal.message
    world.settle()
    assert (SERVICES, NAME) in world.things
    assert (HORIZONTALPODAUTOSCALERS, NAME) in world.things
    assert world.ready() == 2


def test_a_spec_that_makes_no_sense_from_the_start_makes_nothing() -> None:
    world = World(spec={"modelName": 7})
    plan = world.reconcile()
    assert plan.refusal is not None
    assert not world.things


def test_a_spec_mended_in_mid_rollout_goes_on_where_it_was() -> None:
    world = served_world(replicas=4)
    world.ready_at_once = 1
    world.change(modelVersion="v2")
    world.step()
    world.step()
    world.change(replicas=-1)
    for _ in range(10):
        world.step()
        assert world.ready() >= 4
    world.change(replicas=4)
    world.settle()
    assert world.counts() == {"v2": 4}


def test_an_ingress_no_longer_asked_for_goes() -> None:
    world = served_world()
    assert world.of(INGRESSES)
    world.change(inferenceEndpoint=None)
    world.settle()
    assert not world.of(INGRESSES)


def test_deletions_name_the_object_by_uid() -> None:
    world = served_world()
    world.change(inferenceEndpoint=None)
    (thing,) = world.of(INGRESSES)
    (deletion,) = world.plan().deletions
    assert deletion.uid == thing.uid != UID


def _live_pods(world: World) -> list[dict[str, Any]]:
    return [thing.content["template"]["spec"] for thing in world.of(DEPLOYMENTS) if thing.content["replicas"]]
