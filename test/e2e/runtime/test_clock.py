"""A wall clock that jumps by hours moves no lease."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.faultyproxy import FaultyProxy
from support.kubectl import eventually
from support.operator import running
from support.storms import Sea, SmallOperator

pytestmark = pytest.mark.real

# Renewals of a lease that is renewed twice a second.
RENEWALS = 12
# The usual times, but for the renewals: who gets no processor for two seconds has not lost it to a clock.
_LEASE = "15/10/0.5/5"


def test_a_clock_that_jumps_ends_no_term_and_tempts_no_standby(
    sea: Sea, operator: SmallOperator, proxy: FaultyProxy, tmp_path: Path
) -> None:
    operator.options("--clock-jumps", "--identity", "jumpy", "--lease-times", _LEASE)
    operator.start()
    eventually(operator.leads)
    steady = SmallOperator(
        operator.kubeconfig, tmp_path / "standby", *operator.arguments, "--identity", "steady", "--no-clock-jumps"
    )
    with running(steady) as standby:
        standby.start()
        renewed = [_renewal(sea)]
        for number in range(RENEWALS):
            sea.make(f"s{number}")
            eventually(lambda: _renewal(sea) != renewed[-1])
            renewed.append(_renewal(sea))
        sea.converges()
        assert max(renewed) - min(renewed) > timedelta(hours=1)  # it did jump
        lease = _lease(sea)
        assert (lease["holderIdentity"], lease["leaseTransitions"]) == ("jumpy", 0)
        assert operator.leads()
        assert not standby.leads()
        assert not operator.said_of("leads no longer")


def _lease(sea: Sea) -> dict[str, Any]:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{sea.namespace}/leases/operator"
    spec: dict[str, Any] = sea.rest.get(path)["spec"]
    return spec


def _renewal(sea: Sea) -> datetime:
    return datetime.fromisoformat(_lease(sea)["renewTime"])
