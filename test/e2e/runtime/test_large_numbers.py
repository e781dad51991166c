"""A hundred thousand objects are there when the operator starts; ten thousand go as fast as etcd lets them."""

from pathlib import Path

import pytest

from support.etcd import Etcd
from support.kubectl import eventually
from support.storms import USUAL_LEASE, Sea

pytestmark = [pytest.mark.real, pytest.mark.slow]

OBJECTS = 100_000
GONE_AT_ONCE = 10_000
WITH_CHILDREN = 10
# Measured: about 230 MB with the interpreter and its libraries, of which 50 without any object.
MOST_BYTES = 600 * 2**20
PATIENCE_SECONDS = 120.0
CACHED = 'informer_cached_objects{informer="storms"}'
PASSES = 'controller_runtime_reconcile_total{controller="storms",result="success"}'


def name(number: int) -> str:
    return f"s{number:06d}"


def test_a_hundred_thousand_objects_come_and_go_in_bounded_memory(own_sea: Sea, tmp_path: Path) -> None:
    etcd = Etcd(own_sea.plane.etcd_url)
    etcd.put(own_sea.stored(name(number), wanted=number < WITH_CHILDREN) for number in range(OBJECTS))
    with own_sea.operated(tmp_path / "operator", "--lease-times", USUAL_LEASE) as operator:
        assert operator.metric(CACHED) == OBJECTS
        eventually(lambda: operator.metric(PASSES) >= OBJECTS, seconds=PATIENCE_SECONDS)
        assert operator.resident_bytes() < MOST_BYTES
        # One ConfigMap and one status for each that wanted it, and not a write for all the others.
        assert len(own_sea.writes()) == 2 * WITH_CHILDREN

        etcd.delete(own_sea.stored_key(name(number)) for number in range(GONE_AT_ONCE))
        own_sea.make("witness")
        eventually(lambda: operator.metric(CACHED) == OBJECTS - GONE_AT_ONCE + 1, seconds=PATIENCE_SECONDS)
        eventually(lambda: own_sea.children() == ["witness"], seconds=PATIENCE_SECONDS, told=own_sea.children)
        assert operator.resident_bytes() < MOST_BYTES
        assert not operator.said_of("leads no longer")
