import threading

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import ProtocolError, WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.shard import shard_of
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.record import LeaseRecord, decode_lease, encode_lease
from support.clock import FakeClock
from support.transport import ScriptedTransport

KEY = ObjectKey("default", "one")


def test_a_gate_is_closed_until_a_lease_opens_it_and_again_when_the_lease_has_run_out() -> None:
    clock = FakeClock()
    gate = LeaseGate(clock)
    with pytest.raises(WriteNotPermitted, match="default/one"):
        gate.permit(KEY)
    gate.open(0, 10.0)
    assert gate.permit(KEY) == 10.0
    clock._elapsed = 10.0
    with pytest.raises(WriteNotPermitted):
        gate.permit(KEY)


def test_a_gate_that_was_closed_permits_nothing() -> None:
    gate = LeaseGate(FakeClock())
    gate.open(0, 10.0)
    gate.close(0)
    with pytest.raises(WriteNotPermitted):
        gate.permit(KEY)


async def test_no_byte_leaves_through_a_closed_gate_and_none_stays_under_way_after_the_lease() -> None:
    clock, transport = FakeClock(), ScriptedTransport()
    gate = LeaseGate(clock)
    client = Client(transport, clock=clock, gate=gate)
    with pytest.raises(WriteNotPermitted):
        await client.create(CONFIGMAPS, "default", {}, field_manager="aiop")
    assert transport.requests == []
    gate.open(0, 7.5)
    await client.create(CONFIGMAPS, "default", {}, field_manager="aiop")
    (request,) = transport.requests
    assert request.timeout == 7.5
    assert ("timeout", "7s") in request.query


@given(st.text(), st.integers(1, 64))
def test_every_namespace_has_one_shard(namespace: str, shards: int) -> None:
    assert 0 <= shard_of(namespace, shards) < shards
    assert shard_of(namespace, 1) == 0


def test_the_shard_of_a_namespace_never_changes_between_versions() -> None:
    assert [shard_of(name, 8) for name in ("default", "team-a", "team-b", "kube-system")] == [7, 5, 7, 5]


def test_shards_are_led_one_by_one() -> None:
    gate = LeaseGate(FakeClock(), shards=8)
    gate.open(5, 10.0)
    assert gate.permit(ObjectKey("team-a", "one")) == 10.0
    with pytest.raises(WriteNotPermitted):
        gate.permit(ObjectKey("team-b", "one"))


def test_shards_opened_from_several_threads_do_not_undo_each_other() -> None:
    gate = LeaseGate(FakeClock(), shards=8)

    def many(shard: int) -> None:
        for number in range(1, 500):
            gate.open(shard, float(number))

    threads = [threading.Thread(target=many, args=(shard,)) for shard in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dict(gate._valid_until) == dict.fromkeys(range(8), 499.0)


def test_a_record_survives_the_way_to_the_server_and_back() -> None:
    record = LeaseRecord("me", 15.0, "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:02.000000Z", 3, "17", "")
    lease = encode_lease(ObjectKey("ns", "lease"), record)
    assert lease["metadata"] == {"name": "lease", "namespace": "ns", "resourceVersion": "17"}
    assert decode_lease(msgspec.json.encode(lease)) == record


def test_a_lease_that_says_nothing_is_an_empty_record() -> None:
    data = b'{"metadata":{"resourceVersion":"5","uid":"u"},"spec":{"holderIdentity":null}}'
    assert decode_lease(data) == LeaseRecord(version="5", uid="u")
    assert decode_lease(b'{"metadata":{"resourceVersion":"5","uid":"u"}}') == LeaseRecord(version="5", uid="u")


def test_a_duration_is_rounded_up_so_that_others_come_too_late_rather_than_too_early() -> None:
    lease = encode_lease(ObjectKey("ns", "lease"), LeaseRecord("me", 1.2))
    assert lease["spec"]["leaseDurationSeconds"] == 2  # type: ignore[index]  # a JSON object


@pytest.mark.parametrize(
    "data",
    [
        b"<html>try again</html>",
        b'{"metadata":{"uid":"\xff"}}',
        b'{"metadata":{},"status":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
    ids=["HTML", "not UTF-8", "nested too deep"],
)
def test_an_answer_that_is_no_lease_is_a_protocol_error(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="not a Lease"):
        decode_lease(data)
