"""Slow, half-open, cut and silent connections: work goes on, or goes on again, and nothing is done twice."""

import time

import pytest

from support.faults import (
    Exchange,
    Fault,
    answers,
    cuts_line,
    delays,
    duplicates,
    expires,
    falls_silent,
    is_watch,
    is_write,
    loses_answer,
    on,
    swallows,
)
from support.faultyproxy import FaultyProxy
from support.kubectl import eventually
from support.storms import USUAL_LEASE, Sea, SmallOperator

pytestmark = pytest.mark.real

# How long a fault lasts after the last change made under it.
FAULT_SECONDS = 4.0
IDLE_SECONDS = 3.0


def write_or_watch(exchange: Exchange) -> bool:
    return exchange.mutates or exchange.watches


def test_on_a_slow_network_all_work_is_done_in_one_term(sea: Sea, operator: SmallOperator, proxy: FaultyProxy) -> None:
    operator.options("--lease-times", USUAL_LEASE)
    with proxy.befalls(delays(0.1, 3.0), share=0.5), proxy.befalls(delays(0.1, 1.0, back=True), share=0.5):
        operator.start()
        sea.make_changes()
        sea.converges()
    assert operator.leads()
    assert not operator.said_of("leads no longer")
    sea.stays_quiet()


def test_half_open_connections_are_given_up_and_the_work_is_done(
    sea: Sea, operator: SmallOperator, proxy: FaultyProxy
) -> None:
    operator.options("--idle-seconds", str(IDLE_SECONDS))
    operator.start()
    with proxy.befalls(swallows(), write_or_watch, share=0.3) as fault:
        proxy.cut()
        sea.make_changes()
        eventually(lambda: fault.hits > 10, told=lambda: fault.hits)
    sea.converges()
    sea.stays_quiet()


def test_refused_connections_cost_no_new_list(sea: Sea, operator: SmallOperator, proxy: FaultyProxy) -> None:
    operator.start()
    eventually(operator.leads)
    with proxy.closed():
        sea.make_changes()
        time.sleep(FAULT_SECONDS)  # the outage itself
        assert operator.readiness() == "ok"
    sea.converges()
    assert _lists(operator) == 2
    assert operator.said_of("list or watch failed")
    sea.stays_quiet()


@pytest.mark.parametrize(
    ("fault", "lists_again"),
    [
        pytest.param(cuts_line(2, at=25), False, id="cut in a line"),
        pytest.param(expires(after=2), True, id="expired in the stream"),
    ],
)
def test_watches_that_break_off_lose_no_event(
    sea: Sea, operator: SmallOperator, proxy: FaultyProxy, fault: Fault, lists_again: bool
) -> None:
    operator.start()
    with proxy.befalls(fault, on("storms|configmaps", is_watch), every=2) as rule:
        proxy.cut()
        sea.make_changes()
        sea.converges()
        eventually(lambda: rule.hits)  # one watch of the two is enough to converge, and another may come later
        if lists_again:
            eventually(lambda: _lists(operator) > 2)
        assert (_lists(operator) > 2) == lists_again
    sea.stays_quiet()


def test_a_watch_that_never_sends_is_resumed(sea: Sea, operator: SmallOperator, proxy: FaultyProxy) -> None:
    operator.options("--idle-seconds", str(IDLE_SECONDS))
    operator.start()
    sea.make("before")
    sea.converges()
    with proxy.befalls(falls_silent(), on("storms", is_watch)) as rule:
        proxy.cut()
        eventually(lambda: rule.hits)
    sea.make("after")  # the silent watch is still open
    sea.converges()
    sea.stays_quiet()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(loses_answer(), id="answers lost"),
        pytest.param(duplicates(0.0, 1.0), id="requests doubled"),
        pytest.param(delays(2.0, 4.0), id="late, their caller gone"),
    ],
)
def test_writes_whose_fate_is_unknown_are_done_once(
    sea: Sea, operator: SmallOperator, proxy: FaultyProxy, fault: Fault
) -> None:
    operator.start()
    with proxy.befalls(fault, is_write, share=0.5) as rule:
        sea.make_changes()
        eventually(lambda: rule.hits > 10, told=lambda: rule.hits)
    eventually(lambda: not proxy.under_way)
    sea.converges()
    sea.stays_quiet()


def test_who_starts_in_a_storm_says_what_it_waits_for(sea: Sea, operator: SmallOperator, proxy: FaultyProxy) -> None:
    sea.make("one")
    with proxy.befalls(answers(503, "ServiceUnavailable"), on("configmaps")):
        operator.launch()
        eventually(lambda: "configmaps" in operator.readiness(), told=operator.readiness)
        eventually(lambda: "storms" not in operator.readiness(), told=operator.readiness)
        assert not operator.leads()
        eventually(lambda: operator.said_of("ServiceUnavailable"))
    eventually(operator.ready)
    sea.converges()


def _lists(operator: SmallOperator) -> float:
    """How often the two informers have listed."""
    return sum(operator.metric(f'informer_lists_total{{informer="{name}"}}') for name in ("storms", "configmaps"))
