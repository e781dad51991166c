"""How fast replicas follow, to the number."""

from typing import Any

from aiop.sim.cluster.scaling.behavior import Bounds, Dated, Memory, behavior_of, decide, rescaled

BOUNDS = Bounds(1, 20)


class Story:
    """An autoscaler that does what is decided."""

    def __init__(self, replicas: int, bounds: Bounds = BOUNDS, **behavior: Any) -> None:
        self.replicas = replicas
        self.bounds = bounds
        self.behavior = behavior_of({"behavior": behavior} if behavior else {})
        self.memory = Memory([Dated(0.0, replicas)])
        self.why = ("", "")

    def asks(self, replicas: int, at: float) -> int:
        found = decide(replicas, self.replicas, self.bounds, self.behavior, self.memory, at)
        rescaled(self.replicas, found.replicas, self.memory, at)
        self.replicas, self.why = found.replicas, (found.stabilized, found.limited)
        return found.replicas


def test_up_goes_at_once_by_four_pods_or_twice_as_many_in_fifteen_seconds() -> None:
    story = Story(1)
    assert story.asks(20, 15) == 5
    assert story.why == ("", "ScaleUpLimit")
    assert story.asks(20, 20) == 5  # four have come within fifteen seconds
    assert story.asks(20, 30) == 10
    assert story.asks(20, 45) == 20


def test_down_waits_five_minutes_for_the_highest_recommendation() -> None:
    story = Story(3)
    assert story.asks(1, 15) == 3
    assert story.why == ("ScaleDownStabilized", "")
    assert story.asks(2, 200) == 3
    assert story.asks(1, 301) == 2
    assert story.asks(1, 499) == 2
    assert story.asks(1, 501) == 1


def test_windows_of_the_spec_are_honoured() -> None:
    story = Story(3, scaleDown={"stabilizationWindowSeconds": 10}, scaleUp={"stabilizationWindowSeconds": 30})
    assert story.asks(1, 5) == 3
    assert story.asks(1, 11) == 1
    assert story.asks(3, 12) == 1
    assert story.why == ("ScaleUpStabilized", "")
    assert story.asks(3, 40) == 1
    assert story.asks(3, 42) == 3


def test_policies_of_the_spec_bound_each_period() -> None:
    one = {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}], "stabilizationWindowSeconds": 0}
    story = Story(5, scaleDown=one)
    assert story.asks(1, 15) == 4
    assert story.why == ("", "ScaleDownLimit")
    assert story.asks(1, 60) == 4
    assert story.asks(1, 76) == 3


def test_min_takes_the_slowest_policy_and_disabled_none() -> None:
    both = [
        {"type": "Pods", "value": 1, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ]
    assert Story(4, scaleUp={"policies": both, "selectPolicy": "Min"}).asks(8, 15) == 5
    assert Story(4, scaleUp={"selectPolicy": "Disabled"}).asks(8, 15) == 4


def test_percents_round_up_on_the_way_up_and_down_on_the_way_down() -> None:
    half = {"policies": [{"type": "Percent", "value": 50, "periodSeconds": 15}], "stabilizationWindowSeconds": 0}
    assert Story(3, scaleUp=half).asks(20, 15) == 5
    assert Story(3, scaleDown=half).asks(1, 15) == 1


def test_the_bounds_hold() -> None:
    story = Story(3, Bounds(2, 4), scaleDown={"stabilizationWindowSeconds": 0})
    assert story.asks(9, 15) == 4
    assert story.why == ("", "TooManyReplicas")
    assert story.asks(0, 30) == 2
    assert story.why == ("", "TooFewReplicas")
    assert story.asks(0, 45) == 2


def test_memory_is_bounded_by_the_longest_window() -> None:
    story = Story(3)
    for second in range(10_000):
        story.asks(3, second)
    assert len(story.memory.recommended) <= 302


def test_a_tolerance_of_the_spec_is_read() -> None:
    found = behavior_of({"behavior": {"scaleUp": {"tolerance": "0.05"}}}).tolerances
    assert (found.forgive(1.06), found.forgive(0.91)) == (False, True)
