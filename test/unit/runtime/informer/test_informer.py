"""An informer and its stream."""

from aiop.runtime.client.errors import ConnectionFailed, Expired
from aiop.runtime.informer.informer import index_by_owner
from aiop.runtime.views.custom import decode_custom
from support.clock import settle
from support.informerbench import Bench, running
from support.listwatch import ScriptedSource, bookmark, page, widget


async def test_it_lists_then_watches_from_the_lists_version() -> None:
    async with running(Bench(ScriptedSource([page(10, widget("a", 3)), page(10, widget("b", 4))]))) as bench:
        assert bench.source.calls == ["list", "watch 10"]
        assert bench.names() == ["a", "b"]
        assert bench.told == ["ADDED a >3 initial", "ADDED b >4 initial"]


async def test_it_is_not_synced_before_the_list_is_whole() -> None:
    bench = Bench(ScriptedSource(ConnectionFailed("refused"), [page(1)]))
    async with running(bench):
        assert not bench.informer.has_synced()
        assert "not synced" in repr(bench.informer)
        await bench.clock.advance(2)
        assert bench.informer.has_synced()
        await bench.informer.wait_synced()


async def test_what_a_relist_brings_later_is_not_initial() -> None:
    async with running(Bench(ScriptedSource([page(5)], [page(9, widget("a", 8))]))) as bench:
        bench.source.fail(Expired(410))
        await settle()
        assert bench.told == ["ADDED a >8"]


async def test_an_index_gives_its_objects_sorted_by_key() -> None:
    objects = [widget(name, 1, labels={"l": "x"}) for name in ("c", "a", "b")]
    async with running(Bench(ScriptedSource([page(5, *objects)]))) as bench:
        found = bench.informer.store.by_index("label", "x")
        assert [view.metadata.name for view in found] == ["a", "b", "c"]


def test_the_owner_index_names_the_controlling_owner_of_that_kind() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "1", "controller": True}
    view = decode_custom(widget("a", 1, ownerReferences=[owner]))
    assert list(index_by_owner("ReplicaSet")(view)) == ["1"]
    assert list(index_by_owner("Job")(view)) == []
    assert list(index_by_owner("ReplicaSet")(decode_custom(widget("b", 1)))) == []


async def test_metrics_tell_of_activity_and_objects() -> None:
    async with running(Bench(ScriptedSource([page(5, widget("a", 1))]))) as bench:
        assert bench.metrics.objects == 1
        await bench.clock.advance(60)
        bench.source.say(bookmark(6))
        await settle()
        assert bench.metrics.moments[-1] - bench.metrics.moments[0] == 60
