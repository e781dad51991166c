"""A ReplicaSet that may not be changed: its Deployment does not stay paused, and the amounts come true all the same."""

import copy

import pytest

from aiop.controllers.serving.errors import ChildRefused
from aiop.controllers.serving.resize.refusals import PASSING
from aiop.controllers.serving.resize.resizer import NotResizable
from aiop.runtime.client.builtin import CONTROLLERREVISIONS, DEPLOYMENTS
from support.resizeworld import ResizeWorld

DENIED = NotResizable("the API server does not let ReplicaSet 'a' make servers with the new amounts: no changes")
BROKEN = ChildRefused("AdmissionFailed", "failed calling webhook")


def paused_world(*amounts: str, answer: NotResizable | ChildRefused = DENIED) -> ResizeWorld:
    """All servers have the last of these amounts, and the Deployment is paused for its ReplicaSet to follow."""
    world = ResizeWorld()
    world.settle()
    for each in amounts[:-1]:
        world.change_amounts(each)
        world.settle()
    world.follow_answer = answer
    world.change_amounts(amounts[-1])
    world.reconcile()
    world.kubernetes()
    world.reconcile()
    assert world.paused()
    world.kubernetes()
    return world


def test_a_policy_against_it_ends_in_a_rollout_that_says_why() -> None:
    world = paused_world("3")
    before, writes = world.uids(), world.follows
    world.reconcile()
    assert world.follows == writes + 1
    world.ready_at_once = 0
    world.reconcile()
    assert not world.paused()
    assert "does not let ReplicaSet 'a' make servers with the new amounts" in world.condition("Progressing")[2]
    assert world.condition("Progressing")[1] == "RestartNeeded"
    world.ready_at_once = 100
    world.settle()
    assert world.follows == writes + 1, "it is not asked again"
    assert not before & world.uids()
    assert world.amounts() == [("3", "4Gi")] * 2
    assert world.replaced == 0, "the old Deployment's controller has nothing to replace"
    assert world.condition("Ready")[0] == "True"


def test_what_is_given_back_is_the_template_to_the_letter() -> None:
    world = paused_world("3")
    name, maker = next(iter(world.makers.items()))
    for _ in range(2):
        world.reconcile()
    given = next(each for each in world.of(DEPLOYMENTS) if each.name == name)
    assert given.content["template"]["spec"] == maker.pod


def test_a_second_change_goes_back_to_the_amounts_of_the_first() -> None:
    world = paused_world("3", "4")
    name, maker = next(iter(world.makers.items()))
    for _ in range(2):
        world.reconcile()
    given = next(each for each in world.of(DEPLOYMENTS) if each.name == name)
    assert given.content["template"]["spec"] == maker.pod
    assert maker.pod["containers"][0]["resources"]["limits"]["cpu"] == "3"
    world.settle()
    assert world.amounts() == [("4", "4Gi")] * 2
    assert world.replaced == 0
    assert not world.paused()
    assert maker is world.makers[name]


def test_it_is_given_back_though_the_next_revision_cannot_be_recorded() -> None:
    world = paused_world("3")
    world.reconcile()
    first, second, *_ = world.plan().steps
    assert [child.resource for child in (*first, *second)] == [CONTROLLERREVISIONS, DEPLOYMENTS]
    assert "paused" not in second[0].body["spec"]


def test_a_webhook_that_comes_back_in_time_costs_no_restart() -> None:
    world = paused_world("3", answer=BROKEN)
    before = world.uids()
    for _ in range(int(PASSING // 20) - 1):
        world.step()
    assert world.paused()
    world.follow_answer = None
    world.settle()
    assert world.uids() == before
    assert not world.paused()


def test_a_webhook_that_stays_away_is_not_waited_for_without_end() -> None:
    world = paused_world("3", answer=BROKEN)
    before = world.uids()
    world.settle()
    for _ in range(int(PASSING // 20) + 2):
        world.step()
    world.settle()
    assert not world.paused()
    assert not before & world.uids()
    assert world.amounts() == [("3", "4Gi")] * 2


@pytest.mark.parametrize("change", [{"modelVersion": "v2"}, {"framework": "Nonsense"}])
def test_another_change_of_the_spec_does_not_leave_it_paused(change: dict[str, str]) -> None:
    world = paused_world("3")
    world.change(**change)
    for _ in range(6):
        world.step()
    assert not world.paused()
    assert world.replaced == 0


def test_the_first_amounts_come_back_in_the_middle() -> None:
    world = paused_world("3")
    world.ready_at_once = 0
    world.step()
    world.step()
    before = world.uids()
    world.ready_at_once = 100
    world.change_amounts("2")
    world.settle()
    assert world.amounts() == [("2", "4Gi")] * 2
    assert world.uids() & before, "those that have served go on"
    assert not world.paused()


def test_an_operator_that_starts_again_asks_once_more_and_comes_to_the_same() -> None:
    world = paused_world("3")
    for _ in range(8):
        world.restart_operator()
        world.step()
    world.settle()
    assert world.amounts() == [("3", "4Gi")] * 2
    assert not world.paused()


def test_a_deployment_that_others_changed_on_its_way_is_let_go_too() -> None:
    world = paused_world("3")
    name, maker = next(iter(world.makers.items()))
    (deployment,) = world.of(DEPLOYMENTS)
    maker.pod = copy.deepcopy(deployment.content["template"]["spec"])  # so it has the amounts
    extra = {"name": "sidecar", "image": "a:1", "resources": {"limits": {"cpu": "1"}}}
    deployment.content["template"]["spec"]["initContainers"] = [extra]
    world.reconcile()
    world.reconcile()
    given = next(each for each in world.of(DEPLOYMENTS) if each.name == name)
    assert "paused" not in given.content
    world.settle()
    assert world.amounts() == [("3", "4Gi")] * 2
