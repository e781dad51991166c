"""Conditions: times that mean something, a summary that tools understand, and no write without a change."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.runtime.client.client import Client
from aiop.runtime.client.resource import Resource
from aiop.runtime.conditions.condition import Condition, condition, find, merge_conditions, set_condition
from aiop.runtime.conditions.status import StatusWriter
from aiop.runtime.conditions.summary import Why, complete, summarise, while_true
from aiop.runtime.views.meta import ObjectMeta
from support.clock import FakeClock
from support.transport import ScriptedTransport

NOON = datetime(2026, 1, 1, 12, 0, 0, 999_999, tzinfo=UTC)
WIDGETS = Resource("example.com", "v1", "Widget", "widgets")
META = ObjectMeta(name="one", namespace="default", uid="u1", resource_version="7")
KINDS = ("Accepted", "Available", "Degraded")

statuses = st.sampled_from([True, False, None])
plans = st.lists(
    st.tuples(st.sampled_from(["Accepted", "Available", "Ready", "Stalled"]), statuses, st.sampled_from("AB")),
    unique_by=lambda each: each[0],
)


def merged(existing: tuple[Condition, ...], *wanted: Condition, at: datetime = NOON) -> tuple[Condition, ...]:
    return merge_conditions(existing, wanted, now=at, generation=3)


# Times and generations.


@pytest.mark.promise("S36")
def test_a_new_condition_gets_the_time_in_whole_seconds_and_the_generation() -> None:
    (ready,) = merged((), condition("Ready", True, "Serving", "all is well"))
    assert ready == Condition("Ready", "True", "Serving", "all is well", "2026-01-01T12:00:00Z", 3)


@pytest.mark.promise("S36")
def test_the_transition_time_stays_while_only_reason_message_and_generation_change() -> None:
    before = merged((), condition("Ready", False, "Rolling", "1 of 3"))
    (after,) = merge_conditions(
        before, [condition("Ready", False, "CrashLoop", "0 of 3")], now=NOON + timedelta(hours=1), generation=4
    )
    assert after == Condition("Ready", "False", "CrashLoop", "0 of 3", "2026-01-01T12:00:00Z", 4)


@pytest.mark.promise("S36")
@given(plans, plans, st.integers(0, 10**6))
@settings(deadline=None)
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


@pytest.mark.promise("S36")
def test_a_condition_that_is_set_leaves_the_others_as_they_are() -> None:
    before = merged((), condition("Accepted", True, "A"), condition("Ready", False, "Rolling"))
    later = NOON + timedelta(hours=1)
    after = set_condition(before, condition("Accepted", False, "BadSpec"), now=later, generation=9)
    assert after == (Condition("Accepted", "False", "BadSpec", "", "2026-01-01T13:00:00Z", 9), before[1])
    more = set_condition(after, condition("Degraded", False, "Healthy"), now=later, generation=9)
    assert [each.type for each in more] == ["Accepted", "Ready", "Degraded"]
    assert set_condition(more, condition("Degraded", False, "Healthy"), now=NOON, generation=9) == more


@pytest.mark.promise("S36")
def test_a_first_visit_says_all_conditions_that_there_will_be() -> None:
    told = complete(KINDS, [condition("Available", True, "Up")])
    assert [(each.type, each.status) for each in told] == [
        ("Accepted", "Unknown"),
        ("Available", "True"),
        ("Degraded", "Unknown"),
    ]
    assert all(each.reason for each in told), "the API refuses a condition without a reason"


# The summary.


@pytest.mark.promise("S36")
def test_what_is_bad_speaks_before_what_is_unknown_and_the_first_of_them_is_quoted() -> None:
    parts = [
        condition("Accepted", True, "Accepted"),
        condition("Available", None, "NotYetKnown"),
        condition("Degraded", True, "CrashLoop", "main ends at once"),
        condition("Scaling", False, "NoMetric"),
    ]
    *same, ready, reconciling = summarise(parts, negative=["Degraded"])
    assert same == parts
    assert ready == condition("Ready", False, "CrashLoop", "main ends at once")
    assert reconciling == condition("Reconciling", True, "CrashLoop", "main ends at once")


@pytest.mark.promise("S36")
def test_the_polarity_of_a_condition_decides_what_its_true_means() -> None:
    good = [condition("Available", True, "Up"), condition("Degraded", False, "Healthy")]
    assert summarise(good, negative=["Degraded"], success=Why("Up", "it runs"))[2:] == (
        condition("Ready", True, "Up", "it runs"),
    )
    assert summarise(good, negative=["Available"])[2] == condition("Ready", False, "Up")


@pytest.mark.promise("S36")
def test_what_is_stalled_is_not_reconciling_too() -> None:
    why = Why("NameTaken", "rename it")
    assert while_true(stalled=why, reconciling=Why("RollingOut")) == (condition("Stalled", True, *why),)
    assert while_true(stalled=None, reconciling=why) == (condition("Reconciling", True, *why),)
    assert while_true(stalled=None, reconciling=None) == ()


@dataclass(frozen=True, slots=True)
class Told:
    """What kstatus looks at."""

    generation: int
    observed: int
    dying: bool
    conditions: tuple[Condition, ...]


def kstatus(told: Told) -> str:
    """The published rules: deletion first, then the generation, then the two abnormal conditions, then Ready."""
    if told.dying:
        return "Terminating"
    if told.observed != told.generation:
        return "InProgress"
    status = {each.type: each.status for each in told.conditions}
    if status.get("Reconciling") == "True":
        return "InProgress"
    if status.get("Stalled") == "True":
        return "Failed"
    return "InProgress" if status.get("Ready", "True") != "True" else "Current"


@pytest.mark.promise("S36")
@given(st.tuples(statuses, statuses, statuses), st.booleans())
@settings(deadline=None)
def test_generic_tools_read_from_a_summary_what_is_the_case(
    found: tuple[bool | None, bool | None, bool | None], hopeless: bool
) -> None:
    parts = [condition(kind, status, "Said") for kind, status in zip(KINDS, found, strict=True)]
    told = summarise(parts, negative=["Degraded"], stalled=Why("Hopeless") if hopeless else None)
    expected = "Failed" if hopeless else "Current" if found == (True, True, False) else "InProgress"
    assert kstatus(Told(3, 3, dying=False, conditions=told)) == expected
    assert kstatus(Told(4, 3, dying=False, conditions=told)) == "InProgress", "not yet about the newest spec"
    assert kstatus(Told(4, 3, dying=True, conditions=told)) == "Terminating"
    assert [each.type for each in told].count("Ready") == 1


@pytest.mark.promise("S36")
def test_generic_tools_see_that_a_finished_task_is_done_and_that_a_failed_one_failed() -> None:
    done = summarise([condition("Complete", True, "Succeeded")], success=Why("Succeeded", "all 3 pods ended well"))
    assert find(done, "Ready") == condition("Ready", True, "Succeeded", "all 3 pods ended well")
    assert kstatus(Told(1, 1, dying=False, conditions=done)) == "Current"
    failed = summarise([condition("Complete", False, "Failed")], stalled=Why("Failed", "it was tried 6 times"))
    assert kstatus(Told(1, 1, dying=False, conditions=failed)) == "Failed"


# The write.


@pytest.mark.promise("S35", "S36")
async def test_an_unchanged_status_is_no_call_however_late_it_is_worked_out_again() -> None:
    """A no-change apply would still cost admission and a read. The cached live status is compared, so no memory of
    hashes is needed; and no time stands in a status but that of a transition, so there is nothing that only ticks.
    """
    transport = ScriptedTransport()
    writer = StatusWriter(Client(transport, clock=FakeClock()), WIDGETS, "aiop/widgets")
    live = b"{}"
    for hours in range(3):
        known = msgspec.convert(msgspec.json.decode(live).get("conditions", []), tuple[Condition, ...])
        told = merged(known, *summarise([condition("Accepted", True, "A")]), at=NOON + timedelta(hours=hours))
        status = msgspec.json.encode({"observedGeneration": 3, "conditions": told})
        live = status if await writer.write(META, live, status) else live
    assert len(transport.requests) == 1


@pytest.mark.promise("S35")
async def test_an_unchanged_status_is_no_call_whatever_the_order_of_its_keys() -> None:
    transport = ScriptedTransport()
    writer = StatusWriter(Client(transport, clock=FakeClock()), WIDGETS, "aiop/widgets")
    assert await writer.write(META, b'{"a":1,"b":[2]}', b'{ "b": [2], "a": 1 }') is None
    assert transport.requests == []
