"""A kubelet that does not answer is named, and has as long as a rollout may stand still."""

from datetime import timedelta

from aiop.controllers.serving.resize.pods import PATIENCE
from support.resizeworld import ResizeWorld

DEADLINE = timedelta(seconds=600)


def asked_world() -> ResizeWorld:
    """Its servers were asked at 00:00:20 and their kubelets say nothing."""
    world = ResizeWorld()
    world.settle()
    world.silent = True
    world.change(rollout={"progressDeadlineSeconds": int(DEADLINE.total_seconds())})
    world.change_amounts("3")
    world.reconcile()
    world.kubernetes()
    return world


def test_a_moment_is_not_told() -> None:
    world = asked_world()
    assert world.condition("Progressing")[2].endswith("without a restart: 0 of 2 servers have it")
    plan = world.plan()
    assert plan.resize is not None
    assert plan.resize.look_again == PATIENCE.total_seconds()


def test_after_a_minute_it_is_named_with_the_pod_and_the_time_and_nothing_more_is_written() -> None:
    world = asked_world()
    asked = world.now
    world.now += PATIENCE
    told = world.condition("Progressing")
    pod = min(world.uids())
    assert told[1] == "ResizingInPlace"
    assert f"node 'node-1' has not given pod '{pod}' its amounts, asked for at {asked:%H:%M:%SZ}" in told[2]
    assert told[2].endswith(f"; at {asked + DEADLINE:%H:%M:%SZ} servers are replaced instead")
    writes = world.writes
    for _ in range(5):
        world.step()
        assert world.condition("Progressing") == told
    assert world.writes == writes


def test_after_the_progress_deadline_servers_are_replaced_and_it_is_said_why() -> None:
    world = asked_world()
    before, plan = world.uids(), None
    world.now += DEADLINE - timedelta(seconds=1)
    plan = world.plan()
    assert plan.resize is not None
    assert plan.resize.look_again == 1
    world.now += timedelta(seconds=1)
    world.ready_at_once = 0
    world.step()
    status, reason, message = world.condition("Progressing")
    assert (status, reason) == ("True", "RestartNeeded")
    assert "within 600 s, as spec.rollout.progressDeadlineSeconds says" in message
    world.ready_at_once = 100
    world.settle()
    assert not before & world.uids()
    assert world.amounts() == [("3", "4Gi")] * 2


def test_an_answer_in_time_costs_no_restart() -> None:
    world = asked_world()
    before = world.uids()
    world.now += DEADLINE / 2
    world.silent = False
    world.settle()
    assert world.uids() == before
    assert world.amounts() == [("3", "4Gi")] * 2
    assert world.condition("Ready")[0] == "True"


def test_ready_waits_for_a_server_that_was_made_meanwhile_and_whose_kubelet_is_slow() -> None:
    world = ResizeWorld()
    world.settle()
    world.change_amounts("3")
    world.reconcile()
    world.kubernetes()
    world.reconcile()
    world.pods.pop()
    world.kubernetes()  # its successor is made as the ReplicaSet says, which has not followed yet
    world.silent = True
    for _ in range(3):
        world.step()
    assert not world.paused()
    assert world.condition("Ready")[1] == "ResizingInPlace"
    world.silent = False
    world.settle()
    assert world.amounts() == [("3", "4Gi")] * 2
    assert world.condition("Ready")[0] == "True"


def test_a_server_that_was_made_meanwhile_is_not_waited_for_without_end_either() -> None:
    world = ResizeWorld()
    world.settle()
    world.change_amounts("3")
    world.reconcile()
    world.kubernetes()
    world.reconcile()
    world.pods.pop()
    world.kubernetes()
    world.silent = True
    world.step()
    assert world.amounts() == [("2", "4Gi"), ("3", "4Gi")]
    world.now += DEADLINE
    world.settle()
    assert world.amounts() == [("3", "4Gi")] * 2
    assert world.condition("Ready")[0] == "True"
