"""A new version in a cluster that has no room for an extra server."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.controllers.serving.names import ROLLOUT_ANNOTATION
from aiop.controllers.serving.plan import Plan, make_plan
from aiop.controllers.serving.report import make_report
from aiop.controllers.serving.verdict import Hindrance
from aiop.runtime.client.builtin import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.workloads import ReplicaSet, ReplicaSetStatus, TimedCondition
from support.servingworld import STEP, World

SCALED: dict[str, Any] = {"enabled": True, "minReplicas": 2, "maxReplicas": 8, "targetCPUUtilization": 75}


def full_world(replicas: int, **fields: Any) -> World:
    """Every place is taken by the workload's own servers."""
    world = World(capacity=replicas)
    world.change(replicas=replicas, **fields)
    world.settle()
    assert world.ready() == replicas
    world.ready_at_once = 1
    return world


def progressing(world: World) -> tuple[str, str, str]:
    observed = world.observe()
    plan = make_plan(observed, world.specs, world.settings, world.now)
    report = make_report(observed, plan, Hindrance(), datetime(2026, 1, 1, tzinfo=UTC))
    (found,) = (each for each in msgspec.json.decode(report.status)["conditions"] if each["type"] == "Progressing")
    return found["status"], found["reason"], found["message"]


def steps_to(world: World, least: int, most: int = 60) -> int:
    """Step until only the wanted version is left, never below ``least`` ready servers; the number of steps."""
    for number in range(most):
        if set(world.counts()) == {world.spec["modelVersion"]} and world.ready() == world.spec["replicas"]:
            return number
        world.step()
        assert world.ready() >= least
    raise AssertionError(world.counts())


def marks(world: World) -> list[str]:
    return [
        mark
        for each in world.of(DEPLOYMENTS)
        if (mark := each.body["metadata"].get("annotations", {}).get(ROLLOUT_ANNOTATION))
    ]


@given(st.integers(2, 9), st.integers(1, 3), st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_a_full_cluster_rolls_to_the_end_and_never_lacks_more_than_one_server(
    replicas: int, pace: int, spare: int
) -> None:
    world = full_world(replicas)
    world.ready_at_once, world.capacity = pace, replicas + spare
    world.change(modelVersion="v2")
    steps_to(world, replicas if spare else replicas - 1)
    world.settle()
    assert marks(world) == []


def test_old_servers_give_way_only_after_a_while_and_then_one_after_the_other_without_waiting() -> None:
    world = full_world(4)
    world.change(modelVersion="v2")
    waited = 0
    while world.counts().get("v1") == 4:
        world.step()
        waited += 1
    assert 3 <= waited <= 5
    assert steps_to(world, 3) <= 3 * 4


def test_with_room_no_server_gives_way() -> None:
    world = full_world(4)
    world.capacity = 5
    world.change(modelVersion="v2")
    steps_to(world, 4)


def test_the_next_rollout_surges_again() -> None:
    world = full_world(3)
    world.change(modelVersion="v2")
    steps_to(world, 2)
    world.capacity = 4
    world.change(modelVersion="v1")
    steps_to(world, 3)


def test_another_version_on_the_way_begins_with_extra_servers_again() -> None:
    world = full_world(4)
    world.change(modelVersion="v2")
    while world.counts()["v1"] > 3:
        world.step()
    world.change(modelVersion="v3")
    before = world.ready()
    world.step()
    assert progressing(world)[1] == "RollingOut"
    assert world.ready() >= before


def test_a_refused_spec_on_the_way_leaves_the_mark_so_that_it_goes_on_without_waiting() -> None:
    world = full_world(4)
    world.change(modelVersion="v2")
    while world.counts()["v1"] > 3:
        world.step()
    before = marks(world)
    world.change(replicas="many")
    world.reconcile()
    assert marks(world) == before != []


def test_it_says_which_way_was_taken_and_why() -> None:
    world = full_world(3)
    world.change(modelVersion="v2")
    world.step()
    assert progressing(world)[1] == "RollingOut"
    world.step()
    status, reason, message = progressing(world)
    assert (status, reason) == ("True", "RollingOut")
    assert "one old server gives way unless there is room by then" in message
    while world.counts()["v1"] == 3:
        world.step()
    status, reason, message = progressing(world)
    assert (status, reason) == ("True", "RollingOutInPlace")
    assert message.startswith("v2 takes v1's place one server at a time without an extra one, since ")


def test_the_plan_says_when_to_look_again_and_then_no_more() -> None:
    world = full_world(2)
    world.change(modelVersion="v2")
    world.step()
    world.kubernetes()
    plan = world.step()
    assert _look_again(plan) == pytest.approx(60 - STEP.total_seconds(), abs=STEP.total_seconds())
    steps_to(world, 1)
    assert _look_again(world.step()) is None


def _look_again(plan: Plan) -> float | None:
    assert plan.rollout is not None
    return plan.rollout.look_again


def test_the_last_server_stays_until_the_spec_says_otherwise() -> None:
    world = full_world(1)
    world.change(modelVersion="v2")
    world.settle()
    assert world.counts() == {"v1": 1, "v2": 1}
    assert world.ready() == 1
    assert progressing(world)[1] == "LastServerStays"
    world.overdue.add("v2")
    status, reason, message = progressing(world)
    assert (status, reason) == ("False", "ProgressDeadlineExceeded")
    assert "spec.rollout.maxUnavailable: 1" in message
    world.overdue.clear()
    world.change(rollout={"maxUnavailable": 1})
    steps_to(world, 0)


def test_a_server_that_asks_for_more_gets_no_old_ones_place() -> None:
    world = full_world(3)
    world.change(modelVersion="v2", resources={"limits": {"nvidia.com/gpu": "2"}})
    world.settle()
    assert world.counts()["v1"] == 3
    assert progressing(world)[1] == "NeedsMoreRoom"


def test_a_quota_that_is_full_is_a_full_cluster() -> None:
    world = full_world(2)
    world.change(modelVersion="v2")
    world.step()
    moment = world.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    words = 'pods "x" is forbidden: exceeded quota: gpus, requested: pods=1, used: pods=2, limited: pods=2'
    labels = world.deployment("v2").body["metadata"]["labels"]
    condition = TimedCondition("ReplicaFailure", "True", "FailedCreate", words, moment)
    world.replica_sets = (ReplicaSet(ObjectMeta(name="rs", labels=labels), ReplicaSetStatus(conditions=(condition,))),)
    world.pods = [pod for pod in world.pods if pod.version == "v1"]  # the quota lets none be made
    for _ in range(3):
        world.reconcile()
        world.now += STEP
    world.reconcile()
    assert world.counts()["v1"] == 1
    assert progressing(world)[1] == "RollingOutInPlace"


def test_a_version_set_back_on_the_way_gets_its_servers_back() -> None:
    world = full_world(4)
    world.change(modelVersion="v2")
    while world.counts()["v1"] > 2:
        world.step()
    world.change(modelVersion="v1")
    steps_to(world, 3)
    world.settle()
    assert marks(world) == []


@pytest.mark.parametrize("live", [2, 5])
def test_under_an_autoscaler_the_number_is_held_while_servers_change_places(live: int) -> None:
    world = full_world(2, autoscaling=SCALED)
    world.autoscaler_wants, world.capacity, world.ready_at_once = live, live, 100
    world.settle()
    assert world.counts() == {"v1": live}
    world.ready_at_once = 1
    world.change(modelVersion="v2")
    aims = []
    for _ in range(60):
        world.step()
        assert world.ready() >= live - 1
        (autoscaler,) = world.of(HORIZONTALPODAUTOSCALERS)
        aims.append(autoscaler.content["scaleTargetRef"]["name"])
    assert world.counts() == {"v2": live}
    first, last = world.deployment("v1").name, world.deployment("v2").name
    assert aims == sorted(aims, key=[first, last].index), "it moves once, from the old one to the new one"
    assert (aims[0], aims[-1]) == (first, last)
    (autoscaler,) = world.of(HORIZONTALPODAUTOSCALERS)
    assert (autoscaler.content["minReplicas"], autoscaler.content["maxReplicas"]) == (2, 8)
    assert marks(world) == []


def test_under_an_autoscaler_a_version_set_back_on_the_way_gets_the_whole_number_back() -> None:
    world = full_world(4, autoscaling=SCALED)
    world.autoscaler_wants = 4
    world.change(modelVersion="v2")
    for _ in range(30):
        world.step()
        if world.counts().get("v1", 0) == 2:
            break
    world.change(modelVersion="v1")
    for _ in range(60):
        world.step()
        assert world.ready() >= 3
    assert world.counts() == {"v1": 4}


def test_under_an_autoscaler_the_spec_s_own_bounds_count() -> None:
    world = full_world(4, autoscaling=SCALED, rollout={"maxSurge": 0, "maxUnavailable": 2})
    world.autoscaler_wants = 4
    world.change(modelVersion="v2")
    for _ in range(30):
        world.step()
        assert world.ready() >= 2
        assert sum(world.counts().values()) <= 4
    assert world.counts() == {"v2": 4}


def test_one_server_under_an_autoscaler_stays_too() -> None:
    world = full_world(1, autoscaling={**SCALED, "minReplicas": 1})
    world.change(modelVersion="v2")
    world.settle()
    assert world.counts() == {"v1": 1, "v2": 1}
    assert progressing(world)[1] == "LastServerStays"


def test_the_deadline_is_the_spec_s_and_told_in_seconds() -> None:
    world = full_world(2, rollout={"progressDeadlineSeconds": 1200})
    assert world.deployment("v1").content["progressDeadlineSeconds"] == 1200
    world.broken.add("v2")
    world.capacity = 9
    world.change(modelVersion="v2")
    world.settle()
    world.overdue.add("v2")
    assert progressing(world)[2].startswith("no progress for 1200 s: ")


def test_a_refused_spec_leaves_the_deadline_as_it_is() -> None:
    world = full_world(2, rollout={"progressDeadlineSeconds": 1200})
    before = world.writes
    world.change(replicas="many")
    world.settle()
    assert world.writes == before
