"""The limit learns what a server can take, against servers of known capacity in virtual time."""

import pytest

from aiop.runtime.client.concurrency import AdaptiveLimit
from support.capacity import Capacity, Load

SLOW = Capacity(at_once=20, seconds=0.2)


def test_the_limit_begins_where_it_is_told_and_is_whole() -> None:
    assert AdaptiveLimit().value == 8
    assert AdaptiveLimit(start=3).value == 3


def test_it_settles_near_what_the_server_does_at_once() -> None:
    load = Load(SLOW)
    load.goes_on_for(30)
    later = load.goes_on_for(240)
    assert min(later.limits) >= 10, "half of it for the moments of a new measurement"
    assert max(later.limits) <= 1.5 * SLOW.at_once
    assert later.rate >= 0.95 * SLOW.at_once / SLOW.seconds


@pytest.mark.parametrize("seed", range(5))
def test_it_does_not_collapse_where_writes_take_now_long_and_now_short(seed: int) -> None:
    load = Load(Capacity(at_once=20, seconds=0.2, spread=0.4), seed=seed)
    load.goes_on_for(30)
    later = load.goes_on_for(240)
    assert later.rate >= 0.75 * SLOW.at_once / SLOW.seconds
    assert sorted(later.limits)[len(later.limits) // 10] >= 8
    assert max(later.limits) <= 2 * SLOW.at_once


def test_it_grows_to_its_bound_on_a_server_without_one_and_no_further() -> None:
    load = Load(Capacity(at_once=10**6, seconds=0.05, spread=0.3), AdaptiveLimit(most=64))
    load.goes_on_for(60)
    assert load.limit.value == 64


def test_a_fast_server_is_given_the_queue_that_its_batches_need() -> None:
    load = Load(Capacity(at_once=1.6, seconds=0.003))
    assert load.goes_on_for(30).limits[-1] >= 15


def test_a_limit_that_is_not_used_does_not_grow() -> None:
    load = Load(Capacity(at_once=100, seconds=0.05), demand=5)
    assert set(load.goes_on_for(55).limits) == {8}


def test_a_server_that_is_slow_by_nature_is_not_starved() -> None:
    load = Load(Capacity(at_once=1000, seconds=0.1))
    load.goes_on_for(20)
    load.server = Capacity(at_once=1000, seconds=2.0)
    load.goes_on_for(60)
    assert min(load.goes_on_for(120).limits) >= 20


def test_it_follows_a_server_down_and_up_again() -> None:
    load = Load(Capacity(at_once=40, seconds=0.2, spread=0.1))
    load.goes_on_for(50)
    assert load.limit.value >= 35
    load.server = Capacity(at_once=5, seconds=0.2, spread=0.1)
    load.goes_on_for(130)
    assert 2 <= load.limit.value <= 15
    load.server = Capacity(at_once=40, seconds=0.2, spread=0.1)
    load.goes_on_for(60)
    assert load.limit.value >= 30


def test_refusals_keep_it_under_the_servers_bound_without_collapse() -> None:
    load = Load(Capacity(at_once=1000, seconds=0.05, refuses_above=30))
    load.goes_on_for(10)
    later = load.goes_on_for(45)
    assert min(later.limits) >= 12
    assert max(later.limits) <= 31
    assert later.rate >= 0.6 * 30 / 0.05
    assert later.refused < 0.05 * later.rate * 45


def test_a_server_that_refuses_all_is_tried_by_one_at_a_time_and_found_again() -> None:
    load = Load(Capacity(at_once=1000, seconds=0.05, refuses_above=0))
    load.goes_on_for(5)
    assert load.limit.value == 1
    load.server = Capacity(at_once=1000, seconds=0.05)
    load.goes_on_for(50)
    assert load.limit.value >= 20


def test_a_queue_of_our_own_making_is_not_taken_for_the_servers_nature() -> None:
    load = Load(SLOW)
    load.goes_on_for(1800)
    assert max(load.goes_on_for(120).limits) <= 1.5 * SLOW.at_once


def test_refusals_of_one_flight_count_once() -> None:
    limit = AdaptiveLimit(start=40)
    for number in range(40):
        limit.overloaded(0.0, 0.1 + number / 1000)
    assert limit.value == 20
    limit.overloaded(1.0, 1.1)
    assert limit.value == 10


def test_a_refusal_while_the_pace_is_measured_anew_halves_what_was_before() -> None:
    limit = AdaptiveLimit(start=40)
    moment = 0.0
    while limit.value == 40:
        moment += 0.05
        limit.succeeded(moment - 0.05, moment)
    assert (limit.value, moment > 60) == (20, True)
    limit.overloaded(moment + 0.01, moment + 0.02)
    assert limit.value == 20
    limit.overloaded(moment + 0.03, moment + 0.04)
    assert limit.value == 10


def test_it_never_falls_under_one() -> None:
    limit = AdaptiveLimit(start=2)
    for moment in range(20):
        limit.overloaded(float(moment), moment + 0.5)
    assert limit.value == 1
