"""An informer and its stream."""

import asyncio

import msgspec
import pytest

from aiop.runtime.client.errors import ConnectionFailed, Expired
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.errors import CachedObjectMutated
from aiop.runtime.informer.informer import Event, index_by_owner
from aiop.runtime.informer.mutation import MutationDetector
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import settle
from support.informerbench import Bench, running, said
from support.listwatch import ScriptedSource, added, bookmark, deleted, modified, page, widget


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


async def test_an_empty_list_syncs_too() -> None:
    async with running(Bench(ScriptedSource([page(1)]))) as bench:
        assert bench.informer.has_synced()
        assert repr(bench.informer) == "<Informer widgets: synced, 0 objects, version 1>"


async def test_events_change_the_store_before_handlers_hear_of_them() -> None:
    bench = Bench(ScriptedSource([page(1)]))
    seen: list[tuple[str, list[CustomObject]]] = []
    bench.informer.add_handler(lambda event: seen.append((event.type, bench.informer.store.by_index("label", "x"))))
    async with running(bench):
        bench.source.say(added(widget("a", 2, labels={"l": "x"})), deleted(widget("a", 3, labels={"l": "x"})))
        await settle()
        assert [(kind, len(views)) for kind, views in seen] == [("ADDED", 1), ("DELETED", 0)]


async def test_per_object_events_come_in_order_with_old_and_new() -> None:
    async with running(Bench(ScriptedSource([page(1)]))) as bench:
        bench.source.say(added(widget("a", 2)), modified(widget("a", 3)), deleted(widget("a", 4)))
        await settle()
        assert bench.told == ["ADDED a >2", "MODIFIED a 2>3", "DELETED a 4>"]
        assert bench.names() == []


async def test_a_bookmark_moves_the_resume_point_and_fires_no_handler() -> None:
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        bench.source.say(bookmark(9))
        bench.source.end()
        await settle()
        assert bench.source.calls == ["list", "watch 5", "watch 9"]
        assert bench.told == []


async def test_readers_see_the_old_full_set_until_the_relist_is_whole() -> None:
    bench = Bench(ScriptedSource([page(5, widget("a", 1), widget("b", 2))]))
    async with running(bench):
        seen: list[list[str]] = []
        bench.informer.add_handler(lambda _event: seen.append(bench.names()))
        seen.clear()
        bench.source.lists.append([page(9, widget("c", 6)), page(9, widget("d", 7))])
        bench.source.fail(Expired(410))
        for _ in range(20):
            await asyncio.sleep(0)
            assert bench.names() in (["a", "b"], ["c", "d"])
        assert seen == [["c", "d"]] * 4


async def test_versions_compare_as_numbers() -> None:
    async with running(Bench(ScriptedSource([page(99, widget("a", 99))]))) as bench:
        bench.source.say(modified(widget("a", 100)))
        await settle()
        assert bench.version("a") == "100"


async def test_watch_times_are_random_between_five_and_ten_minutes() -> None:
    bench = Bench(ScriptedSource([page(5)]))
    async with running(bench):
        for version in range(6, 46):
            bench.source.say(bookmark(version))
            bench.source.end()
            await settle()
    assert all(300 <= seconds <= 600 for seconds in bench.source.timeouts)
    assert len(set(bench.source.timeouts)) > 20


async def test_a_late_handler_gets_each_object_once() -> None:
    async with running(Bench(ScriptedSource([page(5, widget("a", 1))]))) as bench:
        bench.source.say(added(widget("b", 6)))
        await settle()
        bench.informer.written(widget("own", 7))
        late: list[str] = []
        bench.informer.add_handler(lambda event: late.append(said(event)))
        assert late == ["ADDED a >1 initial", "ADDED b >6 initial"]
        bench.source.say(added(widget("own", 7)))
        await settle()
        assert late[2:] == ["ADDED own >7"]


async def test_a_handler_that_joins_from_within_a_handler_gets_each_object_once() -> None:
    bench = Bench(ScriptedSource([page(5, widget("a", 1), widget("b", 2))]))
    late: list[str] = []

    def join(event: Event[CustomObject]) -> None:
        if not late:
            bench.informer.add_handler(lambda event: late.append(said(event)))

    bench.informer.add_handler(join)
    async with running(bench):
        assert late == ["ADDED a >1 initial", "ADDED b >2 initial"]


async def test_what_a_relist_brings_later_is_not_initial() -> None:
    async with running(Bench(ScriptedSource([page(5)], [page(9, widget("a", 8))]))) as bench:
        bench.source.fail(Expired(410))
        await settle()
        assert bench.told == ["ADDED a >8"]


async def test_cancelling_leaves_no_stream_open_in_any_state() -> None:
    for prepare in (ScriptedSource(), ScriptedSource(ConnectionFailed("refused")), ScriptedSource([page(1)])):
        async with running(Bench(prepare)) as bench:
            assert bench.source.calls
        assert bench.source.open == 0


async def test_an_index_follows_its_object() -> None:
    async with running(Bench(ScriptedSource([page(5, widget("a", 1, labels={"l": "x", "m": "y"}))]))) as bench:
        store = bench.informer.store
        assert len(store.by_index("label", "x")) == len(store.by_index("label", "y")) == 1
        bench.source.say(modified(widget("a", 6, labels={"l": "z"})))
        await settle()
        assert [view.metadata.name for view in store.by_index("label", "z")] == ["a"]
        assert store.by_index("label", "x") == []
        bench.source.say(deleted(widget("a", 7, labels={"l": "z"})))
        await settle()
        assert store._indexes == {"label": {}}


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


async def test_a_change_to_a_shared_object_is_found() -> None:
    async with running(Bench(ScriptedSource([page(5, widget("a", 1), widget("b", 2))]))) as bench:
        detector = MutationDetector(bench.informer)
        bench.source.say(deleted(widget("b", 6)))
        await settle()
        detector.check()
        view = bench.informer.store.get(ObjectKey("default", "a"))
        assert view is not None
        with pytest.raises(AttributeError):
            view.metadata.name = "other"  # type: ignore[misc]  # that it is refused is the test
        dict.__setitem__(msgspec.structs.asdict(view.metadata)["labels"], "new", "label")
        with pytest.raises(CachedObjectMutated, match="default/a"):
            detector.check()
