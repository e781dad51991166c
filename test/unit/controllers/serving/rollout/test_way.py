"""Which way a rollout takes, and what it says of that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aiop.api.rollout import Rollout
from aiop.controllers.serving.rollout.mark import Mark, read_mark
from aiop.controllers.serving.rollout.room import Shortage
from aiop.controllers.serving.rollout.steps import Bounds
from aiop.controllers.serving.rollout.way import PATIENCE, Situation, Way, choose_way

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WORDS = "the scheduler finds no room: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu"
SHORT = Shortage(WORDS, NOW - PATIENCE, frozenset({"nvidia.com/gpu"}))
ROOMY = Situation("v2", "v1", wanted=4, surge=1)
FULL = replace(ROOMY, shortage=SHORT)
IN_PLACE = Bounds(surge=0, unavailable=1)


def way(situation: Situation, **rollout: int) -> Way:
    return choose_way(Rollout.model_validate(rollout), situation, NOW)


def test_where_there_is_room_new_servers_come_first() -> None:
    found = way(ROOMY)
    assert (found.bounds, found.told.reason, found.look_again) == (Bounds(1), "RollingOut", None)
    assert found.told.message == "v2 takes v1's place with up to 1 server more than 4"


def test_where_there_is_none_for_long_old_ones_give_way_one_at_a_time() -> None:
    found = way(FULL)
    assert (found.bounds, found.told.reason, found.gives_way) == (IN_PLACE, "RollingOutInPlace", True)
    assert found.told.message == (f"v2 takes v1's place one server at a time without an extra one, since {WORDS}")


def test_before_that_it_waits_and_says_until_when() -> None:
    found = way(replace(FULL, shortage=replace(SHORT, since=NOW - PATIENCE + timedelta(seconds=20))))
    assert (found.bounds, found.told.reason, found.look_again) == (Bounds(1), "RollingOut", 20.0)
    assert "at 12:00:20Z one old server gives way" in found.told.message
    assert WORDS in found.told.message


def test_once_begun_it_goes_on_without_waiting_again() -> None:
    begun = replace(FULL, begun=True, shortage=replace(SHORT, since=NOW))
    assert way(begun).gives_way
    found = way(replace(begun, shortage=None))
    assert found.gives_way
    assert "since there was no room for an extra one" in found.told.message


@pytest.mark.parametrize("wanted", [0, 1])
@pytest.mark.parametrize("begun", [True, False])
def test_the_last_server_never_gives_way_by_itself_and_the_fix_is_told(wanted: int, begun: bool) -> None:
    found = way(replace(FULL, wanted=wanted, begun=begun))
    assert (found.bounds, found.told.reason, found.gives_way) == (Bounds(1), "LastServerStays", False)
    assert "spec.rollout.maxUnavailable: 1" in found.told.message


def test_no_server_gives_way_to_one_that_would_not_fit_in_its_place() -> None:
    found = way(replace(FULL, fits=False))
    assert (found.bounds, found.told.reason) == (Bounds(1), "NeedsMoreRoom")


def test_max_surge_0_lets_the_old_one_go_first_and_so_does_max_unavailable() -> None:
    assert way(ROOMY, maxSurge=0).bounds == Bounds(0, 1)
    assert way(ROOMY, maxUnavailable=2).bounds == Bounds(1, 2)
    found = way(ROOMY, maxSurge=3, maxUnavailable=2)
    assert found.bounds == Bounds(3, 2)
    assert found.told.message == (
        "v2 takes v1's place with up to 3 servers more and 2 fewer than 4, as spec.rollout says"
    )


def test_max_unavailable_0_is_kept_and_blamed() -> None:
    assert way(ROOMY, maxUnavailable=0).told.reason == "RollingOut"
    found = way(FULL, maxUnavailable=0)
    assert (found.bounds, found.told.reason) == (Bounds(1, 0), "NoneMayGiveWay")


def test_a_surge_that_the_spec_names_gives_way_too_where_there_is_no_room() -> None:
    assert way(ROOMY, maxSurge=3).bounds == Bounds(3)
    assert way(FULL, maxSurge=3).bounds == IN_PLACE


def test_an_autoscaler_is_held_where_servers_change_places_one_by_one() -> None:
    assert not way(ROOMY).pod_by_pod
    assert all(found.pod_by_pod for found in (way(FULL), way(ROOMY, maxSurge=1), way(ROOMY, maxUnavailable=1)))


def test_a_changed_server_of_the_same_version_is_told_apart() -> None:
    assert way(replace(ROOMY, leaving="v2")).told.message.startswith("the changed v2 takes the old one's place")


@pytest.mark.parametrize("mark", [Mark("0a1b", 4, gives_way=True), Mark("0a1b", 0)])
def test_a_mark_is_read_as_it_was_written(mark: Mark) -> None:
    assert read_mark(str(mark)) == mark


@pytest.mark.parametrize(
    "text", ["", "0a1b/4", "0a1b/-1/held", "0a1b/4/gone", "0a1b/99999/held", "x y/4/held", "0a1b/٤/held"]
)
def test_a_mark_that_we_would_not_have_written_is_none(text: str) -> None:
    assert read_mark(text) is None
