"""RBAC is taken away and given back."""

from functools import partial

import pytest

from support.faultyproxy import FaultyProxy
from support.kubectl import eventually
from support.storms import Sea, SmallOperator

pytestmark = pytest.mark.real


def test_rights_that_come_back_are_enough(sea: Sea, operator: SmallOperator, proxy: FaultyProxy) -> None:
    operator.start()
    sea.make("before")
    sea.converges()
    sea.take_rights()
    proxy.cut()  # a watch that is open stays open, whoever lost the right to it
    sea.make_changes()
    for resource in ("storms", "configmaps", "leases"):
        eventually(partial(operator.said_of, f'resource "{resource}"'))  # cannot list it, watch it …
    assert not operator.ended
    sea.give_rights()
    sea.converges()
    sea.stays_quiet()


def test_who_starts_without_rights_names_them_and_goes_on_when_it_has_them(sea: Sea, operator: SmallOperator) -> None:
    sea.take_rights()
    sea.make_changes()
    operator.launch()
    eventually(lambda: operator.said_of('resource "storms"'))
    assert "storms" in operator.readiness()
    sea.give_rights()
    eventually(operator.ready)
    sea.converges()
