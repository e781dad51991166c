from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aiop.runtime.conditions.condition import Condition, changed, condition, find, merge_conditions

NOON = datetime(2026, 1, 1, 12, 0, 0, 999_999, tzinfo=UTC)

names = st.sampled_from(["Accepted", "Available", "Ready", "Stalled"])
statuses = st.sampled_from([True, False, None])
plans = st.lists(st.tuples(names, statuses, st.sampled_from(["One", "Two"])), unique_by=lambda each: each[0])


def merged(existing: tuple[Condition, ...], *wanted: Condition, at: datetime = NOON) -> tuple[Condition, ...]:
    return merge_conditions(existing, wanted, now=at, generation=3)


def test_a_new_condition_gets_the_time_in_whole_seconds_and_the_generation() -> None:
    (ready,) = merged((), condition("Ready", True, "Serving", "all is well"))
    assert ready == Condition("Ready", "True", "Serving", "all is well", "2026-01-01T12:00:00Z", 3)


def test_the_transition_time_stays_while_only_reason_message_and_generation_change() -> None:
    before = merged((), condition("Ready", False, "Rolling", "1 of 3"))
    (after,) = merge_conditions(
        before, [condition("Ready", False, "CrashLoop", "0 of 3")], now=NOON + timedelta(hours=1), generation=4
    )
    assert after == Condition("Ready", "False", "CrashLoop", "0 of 3", "2026-01-01T12:00:00Z", 4)


def test_the_transition_time_moves_when_the_status_flips() -> None:
    before = merged((), condition("Ready", None, "Unknown"))
    (after,) = merged(before, condition("Ready", True, "Serving"), at=NOON + timedelta(hours=1))
    assert (after.status, after.last_transition_time) == ("True", "2026-01-01T13:00:00Z")


def test_a_condition_without_a_transition_time_gets_one() -> None:
    (after,) = merged((Condition("Ready", "True"),), condition("Ready", True, "Serving"))
    assert after.last_transition_time == "2026-01-01T12:00:00Z"


def test_conditions_come_in_the_order_of_the_plan_and_those_not_wanted_go() -> None:
    before = merged(
        (), condition("Ready", True, "A"), condition("Stalled", True, "A"), condition("Accepted", True, "A")
    )
    after = merged(before, condition("Accepted", True, "A"), condition("Ready", True, "A"))
    assert [each.type for each in after] == ["Accepted", "Ready"]


def test_a_message_is_cut_to_what_the_api_takes_and_never_inside_a_character() -> None:
    message = condition("Ready", False, "Bad", "x" + "é" * 40_000).message
    assert message == "x" + "é" * 16_383
    assert len(message.encode()) <= 32_768


def test_what_changed_is_what_is_new_or_has_another_status_or_reason() -> None:
    before = merged((), condition("Accepted", True, "A"), condition("Ready", False, "Rolling", "1 of 3"))
    wanted = (condition("Accepted", True, "A"), condition("Ready", False, "Rolling", "2 of 3"))
    assert changed(before, merged(before, *wanted)) == []
    later = merged(before, condition("Ready", False, "CrashLoop"), condition("Stalled", True, "Failed"))
    assert [each.type for each in changed(before, later)] == ["Ready", "Stalled"]


def test_a_condition_is_found_by_its_type() -> None:
    conditions = merged((), condition("Ready", True, "A"))
    assert find(conditions, "Ready") is conditions[0]
    assert find(conditions, "Stalled") is None


@given(plans, plans, st.integers(0, 10**6))
def test_merging_again_changes_nothing_and_times_move_only_with_the_status(
    first: list[tuple[str, bool | None, str]], second: list[tuple[str, bool | None, str]], seconds: int
) -> None:
    before = merged((), *(condition(*each) for each in first))
    later = NOON + timedelta(seconds=seconds)
    after = merged(before, *(condition(*each) for each in second), at=later)
    assert merged(after, *(condition(*each) for each in second), at=later + timedelta(days=1)) == after
    for each in after:
        known = find(before, each.type)
        if known is not None and known.status == each.status:
            assert each.last_transition_time == known.last_transition_time
        else:
            assert each.last_transition_time == later.strftime("%Y-%m-%dT%H:%M:%SZ")
