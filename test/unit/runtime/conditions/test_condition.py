from datetime import UTC, datetime, timedelta

from aiop.runtime.conditions.condition import Condition, changed, condition, find, merge_conditions

NOON = datetime(2026, 1, 1, 12, 0, 0, 999_999, tzinfo=UTC)


def merged(existing: tuple[Condition, ...], *wanted: Condition, at: datetime = NOON) -> tuple[Condition, ...]:
    return merge_conditions(existing, wanted, now=at, generation=3)


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
