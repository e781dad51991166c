"""Promises 28 and 30 to 40: what handlers hear, in which order, and what they find in the store meanwhile."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from aiop.runtime.client.errors import ConnectionFailed, Expired
from aiop.runtime.informer.errors import CachedObjectMutated
from aiop.runtime.informer.informer import Event
from aiop.runtime.informer.mutation import MutationDetector
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.views.custom import CustomObject, decode_custom
from aiop.runtime.views.workloads import decode_node
from support.clock import FakeClock, settle
from support.controllerbench import Watching
from support.controllerbench import running as controlling
from support.informerbench import Bench, running, said
from support.listwatch import ScriptedSource, added, deleted, modified, page, widget
from support.managerbench import ManagerBench
from support.running import run_informer
from support.stores import A


@pytest.mark.promise(23, "S9")
async def test_per_object_events_come_in_order_with_old_and_new() -> None:
    async with running(Bench(ScriptedSource([page(1)]))) as bench:
        bench.source.say(added(widget("a", 2)), modified(widget("a", 3)), deleted(widget("a", 4)))
        await settle()
        assert bench.told == ["ADDED a >2", "MODIFIED a 2>3", "DELETED a 4>"]
        assert bench.names() == []


@pytest.mark.promise(28, "S9")
async def test_events_change_the_store_before_handlers_hear_of_them() -> None:
    bench = Bench(ScriptedSource([page(1)]))
    seen: list[tuple[str, int]] = []
    store = bench.informer.store
    bench.informer.add_handler(lambda event: seen.append((event.type, len(store.by_index("label", "x")))))
    async with running(bench):
        bench.source.say(added(widget("a", 2, labels={"l": "x"})), deleted(widget("a", 3, labels={"l": "x"})))
        await settle()
        assert seen == [("ADDED", 1), ("DELETED", 0)]


@pytest.mark.promise(30, "S14")
async def test_it_has_not_synced_before_every_handler_has_seen_the_first_list() -> None:
    bench = Bench(ScriptedSource([page(5, widget("a", 1), widget("b", 2))]))
    seen: list[tuple[str, bool]] = []
    for _ in range(2):
        bench.informer.add_handler(lambda event: seen.append((event.key.name, bench.informer.has_synced())))
    async with running(bench):
        assert bench.informer.has_synced()
        assert sorted(seen) == [("a", False), ("a", False), ("b", False), ("b", False)]


@pytest.mark.promise(31, "S14")
async def test_an_empty_list_syncs_too() -> None:
    async with running(Bench(ScriptedSource([page(1)]))) as bench:
        assert bench.informer.has_synced()
        assert repr(bench.informer) == "<Informer widgets: synced, 0 objects, version 1>"


@pytest.mark.promise(32, "S14")
async def test_an_object_of_the_first_list_that_is_gone_at_once_holds_up_nothing() -> None:
    """The first list is handled in one step, so no deletion can fall between its objects: it comes after the sync."""
    bench = Bench(ScriptedSource([page(5, widget("a", 1), widget("b", 2))]))
    synced: list[tuple[str, bool]] = []
    bench.informer.add_handler(lambda event: synced.append((said(event), bench.informer.has_synced())))
    bench.source.say(deleted(widget("a", 6)))
    async with running(bench):
        assert synced[-1] == ("DELETED a 6>", True)
        assert bench.names() == ["b"]


@pytest.mark.promise(33, "S14", "S27")
async def test_no_pass_begins_before_all_informers_have_told_their_handlers_of_the_first_list() -> None:
    bench = ManagerBench(ScriptedSource([page(5, widget("a", 1))]))
    late = ScriptedSource(ConnectionFailed("refused"), [page(5, widget("other", 2))])
    others = StreamInformer("others", late, decode_custom, clock=bench.clock, random=random.Random(1))
    others.add_handler(lambda event: bench.told.append(f"told of {event.key.name}"))
    bench.manager.add_informer(others)
    async with bench.running():
        assert bench.informer.has_synced()
        assert bench.told == []
        await bench.clock.advance(5.0)
        assert bench.told == ["told of other", "election starts", "pass a", "pass a ends"]


@pytest.mark.promise(34, "S15")
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


@pytest.mark.promise(34, "S15")
async def test_a_handler_that_joins_from_within_a_handler_gets_each_object_once() -> None:
    bench = Bench(ScriptedSource([page(5, widget("a", 1), widget("b", 2))]))
    late: list[str] = []

    def join(event: Event[CustomObject]) -> None:
        if not late:
            bench.informer.add_handler(lambda event: late.append(said(event)))

    bench.informer.add_handler(join)
    async with running(bench):
        assert late == ["ADDED a >1 initial", "ADDED b >2 initial"]


@pytest.mark.promise(35)
async def test_a_handler_that_raises_hurts_nobody_else_and_is_counted() -> None:
    bench = Bench(ScriptedSource([page(1)]))

    def broken(event: Event[CustomObject]) -> None:
        raise ValueError(event.key)

    later: list[str] = []
    bench.informer.add_handler(broken)
    bench.informer.add_handler(lambda event: later.append(said(event)))
    async with running(bench):
        bench.source.say(added(widget("a", 2)), modified(widget("a", 3)))
        await settle()
        assert later == bench.told == ["ADDED a >2", "MODIFIED a 2>3"]
        assert bench.metrics.failures == 2


@pytest.mark.promise(36, "S16")
async def test_a_slow_pass_stalls_no_stream_and_what_piles_up_before_it_is_one_entry_a_key() -> None:
    """Handlers run in the stream's own task and may only enqueue. What is slow is the pass, behind the queue, which
    keeps keys instead of events: memory grows with objects, never with changes.
    """
    bench = Watching(ScriptedSource([page(1, widget("a", 1))]))
    hold = asyncio.Event()
    bench.reconciler.then("a", hold.wait)
    async with running(bench.informer), controlling(bench):
        for version in range(2, 1002):
            bench.source.say(modified(widget("a", version)), modified(widget("b", 10_000 + version)))
        await settle(3000)
        assert bench.informer.version("a") == "1001"
        assert bench.informer.version("b") == "11001"
        assert bench.reconciler.names() == ["a"]
        hold.set()
        await settle()
        assert Counter(bench.reconciler.names()) == {"a": 2, "b": 1}


@pytest.mark.promise(17, "S6")
@pytest.mark.parametrize(
    "field",
    ["labels", "annotations", "finalizers", "ownerReferences", "creationTimestamp", "generation", "managedFields"],
)
async def test_an_object_with_nulls_is_an_object_and_takes_the_place_of_what_was_known(field: str) -> None:
    nulls: dict[str, Any] = {field: None}
    async with running(Bench(ScriptedSource([page(5, widget("a", 1), widget("b", 1, **nulls))]))) as bench:
        bench.source.say(modified(widget("a", 6, **nulls)))
        await settle()
        assert bench.told[-1] == "MODIFIED a 1>6"
        assert bench.names() == ["a", "b"]
        assert bench.metrics.skips == 0


@pytest.mark.promise(37)
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


@pytest.mark.promise(37)
async def test_an_index_value_has_all_its_objects_and_loses_only_the_one_that_leaves() -> None:
    objects = [widget(name, 1, labels={"l": "x", "m": "x"}) for name in ("b", "a")]
    async with running(Bench(ScriptedSource([page(5, *objects)]))) as bench:
        store = bench.informer.store
        assert [view.metadata.name for view in store.by_index("label", "x")] == ["a", "b"]
        bench.source.say(modified(widget("a", 6, labels={"l": "x"})), modified(widget("b", 7)))
        await settle()
        assert [view.metadata.name for view in store.by_index("label", "x")] == ["a"]
        assert set(store._indexes["label"]) == {"x"}


@pytest.mark.promise(38, "S18")
async def test_an_object_is_decoded_once_an_event_and_never_for_what_only_we_tell() -> None:
    """Our transform is the decoder: it makes a view out of bytes, so it never sees its own result and running it twice
    changes nothing. Tombstones, late handlers and resyncs are told with the view that is there.
    """
    decoded: list[str] = []

    def decode(data: bytes) -> CustomObject:
        view = decode_custom(data)
        decoded.append(f"{view.metadata.name} {view.metadata.resource_version}")
        return view

    source = ScriptedSource([page(5, widget("a", 1), widget("gone", 2))], [page(9, widget("a", 6))])
    informer = StreamInformer("widgets", source, decode, clock=FakeClock(), random=random.Random(1))
    told: list[str] = []
    async with run_informer(informer) as step:
        informer.add_handler(lambda event: told.append(said(event)))
        source.say(modified(widget("a", 6)))
        source.fail(Expired(410))
        await step()
        assert decoded == ["a 1", "gone 2", "a 6", "a 6"]
        assert told[-1] == "DELETED gone 2>"


@pytest.mark.promise(39, "S18")
@pytest.mark.parametrize("error", [ValueError("bad"), RecursionError(), KeyError("spec"), AssertionError()])
async def test_a_decoder_that_raises_skips_the_object_and_the_stream_goes_on(error: Exception) -> None:
    def decode(data: bytes) -> CustomObject:
        view = decode_custom(data)
        if view.metadata.name == "bad":
            raise error
        return view

    source = ScriptedSource([page(5, widget("bad", 1), widget("a", 2))])
    informer = StreamInformer("widgets", source, decode, clock=FakeClock(), random=random.Random(1))
    async with run_informer(informer) as step:
        source.say(modified(widget("bad", 6)), added(widget("b", 7)))
        await step()
        assert sorted(view.metadata.name for view in informer.store.values()) == ["a", "b"]
        assert informer.store.version == "7"


def _set_name(view: Any) -> None:
    view.metadata.name = "other"


def _set_metadata(view: Any) -> None:
    view.metadata = None


def _add_label(view: Any) -> None:
    view.metadata.labels["new"] = "label"


def _merge_labels(view: Any) -> None:
    view.metadata.labels.update(new="label")


def _drop_labels(view: Any) -> None:
    view.metadata.labels.clear()


def _drop_annotation(view: Any) -> None:
    del view.metadata.annotations["note"]


def _default_annotation(view: Any) -> None:
    view.metadata.annotations.setdefault("note", "new")


def _grow_owners(view: Any) -> None:
    view.metadata.owner_references.append(None)


@pytest.mark.promise(40, "S19")
@pytest.mark.parametrize(
    "change",
    [
        _set_name,
        _set_metadata,
        _add_label,
        _merge_labels,
        _drop_labels,
        _drop_annotation,
        _default_annotation,
        _grow_owners,
    ],
)
async def test_any_attempt_to_change_a_cached_object_raises(change: Callable[[Any], None]) -> None:
    source = ScriptedSource([page(5, widget("a", 1, labels={"l": "x"}, annotations={"note": "y"}))])
    async with running(Bench(source)) as bench:
        view = bench.informer.store.get(A)
        before = msgspec.json.encode(view)
        with pytest.raises((AttributeError, TypeError)):
            change(view)
        assert msgspec.json.encode(view) == before


@pytest.mark.promise(40, "S19")
def test_the_mappings_of_other_views_refuse_changes_too() -> None:
    node = decode_node(b'{"metadata":{"name":"n"},"status":{"allocatable":{"cpu":"4"}}}')
    with pytest.raises(TypeError, match="shared by all readers"):
        node.status.allocatable["cpu"] = "5"  # type: ignore[index]  # that it is refused is the test
    assert dict(node.status.allocatable) == {"cpu": "4"}


@pytest.mark.promise(40, "S19")
async def test_a_change_by_force_is_found() -> None:
    """What Python lets nobody forbid, tests look for."""
    async with running(Bench(ScriptedSource([page(5, widget("a", 1), widget("b", 2, labels={"l": "x"}))]))) as bench:
        detector = MutationDetector(bench.informer)
        bench.source.say(deleted(widget("a", 6)))
        await settle()
        detector.check()
        view = bench.informer.store.get(A._replace(name="b"))
        assert view is not None
        dict.__setitem__(msgspec.structs.asdict(view.metadata)["labels"], "new", "label")
        with pytest.raises(CachedObjectMutated, match="default/b"):
            detector.check()
