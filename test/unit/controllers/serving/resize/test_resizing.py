"""New amounts, from the change of the spec until new servers start with them; and every way in which that ends."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aiop.controllers.serving.resize.pods import PATIENCE
from aiop.runtime.client.builtin import CONTROLLERREVISIONS, DEPLOYMENTS
from aiop.runtime.views.workloads import Resources, TimedCondition
from support.resizeworld import ResizeWorld

INFEASIBLE = TimedCondition("PodResizePending", "True", "Infeasible", "Node didn't have enough capacity: cpu")


def deferred(world: ResizeWorld) -> TimedCondition:
    since = world.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return TimedCondition("PodResizePending", "True", "Deferred", "Node didn't have enough resource: cpu", since)


def served_world(**fields: Any) -> ResizeWorld:
    world = ResizeWorld()
    world.change(**fields)
    world.settle()
    return world


def test_servers_get_new_amounts_while_they_run_and_new_ones_start_with_them() -> None:
    world = served_world()
    before = world.uids()
    world.change_amounts("3")
    world.settle()
    assert world.uids() == before
    assert world.amounts() == [("3", "4Gi")] * 2
    world.change(replicas=3)
    world.settle()
    assert world.amounts() == [("3", "4Gi")] * 3
    assert before < world.uids()
    assert world.replaced == 0
    (deployment,) = world.of(DEPLOYMENTS)
    assert "paused" not in deployment.content


def test_a_workload_that_was_resized_costs_no_write_when_it_is_quiet() -> None:
    world = served_world()
    world.change_amounts("3")
    world.settle()
    before = world.writes
    for _ in range(20):
        world.step()
    assert world.writes == before


def test_ready_waits_until_new_servers_start_with_the_new_amounts_too() -> None:
    world = served_world()
    world.change_amounts("3")
    seen = []
    for _ in range(10):
        world.reconcile()
        status, reason, _ = world.condition("Ready")
        (deployment,) = world.of(DEPLOYMENTS)
        seen.append(status)
        assert status == "False" or (world.amounts() == [("3", "4Gi")] * 2 and "paused" not in deployment.content)
        # The last of it: the Deployment was let go, and its controller has not said so.
        assert status == "True" or reason in {"ResizingInPlace", "RollingOut"}
        assert world.condition("Available")[0] == "True"
        world.kubernetes()
    assert (seen[0], seen[-1]) == ("False", "True")


def test_each_step_waits_until_the_one_before_was_seen() -> None:
    world = served_world()
    world.change_amounts("3")
    world.reconcile()
    world.kubernetes()
    world.reconcile()
    (deployment,), (maker,) = world.of(DEPLOYMENTS), world.makers.values()
    assert deployment.content["paused"]
    for _ in range(3):
        world.reconcile()
        assert maker.generation == 1, "the Deployment's controller may not know of the pause"
    world.kubernetes()
    for _ in range(3):
        world.reconcile()
        assert maker.generation == 2
        assert deployment.content["paused"], "the controllers may not know of the ReplicaSet's change"
    world.kubernetes()
    world.reconcile()
    assert "paused" not in deployment.content


def test_shared_memory_of_new_servers_is_as_large_as_their_memory() -> None:
    world = served_world()
    before = world.uids()
    world.change_amounts("2", "8Gi")
    world.settle()
    assert world.uids() == before
    (deployment,) = world.of(DEPLOYMENTS)
    volumes = deployment.content["template"]["spec"]["volumes"]
    assert [each["emptyDir"] for each in volumes if each["name"] == "shared-memory"] == [
        {"medium": "Memory", "sizeLimit": "8Gi"}
    ]


def test_what_is_under_way_is_told_with_its_numbers() -> None:
    world = served_world()
    world.change_amounts("3", "8Gi")
    assert world.condition("Progressing") == (
        "True",
        "ResizingInPlace",
        "v1 gets cpu from 2 to 3, memory from 4Gi to 8Gi without a restart: 0 of 2 servers have it",
    )


@given(st.lists(st.sampled_from(["operator", "cluster", "2", "3", "4", "grow", "shrink"]), max_size=30))
@example(["3", "operator", "cluster", "operator", "2"])
@settings(max_examples=150, deadline=None)
def test_however_changes_and_passes_meet_no_server_is_replaced_and_the_last_word_counts(story: list[str]) -> None:
    world = served_world(replicas=3)
    for event in story:
        match event:
            case "operator":
                world.reconcile()
            case "cluster":
                world.kubernetes()
            case "grow" | "shrink":
                world.change(replicas=5 if event == "grow" else 3)
            case amount:
                world.change_amounts(amount)
    world.settle()
    assert world.replaced == 0
    assert len(world.of(DEPLOYMENTS)) == 1
    cpu = world.spec["resources"]["limits"]["cpu"]
    assert world.amounts() == [(cpu, "4Gi")] * world.spec["replicas"]
    assert world.condition("Ready")[0] == "True"


def test_the_first_amounts_come_back_without_a_restart() -> None:
    world = served_world()
    before = world.uids()
    for amount in ("3", "2", "3"):
        world.change_amounts(amount)
        world.settle()
        assert world.amounts() == [(amount, "4Gi")] * 2
    assert world.uids() == before
    assert len(world.of(CONTROLLERREVISIONS)) == 1


@pytest.mark.parametrize("policy", ["Pinned", "Auto"])
def test_a_version_that_comes_back_has_the_amounts_that_it_was_given(policy: str) -> None:
    world = served_world(updatePolicy=policy)
    world.change_amounts("3")
    world.settle()
    name = world.deployment("v1").name
    world.change(modelVersion="v2")
    world.settle()
    world.change(modelVersion="v1")
    world.settle()
    assert world.counts() == {"v1": 2}
    assert world.deployment("v1").name == name
    assert world.amounts() == [("3", "4Gi")] * 2


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ({"limits": {"cpu": "3", "memory": "4Gi", "nvidia.com/gpu": "2"}}, "another resource"),
        ({"limits": {"memory": "4Gi", "nvidia.com/gpu": "1"}}, "cannot be taken away"),
        (
            {"limits": {"cpu": "3", "memory": "4Gi", "nvidia.com/gpu": "1"}, "requests": {"cpu": "1"}},
            "quality of service",
        ),
    ],
)
def test_what_no_running_pod_takes_is_rolled_out_and_named(resources: dict[str, Any], words: str) -> None:
    world = served_world()
    before = world.uids()
    world.ready_at_once = 0
    world.change(resources=resources)
    world.step()
    status, reason, message = world.condition("Progressing")
    assert (status, reason) == ("True", "RestartNeeded")
    assert words in message
    world.ready_at_once = 100
    world.settle()
    assert not before & world.uids()
    assert world.ready() == 2
    assert world.resizes == 0


def test_a_spec_that_wants_new_servers_gets_them() -> None:
    world = served_world(rollout={"resize": "Replace"})
    before = world.uids()
    world.change_amounts("3")
    world.settle()
    assert not before & world.uids()


def test_a_node_that_never_has_the_room_ends_in_a_rollout() -> None:
    world = served_world()
    before = world.uids()
    world.refused = INFEASIBLE
    world.change_amounts("3")
    world.reconcile()
    world.kubernetes()
    world.ready_at_once = 0
    world.step()
    assert "node 'node-1' says Infeasible: Node didn't have enough capacity" in world.condition("Progressing")[2]
    world.ready_at_once = 100
    world.settle()
    assert not before & world.uids()
    assert world.amounts() == [("3", "4Gi")] * 2


def test_a_node_that_may_have_the_room_later_is_given_a_minute() -> None:
    world = served_world()
    before = world.uids()
    world.change_amounts("3")
    world.refused = deferred(world)
    world.reconcile()
    world.kubernetes()
    assert "if that lasts for 60 s, servers are replaced instead" in world.condition("Progressing")[2]
    plan = world.plan()
    assert plan.resize is not None
    assert plan.resize.look_again == PATIENCE.total_seconds()
    assert world.uids() == before
    world.now += PATIENCE
    world.settle()
    assert not before & world.uids()


def test_room_that_comes_in_time_is_taken() -> None:
    world = served_world()
    before = world.uids()
    world.change_amounts("3")
    world.refused = deferred(world)
    world.reconcile()
    world.kubernetes()
    world.refused = None
    world.settle()
    assert world.uids() == before
    assert world.amounts() == [("3", "4Gi")] * 2


def test_a_kubelet_that_cannot_resize_is_named_and_a_rollout_follows() -> None:
    world = served_world()
    before = world.uids()
    world.deaf = True
    world.change_amounts("3")
    world.reconcile()
    world.ready_at_once = 0
    world.step()
    assert "node 'node-1' does not offer it" in world.condition("Progressing")[2]
    world.ready_at_once = 100
    world.settle()
    assert not before & world.uids()


def test_what_the_api_server_refuses_is_said_for_as_long_as_the_rollout_takes() -> None:
    world = served_world()
    world.refusal = "the cluster does not offer it"
    world.ready_at_once = 0
    world.change_amounts("3")
    world.step()
    world.refusal = ""  # another process leads now
    world.step()
    assert "new amounts need new servers: the cluster does not offer it; " in world.condition("Progressing")[2]


def test_servers_that_crash_are_replaced() -> None:
    world = served_world()
    before = world.uids()
    world.crashed = True
    world.pods[0].ready = False
    world.ready_at_once = 0
    world.change_amounts("3", "8Gi")
    world.step()
    assert "not all servers are well" in world.condition("Progressing")[2]
    assert before <= world.uids()


def test_amounts_that_somebody_else_gave_a_server_are_left_alone() -> None:
    world = served_world()
    uid = world.pods[0].uid
    foreign = {"limits": {"cpu": "7", "memory": "4Gi"}, "requests": {"cpu": "7", "memory": "4Gi"}}
    world.asked[uid] = world.has[uid] = msgspec.convert(foreign, Resources)
    world.change_amounts("3")
    world.settle()
    assert world.amounts() == [("3", "4Gi"), ("7", "4Gi")]
    assert world.condition("Ready")[0] == "True"


def test_memory_that_cannot_be_taken_back_ends_in_a_rollout() -> None:
    world = served_world()
    world.change_amounts("2", "8Gi")
    world.settle()
    before = world.uids()
    world.refused = TimedCondition("PodResizeInProgress", "True", "Error", "memory is used", "2026-01-01T00:00:00Z")
    world.change_amounts("2", "4Gi")
    world.settle()
    assert not before & world.uids()
    assert world.amounts() == [("2", "4Gi")] * 2


def test_a_deployment_that_somebody_edits_is_put_right_as_ever() -> None:
    world = served_world()
    world.change_amounts("3")
    world.settle()
    (deployment,) = world.of(DEPLOYMENTS)
    deployment.content["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "9"
    world.settle()
    assert world.amounts() == [("3", "4Gi")] * 2
    (deployment,) = world.of(DEPLOYMENTS)
    assert "paused" not in deployment.content
