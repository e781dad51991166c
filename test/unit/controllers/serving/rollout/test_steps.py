"""Rollouts as a game against a cluster that may start pods late, never, or lose them."""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.controllers.serving.rollout.steps import Bounds, RevisionState, autoscaled_steps, rolling_steps, usual_surge

TARGET = "target"
SURGING = Bounds(surge=1)
IN_PLACE = Bounds(surge=0, unavailable=1)


def state(name: str, desired: int, available: int, *, number: int = 1, served: bool | None = None) -> RevisionState:
    return RevisionState(name, number, desired, desired, available, available > 0 if served is None else served)


old_states = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.booleans()), min_size=0, max_size=3).map(
    lambda rows: [
        state(f"old-{number}", desired, min(desired, available), number=number + 1, served=served or available > 0)
        for number, (desired, available, served) in enumerate(rows)
    ]
)


all_bounds = st.builds(Bounds, st.integers(0, 4), st.integers(0, 4)).filter(lambda each: each != Bounds(0, 0))


@dataclass
class Game:
    """Counts only: the operator sets what is desired, the cluster makes pods available where it has room."""

    states: dict[str, RevisionState]
    aimed_at: str = ""
    room: int = 1000

    def play(self, wanted: int, pace: int, bounds: Bounds | None = None) -> None:
        """One pass and what follows; without bounds an autoscaler owns the number."""
        found = list(self.states.values())
        if bounds is None:
            steps = autoscaled_steps(TARGET, found, self.aimed_at, wanted)
            self.aimed_at = steps.serving
        else:
            steps = rolling_steps(TARGET, found, wanted, bounds)
        for name, count in steps.counts.items():
            known = self.states.get(name, RevisionState(name, 9, 0, 0, 0, served=False))
            self.states[name] = replace(known, desired=count, existing=count, available=min(known.available, count))
        target = self.states[TARGET]
        available = max(target.available, min(target.desired, target.available + pace, self.room - self.others()))
        full = target.served or (available == target.desired > 0)
        self.states[TARGET] = replace(target, available=available, served=full)

    @property
    def available(self) -> int:
        return sum(each.available for each in self.states.values())

    @property
    def desired(self) -> int:
        return sum(each.desired for each in self.states.values())

    def others(self) -> int:
        return sum(each.desired for each in self.states.values() if each.name != TARGET)


@given(old_states, st.integers(0, 8), st.integers(1, 3), all_bounds)
def test_a_rollout_ends_with_the_target_alone(
    olds: list[RevisionState], wanted: int, pace: int, bounds: Bounds
) -> None:
    game = Game({each.name: each for each in olds})
    for _ in range(100):
        game.play(wanted, pace, bounds)
    assert game.states[TARGET].desired == wanted
    assert game.others() == 0


@given(old_states, st.integers(0, 8), st.integers(0, 3), all_bounds)
def test_a_rollout_never_takes_an_available_server_beyond_the_bound(
    olds: list[RevisionState], wanted: int, pace: int, bounds: Bounds
) -> None:
    game = Game({each.name: each for each in olds})
    for _ in range(60):
        before = game.available
        game.play(wanted, pace, bounds)
        assert game.available >= min(before, wanted - bounds.unavailable)


@given(old_states, st.integers(0, 8), st.integers(0, 3), all_bounds)
def test_a_rollout_never_asks_for_more_than_the_bound(
    olds: list[RevisionState], wanted: int, pace: int, bounds: Bounds
) -> None:
    game = Game({each.name: each for each in olds})
    ceiling = max(game.desired, wanted + bounds.surge)
    for _ in range(60):
        game.play(wanted, pace, bounds)
        assert game.desired <= ceiling


@given(st.integers(1, 8), st.integers(1, 3), all_bounds.filter(lambda each: each.unavailable > 0))
def test_a_full_cluster_rolls_to_the_end_where_old_servers_may_go_first(wanted: int, pace: int, bounds: Bounds) -> None:
    game = Game({"old": state("old", wanted, wanted)}, room=wanted)
    for _ in range(100):
        game.play(wanted, pace, bounds)
        assert game.available >= wanted - bounds.unavailable
    assert game.states[TARGET].available == wanted
    assert game.others() == 0


def test_the_usual_surge_is_a_quarter_and_at_least_one() -> None:
    assert [usual_surge(wanted) for wanted in (0, 1, 4, 5, 8, 9)] == [1, 1, 1, 2, 2, 3]


def test_who_has_most_of_the_available_servers_is_aimed_at() -> None:
    assert rolling_steps(TARGET, [state("old", 3, 3), state(TARGET, 4, 2)], 4, IN_PLACE).serving == "old"
    assert rolling_steps(TARGET, [state("old", 2, 2), state(TARGET, 4, 2)], 4, IN_PLACE).serving == TARGET


@given(old_states, st.integers(1, 8), st.integers(1, 3), st.integers(-1, 2))
def test_a_rollout_under_an_autoscaler_ends_with_the_target_alone_and_aimed_at(
    olds: list[RevisionState], start: int, pace: int, aim: int
) -> None:
    game = Game({each.name: each for each in olds}, aimed_at=f"old-{aim}")
    for _ in range(100):
        game.play(start, pace)
    assert game.aimed_at == TARGET
    assert game.others() == 0
    assert game.states[TARGET].desired >= 1


@given(old_states, st.integers(1, 8), st.integers(0, 3), st.integers(-1, 2))
def test_a_rollout_under_an_autoscaler_never_falls_below_what_the_autoscaler_wants(
    olds: list[RevisionState], start: int, pace: int, aim: int
) -> None:
    aimed_at = f"old-{aim}"
    game = Game({each.name: each for each in olds}, aimed_at=aimed_at)
    aimed = game.states.get(aimed_at)
    wanted = aimed.desired if aimed and (aimed.available or aimed.served) else start
    for _ in range(60):
        before = game.available
        game.play(start, pace)
        assert game.available >= min(before, wanted, sum(each.available for each in olds))


def test_the_first_revision_gets_its_whole_number_at_once() -> None:
    assert rolling_steps(TARGET, [], 5, SURGING).counts == {TARGET: 5}
    assert autoscaled_steps(TARGET, [], "", 3).counts == {TARGET: 3}


def test_a_revision_that_served_and_fell_ill_is_no_reason_to_wait_for_it() -> None:
    steps = rolling_steps(TARGET, [state("old", 4, 0, served=True), state(TARGET, 1, 1)], 4, SURGING)
    assert steps.counts == {"old": 3, TARGET: 1}
    steps = rolling_steps(TARGET, [state("old", 3, 0, served=True), state(TARGET, 1, 1)], 4, SURGING)
    assert steps.counts[TARGET] == 2


def test_what_never_served_gives_way_at_once() -> None:
    states = [state("good", 3, 3), state("bad", 1, 0, served=False)]
    assert rolling_steps(TARGET, states, 3, SURGING).counts == {"bad": 0, "good": 3, TARGET: 1}


def test_the_autoscaler_moves_only_when_the_target_carries_the_live_count() -> None:
    old = state("old", 5, 5)
    waiting = autoscaled_steps(TARGET, [old, state(TARGET, 5, 4)], "old", 2)
    assert (waiting.serving, waiting.counts) == ("old", {TARGET: 5})
    moving = autoscaled_steps(TARGET, [old, state(TARGET, 5, 5)], "old", 2)
    assert (moving.serving, moving.counts) == (TARGET, {TARGET: 5})
    moved = autoscaled_steps(TARGET, [old, state(TARGET, 5, 5)], TARGET, 2)
    assert (moved.serving, moved.counts) == (TARGET, {"old": 0})


def test_the_autoscaler_moves_to_the_target_when_it_carries_more_than_an_old_one_that_fell_ill() -> None:
    steps = autoscaled_steps(TARGET, [state("old", 5, 1), state(TARGET, 5, 2)], "old", 2)
    assert steps.serving == TARGET


def test_the_target_follows_the_autoscalers_count_while_it_waits() -> None:
    assert autoscaled_steps(TARGET, [state("old", 7, 7), state(TARGET, 5, 1)], "old", 2).counts == {TARGET: 7}


def test_the_count_of_the_target_is_the_autoscalers_once_it_aims_at_it() -> None:
    assert TARGET not in autoscaled_steps(TARGET, [state(TARGET, 4, 4)], TARGET, 2).counts


@settings(max_examples=30)
@given(st.integers(1, 8), st.integers(1, 8))
def test_lower_replicas_apply_to_old_servers_too(before: int, wanted: int) -> None:
    counts = rolling_steps(TARGET, [state("old", before, before)], wanted, SURGING).counts
    assert counts["old"] == min(before, wanted)
