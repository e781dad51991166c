"""The API server refuses, fails and forgets; what was asked meanwhile is done in the end, and then all is quiet."""

import time

import pytest

from support.etcd import Etcd
from support.faults import Fault, answers
from support.faultyproxy import FaultyProxy
from support.kubectl import eventually
from support.storms import OBJECTS, Sea, SmallOperator

pytestmark = pytest.mark.real

# How long a storm lasts after the last change made in it.
STORM_SECONDS = 3.0
# Three pages of a list.
STORED = 1200


def test_without_a_fault_all_is_as_it_should_be(sea: Sea, operator: SmallOperator) -> None:
    operator.start()
    sea.make_changes()
    sea.converges()
    sea.stays_quiet()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answers(409, "Conflict"), id="409"),
        pytest.param(answers(429, "TooManyRequests", retry_after=1), id="429"),
        pytest.param(answers(500, "InternalError"), id="500"),
        pytest.param(answers(503, "ServiceUnavailable"), id="503"),
    ],
)
def test_half_of_all_requests_are_refused_and_nothing_is_lost(
    sea: Sea, operator: SmallOperator, proxy: FaultyProxy, fault: Fault
) -> None:
    operator.start()
    before = operator.resident_bytes()
    with proxy.befalls(fault, share=0.5) as storm:
        sea.make_changes()
        proxy.cut()  # now the watches meet it, too
        eventually(lambda: storm.hits > OBJECTS, told=lambda: storm.hits)
        time.sleep(STORM_SECONDS)  # the storm itself
    sea.converges()
    sea.stays_quiet()
    assert operator.resident_bytes() < 2 * before


def test_an_expired_continue_token_leads_to_a_new_list(sea: Sea, operator: SmallOperator, proxy: FaultyProxy) -> None:
    Etcd(sea.plane.etcd_url).put(sea.stored(f"s{number:04d}", wanted=number < 5) for number in range(STORED))
    with (
        proxy.befalls(answers(422, "Invalid"), lambda exchange: "sendInitialEvents" in exchange.query),
        proxy.befalls(answers(410, "Expired"), lambda exchange: "continue" in exchange.query, nth=2) as expiry,
    ):
        operator.start()
    assert expiry.hits == 1
    assert operator.metric('informer_cached_objects{informer="storms"}') == STORED
    sea.converges()
