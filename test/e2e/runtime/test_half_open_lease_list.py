"""A LIST of the Lease that is never answered: the election must give it up as it gives up its writes."""

import pytest

from support.faults import is_lease, swallows
from support.faultyproxy import FaultyProxy
from support.kubectl import eventually
from support.storms import Sea, SmallOperator

pytestmark = pytest.mark.real


def test_a_lease_list_that_is_never_answered_delays_an_election_by_no_more_than_a_lease(
    sea: Sea, operator: SmallOperator, proxy: FaultyProxy
) -> None:
    with proxy.befalls(swallows(), lambda exchange: is_lease(exchange) and exchange.method == "GET", nth=1) as fault:
        operator.start()
        eventually(lambda: fault.hits)
        eventually(operator.leads, seconds=20)  # the lease's own times are 3/2/0.5 s
