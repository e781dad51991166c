"""The watch over the event loop, watched."""

import time

import pytest

from aiop.sim.server.tls import Identity
from support.blocking import BlockedTheLoop, forgiven


async def test_a_blocking_call_of_the_products_in_the_loop_is_refused_and_remembered() -> None:
    with pytest.raises(BlockedTheLoop):
        Identity.for_hosts("localhost")  # writes a temporary file
    assert forgiven() != []


def test_the_same_call_outside_a_loop_is_fine() -> None:
    assert Identity.for_hosts("localhost").certificate_authority.startswith("-----BEGIN CERTIFICATE-----")
    assert forgiven() == []


async def test_what_a_test_itself_does_is_its_own_business() -> None:
    time.sleep(0.001)  # noqa: ASYNC251 - the point of the test
    assert forgiven() == []
