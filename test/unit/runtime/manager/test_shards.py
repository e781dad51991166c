"""Shards: who leads which, and that one shard's trouble is none of another's."""

import itertools

import pytest

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.shard import Shard
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.manager.leadership import Leadership
from support.clock import FakeClock
from support.managerbench import LEASE
from support.shardbench import KEYS, QUEUE, SHARDS, Cluster, Replica


def shard_of_keys(shard: int) -> list[ObjectKey]:
    return [key for key in KEYS if Shard(shard, SHARDS).holds(key)]


def test_the_namespaces_of_this_bench_fill_every_shard() -> None:
    assert all(shard_of_keys(shard) for shard in range(SHARDS))
    assert sorted(key for shard in range(SHARDS) for key in shard_of_keys(shard)) == sorted(KEYS)


async def test_a_shard_that_is_lost_moves_to_the_other_manager_and_disturbs_no_other_shard() -> None:
    cluster = Cluster()
    one, two = Replica(cluster, "one"), Replica(cluster, "two")
    async with one.running(), two.running():
        await cluster.clock.advance(20.0)
        assert cluster.holders() == ["one", "one", "one"]
        assert set.union(*cluster.workers(0.0).values()) == {"one"}
        one.ways[1].down = True
        await cluster.clock.advance(16.0)
        assert cluster.holders() == ["one", "two", "one"]
        assert (one.terms, two.terms) == ([1, 1, 1], [0, 1, 0])
        undisturbed = [at for at, key, _ in cluster.passes if key == shard_of_keys(0)[0]]
        assert max(later - earlier for earlier, later in itertools.pairwise(undisturbed)) == 1.0
        await cluster.clock.advance(5.0)
        workers = cluster.workers(cluster.clock.monotonic() - 5.0)
        assert [workers[key] for key in shard_of_keys(0)] == [{"one"}] * len(shard_of_keys(0))
        assert [workers[key] for key in shard_of_keys(1)] == [{"two"}] * len(shard_of_keys(1))
    assert cluster.faults == []


async def test_the_shards_of_a_manager_that_was_killed_move_to_the_other_within_a_duration() -> None:
    cluster = Cluster()
    one, two = Replica(cluster, "one"), Replica(cluster, "two")
    async with one.running(), two.running() as kill:
        one.ways[0].down = one.ways[2].down = True
        await cluster.clock.advance(20.0)
        one.ways[0].down = one.ways[2].down = False
        await cluster.clock.advance(5.0)
        assert cluster.holders() == ["two", "one", "two"]
        await kill()
        killed_at = cluster.clock.monotonic()
        await cluster.clock.advance(16.0)
        assert cluster.holders() == ["one", "one", "one"]
        assert (one.terms, two.terms) == ([2, 1, 2], [1, 0, 1])
        assert {who for at, _, who in cluster.passes if at > killed_at} == {"one"}
        await cluster.clock.advance(2.0)
        assert set(map(tuple, cluster.workers(killed_at + 16.0).values())) == {("one",)}
    assert cluster.faults == []


async def test_every_lease_is_free_after_a_clean_stop() -> None:
    cluster = Cluster()
    async with Replica(cluster, "one").running():
        await cluster.clock.advance(5.0)
        assert cluster.holders() == ["one"] * SHARDS
    assert cluster.holders() == [""] * SHARDS
    assert cluster.faults == []


async def test_what_is_led_as_a_whole_has_a_lease_and_a_gate_of_its_own_beside_the_shards() -> None:
    cluster = Cluster()
    one = Replica(cluster, "one", with_queue=True)
    async with one.running():
        await cluster.clock.advance(5.0)
        assert cluster.leases.held(QUEUE.name) == "one"
        assert one.queue_passes == len(KEYS), "it takes the keys of every shard"
        one.ways[SHARDS].down = True
        await cluster.clock.advance(11.0)
        assert one.terms == [1] * (SHARDS + 1)
        assert not one.may_queue()
        assert cluster.holders() == ["one"] * SHARDS
    assert cluster.faults == []


@pytest.mark.parametrize(("index", "count"), [(3, 3), (-1, 3), (0, 0)])
def test_a_shard_that_does_not_exist_is_refused(index: int, count: int) -> None:
    with pytest.raises(ValueError, match=f"no shard {index} of {count}"):
        Shard(index, count)


def test_what_has_no_namespace_belongs_to_the_first_shard() -> None:
    assert [Shard(index, SHARDS).holds(ObjectKey("", "node-1")) for index in range(SHARDS)] == [True, False, False]


def test_a_gate_with_another_number_of_shards_is_refused() -> None:
    with pytest.raises(ValueError, match="shard of 3, but the gate knows 1"):
        Leadership(LEASE, "me", None, LeaseGate(FakeClock()), shard=Shard(0, 3))  # type: ignore[arg-type]  # unused
