"""An informer over a list of namespaces: one cache for its readers, a stream for each namespace."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import structlog

from aiop.runtime.client.builtin import NODES, PODS
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import ConnectionFailed, Expired, Forbidden, NotFound
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.conditions.events import EventRecorder
from aiop.runtime.controller.controller import Controller, Result
from aiop.runtime.controller.mappers import own_key
from aiop.runtime.informer.informer import Informer
from aiop.runtime.informer.namespaces import NamespacedInformer
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.manager.manager import Manager
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.manager.tools import Tools
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import FakeClock, settle
from support.informerbench import Recorded, said
from support.listwatch import ScriptedSource, added, deleted, modified, page, widget
from support.running import run_informer

RED, BLUE = "red", "blue"
FORBIDDEN = Forbidden(403, "Forbidden", 'cannot list resource "widgets" in the namespace "blue"')
ABSENT = NotFound(404, "", "404 page not found")


def labels(view: CustomObject) -> list[str]:
    return list(view.metadata.labels.values())


class Bench:
    """Two namespaces on a script each."""

    def __init__(self, red: ScriptedSource, blue: ScriptedSource, *, optional: bool = False) -> None:
        self.clock = FakeClock()
        self.metrics = Recorded()
        self.told: list[str] = []
        self.sources = {RED: red, BLUE: blue}
        common: dict[str, Any] = {
            "clock": self.clock,
            "random": random.Random(1),
            "indexes": {"label": labels},
            "metrics": self.metrics,
            "optional": optional,
        }
        streams: dict[str, StreamInformer[CustomObject]] = {
            name: StreamInformer(f"widgets/{name}", source, decode_custom, **common)
            for name, source in self.sources.items()
        }
        self.informer = NamespacedInformer("widgets", streams, decode_custom)
        self.informer.add_handler(lambda event: self.told.append(f"{event.key.namespace}: {said(event)}"))

    def keys(self) -> list[str]:
        return sorted(map(str, self.informer.store.keys()))


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[Bench]:
    async with run_informer(bench.informer):
        yield bench
    assert not any(source.open for source in bench.sources.values()), "a stream was left open"


def red(name: str, version: int, **metadata: Any) -> bytes:
    return widget(name, version, namespace=RED, **metadata)


def blue(name: str, version: int, **metadata: Any) -> bytes:
    return widget(name, version, namespace=BLUE, **metadata)


def two(*, by_label: str = "x") -> Bench:
    mark = {"l": by_label}
    return Bench(
        ScriptedSource([page(5, red("b", 1, labels=mark), red("c", 2))]),
        ScriptedSource([page(7, blue("a", 3, labels=mark))]),
    )


async def test_readers_see_one_store_over_all_namespaces() -> None:
    async with running(two()) as bench:
        store = bench.informer.store
        assert (len(store), bench.keys()) == (3, ["blue/a", "red/b", "red/c"])
        assert sorted(view.metadata.name for view in store.values()) == ["a", "b", "c"]
        found = store.get(ObjectKey(BLUE, "a"))
        assert found is not None
        assert found.metadata.uid == "uid-a"
        assert store.get(ObjectKey(RED, "a")) is None
        assert store.get(ObjectKey("green", "a")) is None
        by_key = [(view.metadata.namespace, view.metadata.name) for view in store.by_index("label", "x")]
        assert by_key == [(BLUE, "a"), (RED, "b")]


async def test_handlers_hear_of_every_namespace_in_order_and_of_none_once_removed() -> None:
    async with running(two()) as bench:
        assert sorted(bench.told) == ["blue: ADDED a >3 initial", "red: ADDED b >1 initial", "red: ADDED c >2 initial"]
        heard: list[str] = []

        def late(event: Any) -> None:
            heard.append(event.key.name)

        bench.informer.add_handler(late)
        assert sorted(heard) == ["a", "b", "c"]
        bench.sources[RED].say(modified(red("b", 8)), deleted(red("b", 9)))
        await settle()
        assert bench.told[3:] == ["red: MODIFIED b 1>8", "red: DELETED b 9>"]
        bench.informer.remove_handler(late)
        bench.sources[BLUE].say(modified(blue("a", 10)))
        await settle()
        assert heard[3:] == ["b", "b"]


async def test_a_resync_repeats_the_objects_of_every_namespace() -> None:
    bench = two()
    seen: list[str] = []
    bench.informer.add_handler(lambda event: seen.append(event.key.name), resync_seconds=10)
    async with running(bench):
        seen.clear()
        await bench.clock.advance(11)
        assert sorted(seen) == ["a", "b", "c"]


@pytest.mark.promise(30, "S14")
async def test_it_has_not_synced_before_each_namespace_has_been_answered() -> None:
    bench = Bench(ScriptedSource([page(5)]), ScriptedSource(ConnectionFailed("refused"), [page(7)]))
    async with running(bench):
        assert not bench.informer.has_synced()
        assert bench.informer.trouble == "blue: no connection: refused"
        await bench.clock.advance(2)
        assert bench.informer.has_synced()
        await bench.informer.wait_synced()
        assert bench.informer.trouble == ""


async def test_a_namespace_that_refuses_us_holds_up_no_other_and_comes_in_when_it_lets_us() -> None:
    bench = Bench(ScriptedSource([page(5, red("b", 1))]), ScriptedSource(FORBIDDEN, [page(9, blue("a", 3))]))
    with structlog.testing.capture_logs() as logs:
        async with running(bench):
            assert bench.informer.has_synced()
            await bench.informer.wait_synced()
            assert bench.keys() == ["red/b"]
            assert bench.informer.trouble == f"blue: forbidden: {FORBIDDEN.message}"
            await bench.clock.advance(30)
            assert bench.keys() == ["blue/a", "red/b"]
            assert bench.informer.trouble == ""
            assert "blue: ADDED a >3 initial" in bench.told
    (warned,) = [each for each in logs if each["log_level"] == "warning"]
    assert (warned["informer"], warned["error"]) == ("widgets/blue", str(FORBIDDEN))


async def test_where_every_namespace_refuses_us_it_has_not_synced() -> None:
    bench = Bench(ScriptedSource(*[FORBIDDEN] * 99), ScriptedSource(*[FORBIDDEN] * 99))
    async with running(bench):
        await bench.clock.advance(60)
        assert not bench.informer.has_synced()
        assert bench.informer.trouble.count("forbidden") == 2


async def test_one_namespaces_relist_leaves_the_others_alone() -> None:
    bench = Bench(ScriptedSource([page(5, red("b", 1))], [page(9)]), ScriptedSource([page(7, blue("a", 3))]))
    async with running(bench):
        bench.sources[RED].fail(Expired(410))
        await settle()
        assert bench.keys() == ["blue/a"]
        assert bench.told[2:] == ["red: DELETED b 1>"]
        assert bench.sources[BLUE].calls == ["list", "watch 7"]


@pytest.mark.promise("S30")
async def test_own_writes_and_own_deletes_show_in_their_namespace_at_once() -> None:
    async with running(two()) as bench:
        view = bench.informer.written(blue("new", 20))
        assert bench.informer.store.get(ObjectKey(BLUE, "new")) == view
        bench.informer.deleted(ObjectKey(RED, "b"), "uid-b")
        shown = bench.informer.store.get(ObjectKey(RED, "b"))
        assert shown is not None
        assert shown.metadata.deletion_timestamp
        # What passes in one namespace is no news of another.
        bench.sources[RED].say(added(red("d", 30)))
        await settle()
        assert bench.informer.store.get(ObjectKey(BLUE, "new")) == view
        bench.informer.deleted(ObjectKey("green", "b"), "uid-b")
        assert bench.informer.written(widget("far", 40, namespace="green")).metadata.name == "far"
        status = msgspec.json.encode({"kind": "Status", "status": "Success"})
        assert bench.informer.written(status).metadata.name == ""
        assert bench.keys() == ["blue/a", "blue/new", "red/b", "red/c", "red/d"]


async def test_availability_is_told_once_a_change_not_once_a_namespace() -> None:
    bench = Bench(
        ScriptedSource(ABSENT, ABSENT, ABSENT, [page(5)]), ScriptedSource(FORBIDDEN, ABSENT, [page(7)]), optional=True
    )
    heard: list[bool] = []
    bench.informer.on_availability(heard.append)
    assert bench.informer.available
    async with running(bench):
        assert (heard, bench.informer.available) == ([False], False)
        await bench.clock.advance(120)
        assert (heard, bench.informer.available) == ([False, True], True)
        assert [len(source.lists) for source in bench.sources.values()] == [0, 0]


async def test_each_namespace_has_metrics_of_its_own() -> None:
    async with running(two()) as bench:
        assert bench.metrics.known == {"widgets/red": True, "widgets/blue": True}


def tools(client: Client, *namespaces: str) -> Tools:
    clock = FakeClock()
    recorder = EventRecorder(client, clock, "test", "test", lambda: "id")
    return Tools(client, clock, random.Random(1), Metrics(), recorder, lambda: "id", namespaces=namespaces)


def test_a_process_of_some_namespaces_asks_for_these_alone(client: Client) -> None:
    made = tools(client, RED, BLUE)
    pods: Informer[CustomObject] = made.informer(PODS, decode_custom, indexes={"label": labels})
    assert isinstance(pods, NamespacedInformer)
    assert [stream.name for stream in pods._streams.values()] == ["pods/red", "pods/blue"]
    assert [stream._source.namespace for stream in pods._streams.values()] == [RED, BLUE]  # type: ignore[attr-defined]
    assert pods.store.by_index("label", "x") == []
    assert isinstance(made.informer(NODES, decode_custom), StreamInformer)
    one = made.informer(PODS, decode_custom, namespace="kube-system")
    assert isinstance(one, StreamInformer)
    assert one._source.namespace == "kube-system"  # type: ignore[attr-defined]


def test_a_process_of_all_namespaces_has_one_stream_a_kind(client: Client) -> None:
    assert isinstance(tools(client).informer(PODS, decode_custom), StreamInformer)


async def test_the_manager_is_ready_where_one_namespace_refuses_it() -> None:
    bench = Bench(ScriptedSource([page(5)]), ScriptedSource(*[FORBIDDEN] * 99))
    manager = Manager(clock=bench.clock, metrics=Metrics())
    manager.add_informer(bench.informer)
    async with running(bench):
        assert manager._unready_because() == ""


@pytest.mark.promise(33)
async def test_no_pass_begins_in_a_namespace_of_which_not_all_is_known() -> None:
    """The objects are let in before their children: without those, a pass would take them for missing."""
    objects = Bench(ScriptedSource([page(5, red("one", 1))]), ScriptedSource([page(6, blue("two", 2))]))
    children = Bench(ScriptedSource([page(7)]), ScriptedSource(FORBIDDEN, [page(9)]))
    passes: list[str] = []

    class Reconciler:
        async def reconcile(self, key: ObjectKey) -> Result:
            passes.append(str(key))
            return Result()

    controller = Controller("widgets", Reconciler(), clock=objects.clock, new_id=lambda: "id", workers=1)
    controller.watches(objects.informer, own_key)
    controller.watches(children.informer, own_key)
    async with running(objects), running(children), run_informer(controller):  # type: ignore[arg-type]  # it has a run
        assert passes == ["red/one"]
        await objects.clock.advance(60)
        assert passes == ["red/one"]
        await children.clock.advance(30)
        await objects.clock.advance(5)
        assert passes == ["red/one", "blue/two"]
