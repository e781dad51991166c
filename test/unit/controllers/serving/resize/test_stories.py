"""Resizing while all kinds of things happen: in the end the amounts are true everywhere, and nothing is left behind."""

from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from aiop.controllers.serving.errors import ChildRefused
from aiop.controllers.serving.resize.resizer import NotResizable
from aiop.runtime.client.builtin import DEPLOYMENTS
from aiop.runtime.views.workloads import TimedCondition
from support.resizeworld import ResizeWorld

DENIED = NotResizable("the API server does not let ReplicaSet 'a' make servers with the new amounts: no changes")
BROKEN = ChildRefused("AdmissionFailed", "failed calling webhook")
NO_ROOM = TimedCondition("PodResizePending", "True", "Deferred", "no room", "2026-01-01T00:00:00Z")
CALM = ("operator", "cluster", "cluster", "2", "3", "4", "grow", "shrink", "kill", "restart")
TROUBLE = ("two minutes", "quota", "quota off", "silent", "silent off", "no room", "no room off")
REFUSED = ("policy", "webhook", "policy off", "another version", "the first version")
BAD_TIMES = (*CALM, *TROUBLE, *REFUSED)


@dataclass
class Story:
    """A world, and how many servers it may have at least just now: those that were killed are not its fault."""

    world: ResizeWorld = field(default_factory=ResizeWorld)
    floor: int = 3
    killed: int = 0

    def __post_init__(self) -> None:
        self.world.change(replicas=3)
        self.world.settle()
        self.world.ready_at_once = 1

    def tell(self, events: list[str]) -> None:
        for event in events:
            self.happens(event)
            self._hold()

    def happens(self, event: str) -> None:  # noqa: C901, PLR0912 - a list of events
        world = self.world
        match event:
            case "operator":
                world.reconcile()
            case "cluster":
                world.kubernetes()
                world.now += timedelta(seconds=20)
            case "two minutes":
                world.now += timedelta(minutes=2)
            case "grow" | "shrink":
                world.change(replicas=5 if event == "grow" else 3)
            case "kill":
                # Where none is left there is nothing to resize: new ones are made as any others.
                self.killed += world.ready() > 1 and world.pods.pop(0).ready
            case "restart":
                world.restart_operator()
            case "much load" | "little load":
                world.autoscaler_wants = 5 if event == "much load" else 2
                world.autoscale()
            case "quota" | "quota off":
                world.quota = event == "quota"
            case "silent" | "silent off":
                world.silent = event == "silent"
            case "no room" | "no room off":
                world.refused = NO_ROOM if event == "no room" else None
            case "policy" | "policy off":
                world.follow_answer = DENIED if event == "policy" else None
            case "webhook":
                world.follow_answer = BROKEN
            case "another version" | "the first version":
                world.change(modelVersion="v2" if event == "another version" else "v1")
            case amount:
                world.change_amounts(amount)

    def ends_well(self) -> None:
        """All trouble over, everything comes true, and then nothing is written any more."""
        world = self.world
        world.silent, world.quota, world.refused, world.follow_answer = False, False, None, None
        world.settle()
        cpu, replicas = world.spec["resources"]["limits"]["cpu"], world.spec["replicas"]
        assert world.amounts() == [(cpu, "4Gi")] * replicas
        assert world.condition("Ready")[:2] == ("True", "Serving")
        assert not world.paused()
        makers = [world.makers[each.name].pod for each in world.of(DEPLOYMENTS) if each.content["replicas"]]
        assert [each["containers"][0]["resources"]["limits"]["cpu"] for each in makers] == [cpu]
        before = world.writes
        for _ in range(5):
            world.step()
            world.now += timedelta(minutes=10)
        assert world.writes == before
        assert world.replaced == 0

    def _hold(self) -> None:
        wanted = self.world.spec["replicas"]
        self.floor = min(self.floor, wanted)
        if self.world.ready() >= wanted:
            self.floor, self.killed = wanted, 0
        assert self.world.ready() >= self.floor - self.killed


@given(st.lists(st.sampled_from(BAD_TIMES), max_size=40))
@example(["policy", "3", *["operator", "cluster"] * 3, "2", *["operator", "cluster"] * 3, "3"])
@example(["policy", "3", *["operator", "cluster"] * 4, "2"])
@example(["quota", "3", *["operator", "cluster"] * 2, "2", "operator", "quota off"])
@settings(max_examples=60, deadline=None, derandomize=True)
def test_whatever_happens_the_amounts_come_true_and_nothing_stays_paused(events: list[str]) -> None:
    story = Story()
    story.tell(events)
    story.ends_well()


@given(st.lists(st.sampled_from(CALM), max_size=40))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_without_trouble_no_server_is_replaced_whoever_comes_and_goes(events: list[str]) -> None:
    story = Story()
    story.tell(events)
    story.ends_well()
    assert len(story.world.of(DEPLOYMENTS)) == 1


@given(st.lists(st.sampled_from(BAD_TIMES), max_size=40), st.sampled_from(["policy", "webhook"]))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_while_replica_sets_may_not_change_at_all_the_amounts_come_true_too(events: list[str], who: str) -> None:
    story = Story()
    story.tell([who, *(each for each in events if each not in {"policy", "webhook", "policy off"})])
    world = story.world
    world.silent, world.quota, world.refused = False, False, None
    for _ in range(60):
        world.step()
    assert not world.paused()
    cpu = world.spec["resources"]["limits"]["cpu"]
    assert world.amounts() == [(cpu, "4Gi")] * world.spec["replicas"]
    assert world.condition("Ready")[0] == "True"


SCALED = (*(each for each in CALM if each not in {"grow", "shrink"}), "much load", "little load", "quota", "quota off")


@given(st.lists(st.sampled_from(SCALED), max_size=40))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_count_is_the_autoscalers_whatever_happens_to_the_amounts(events: list[str]) -> None:
    world = ResizeWorld()
    world.change(replicas=3, autoscaling={"enabled": True, "minReplicas": 2, "maxReplicas": 5})
    world.settle()
    story, (deployment,) = Story(world), world.of(DEPLOYMENTS)
    for event in [*events, *["quota off", "operator", "cluster"] * 5]:
        before = deployment.content["replicas"]
        story.happens(event)
        assert event.endswith("load") or deployment.content["replicas"] == before
    assert {cpu for cpu, _ in world.amounts()} == {world.spec["resources"]["limits"]["cpu"]}
    assert len(world.of(DEPLOYMENTS)) == 1
