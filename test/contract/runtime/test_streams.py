"""An informer and its server over a real connection: what is asked, how the answer is cut, and silence."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest
import structlog
from aiohttp import web

from aiop.runtime.client.client import Client
from aiop.runtime.informer.source import IDLE_SECONDS, ClientListWatch
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.kit.clock import Clock
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.views.custom import CustomObject, decode_custom
from aiop.runtime.views.partial import PartialObject, decode_partial
from support.clock import FakeClock, settle
from support.informerbench import Recorded
from support.listwatch import WIDGETS
from support.loopback import Answer, Loopback, in_turn, says, streams

# Far beyond what any of this takes: a test that waits for so long has failed.
_PATIENCE_SECONDS = 20.0
# The server has come as far as the resume point.
CONFIRMED = says(200, {"metadata": {"resourceVersion": "5"}, "items": []})


def line(kind: str, name: str, version: int, **content: object) -> bytes:
    meta = {"name": name, "namespace": "team", "uid": f"uid-{name}", "resourceVersion": str(version)}
    types = {"apiVersion": "example.com/v1", "kind": "Widget"}
    obj = {**types, "metadata": meta, **content}
    return json.dumps({"type": kind, "object": obj}, ensure_ascii=False).encode() + b"\n"


def mark(version: int, kind: str = "Widget") -> bytes:
    meta = {"resourceVersion": str(version), "annotations": {"k8s.io/initial-events-end": "true"}}
    return json.dumps({"type": "BOOKMARK", "object": {"kind": kind, "metadata": meta}}).encode() + b"\n"


def stays(*chunks: bytes) -> Answer:
    """A stream that says this much and stays open."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
            await asyncio.sleep(0)
        await asyncio.Event().wait()
        return response

    return answer


@asynccontextmanager
async def running(informer: StreamInformer[CustomObject] | StreamInformer[PartialObject]) -> AsyncIterator[None]:
    """Its clock runs fast, so that no back-off is waited for."""
    tasks = asyncio.create_task(informer.run()), asyncio.create_task(fast(informer._clock))
    try:
        yield
        assert not tasks[0].done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def fast(clock: Clock) -> None:
    assert isinstance(clock, FakeClock)
    while True:
        await clock.advance(0.1)


async def until(check: Callable[[], object]) -> None:
    """Return once it is true; what changes it runs on this loop."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not check():
            await settle(1)


def widgets(client: Client, metrics: Recorded | None = None, **selection: object) -> StreamInformer[CustomObject]:
    source = ClientListWatch(client, WIDGETS, **selection)  # type: ignore[arg-type]  # what the test says
    return StreamInformer("widgets", source, decode_custom, clock=FakeClock(), metrics=metrics)


def names(informer: StreamInformer[CustomObject] | StreamInformer[PartialObject]) -> list[str]:
    return sorted(view.metadata.name for view in informer.store.values())


@pytest.mark.promise(1, 12, "S1", "S2", "S7")
async def test_a_list_by_watch_names_no_version_and_a_resumed_watch_asks_for_no_initial_events(
    client: Client, server: Loopback
) -> None:
    gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}
    server.answer = in_turn(
        streams(line("ADDED", "a", 3), mark(5)), streams(json.dumps(gone).encode() + b"\n"), stays(mark(9))
    )
    informer = widgets(client, namespace="team", label_selector="l=x")
    async with running(informer):
        await until(lambda: informer.store.version == "9")
    first, resumed, relist = (dict(seen.query) for seen in server.seen)
    assert 300 <= int(first.pop("timeoutSeconds")) <= 600
    assert first == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "labelSelector": "l=x",
    }
    del resumed["timeoutSeconds"], relist["timeoutSeconds"]
    common = {"watch": "true", "allowWatchBookmarks": "true", "labelSelector": "l=x"}
    assert resumed == {**common, "resourceVersion": "5"}
    assert relist == first
    assert {seen.path for seen in server.seen} == {"/apis/example.com/v1/namespaces/team/widgets"}


@pytest.mark.promise(3, 11, "S3")
async def test_pages_of_500_are_listed_without_a_version_where_lists_by_watch_are_refused(
    client: Client, server: Loopback
) -> None:
    """The real server's answer with the feature switched off."""
    refusal = says(
        422, {"kind": "Status", "code": 422, "reason": "Invalid", "message": "sendInitialEvents is forbidden"}
    )
    listed = says(200, {"kind": "WidgetList", "metadata": {"resourceVersion": "5"}, "items": []})
    server.answer = in_turn(refusal, listed, stays())
    informer = widgets(client)
    async with running(informer):
        await until(lambda: len(server.seen) == 3)
    assert server.seen[1].query == {"limit": "500"}
    assert server.seen[2].query["resourceVersion"] == "5"


@pytest.mark.promise(1, "S1", "S3")
async def test_a_list_page_by_page_names_no_version_neither_the_first_time_nor_after_an_expiry(
    client: Client, server: Loopback
) -> None:
    """Version 0 would be what a cache has, of whatever age."""
    gone = says(410, {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
    first = says(200, {"kind": "WidgetList", "metadata": {"resourceVersion": "5", "continue": "next"}, "items": []})
    last = says(200, {"kind": "WidgetList", "metadata": {"resourceVersion": "5"}, "items": []})
    server.answer = in_turn(says(400, {"reason": "BadRequest"}), first, last, gone, first, last, stays())
    informer = widgets(client)
    async with running(informer):
        await until(lambda: len(server.seen) == 7)
    lists = [seen.query for seen in server.seen if "watch" not in seen.query]
    assert lists == [{"limit": "500"}, {"limit": "500", "continue": "next"}] * 2


@pytest.mark.promise(6, "S6")
async def test_a_watch_that_is_answered_by_429_waits_as_long_as_the_server_says_and_lists_nothing(
    client: Client, server: Loopback
) -> None:
    busy = says(429, {"kind": "Status", "code": 429, "reason": "TooManyRequests"}, Retry_After="170")
    server.answer = in_turn(streams(mark(5)), busy, CONFIRMED, stays(mark(9)))
    clock, metrics = FakeClock(), Recorded()
    source = ClientListWatch(client, WIDGETS)
    informer = StreamInformer("widgets", source, decode_custom, clock=clock, random=random.Random(1), metrics=metrics)
    run = asyncio.create_task(informer.run())
    try:
        await until(lambda: metrics.failures == 1)
        await settle()
        assert max(moment for moment, *_ in clock._sleepers) == 170.0
        await clock.advance(170.0)
        await until(lambda: informer.store.version == "9")
    finally:
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
    assert [seen.query["resourceVersion"] for seen in server.seen] == ["", "5", "5", "5"]
    assert metrics.lists == 1


@pytest.mark.promise(15, "S4")
async def test_a_connection_that_says_nothing_is_taken_for_dead_and_resumed_at_the_same_point(
    client: Client, server: Loopback
) -> None:
    server.answer = in_turn(streams(mark(5)), stays(), *[CONFIRMED, stays(line("ADDED", "a", 6))] * 3)
    metrics = Recorded()
    informer = widgets(client, metrics, idle_seconds=0.5)
    async with running(informer):
        await until(lambda: names(informer) == ["a"])
    versions = [seen.query["resourceVersion"] for seen in server.seen]
    assert versions[:4] == ["", "5", "5", "5"]
    assert (metrics.lists, metrics.failures) == (1, 0)


@pytest.mark.promise(15, "S4")
def test_silence_lasts_three_bookmarks(client: Client) -> None:
    assert ClientListWatch(client, WIDGETS).idle_seconds == IDLE_SECONDS == 180


@pytest.mark.promise(17, "S6")
async def test_tables_and_objects_of_another_kind_are_skipped_and_counted_and_the_stream_lives(
    client: Client, server: Loopback
) -> None:
    table = {
        "type": "MODIFIED",
        "object": {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {"name": "a", "namespace": "team", "resourceVersion": "90"},
            "rows": [],
        },
    }
    other = line("DELETED", "a", 91).replace(b"Widget", b"Gadget")
    version = line("MODIFIED", "a", 92).replace(b"example.com/v1", b"example.com/v2")
    foreign = json.dumps(table).encode() + b"\n" + other + version
    server.answer = in_turn(
        stays(foreign + line("ADDED", "a", 3) + other + mark(5) + foreign + line("ADDED", "b", 6)), stays()
    )
    metrics = Recorded()
    informer = widgets(client, metrics)
    async with running(informer):
        await until(lambda: names(informer) == ["a", "b"])
    assert metrics.skips == 7
    assert informer.store.version == "6"


@pytest.mark.promise(17, "S6")
async def test_a_list_that_comes_as_a_table_is_no_empty_list(client: Client, server: Loopback) -> None:
    table = says(200, {"kind": "Table", "metadata": {"resourceVersion": "9"}, "rows": []})
    listed = says(200, {"metadata": {"resourceVersion": "9"}, "items": []})
    server.answer = in_turn(says(400, {}), table, listed, stays())
    metrics = Recorded()
    informer = widgets(client, metrics)
    async with running(informer):
        await until(informer.has_synced)
    assert len(server.seen) >= 3
    assert metrics.failures == 1


def nested(event: bytes, levels: int = 3000) -> bytes:
    """The same with a spec so deep; API servers store up to 10,000 levels."""
    return event.replace(b'"spec": 0', b'"spec": ' + b'{"a":' * levels + b"1" + b"}" * levels)


def skipped_names(logs: Sequence[Mapping[str, object]]) -> list[object]:
    return [entry["object"] for entry in logs if entry["event"] == "object skipped: it cannot be decoded"]


@pytest.mark.promise(17, "S6")
async def test_an_object_that_is_nested_too_deep_is_skipped_and_named_and_its_neighbours_arrive(
    client: Client, server: Loopback
) -> None:
    """In a list by watch, in the watch after it, and in a watch that is resumed; the deep one counts as seen there."""
    first = line("ADDED", "a", 3) + nested(line("ADDED", "deep", 4, spec=0)) + line("ADDED", "b", 4)
    later = nested(line("MODIFIED", "a", 6, spec=0)) + line("ADDED", "c", 7)
    server.answer = in_turn(
        streams(first + mark(5) + later + nested(line("ADDED", "new", 8, spec=0), 10_000)),
        stays(nested(line("MODIFIED", "new", 9, spec=0)) + line("ADDED", "d", 10)),
    )
    metrics = Recorded()
    informer = widgets(client, metrics)
    with structlog.testing.capture_logs() as logs:
        async with running(informer):
            await until(lambda: informer.store.version == "10")
            assert names(informer) == ["a", "b", "c", "d"]
    assert (metrics.skips, metrics.lists, metrics.failures) == (4, 1, 0)
    assert skipped_names(logs) == ["team/deep", "team/a", "team/new", "team/new"]
    assert [seen.query["resourceVersion"] for seen in server.seen] == ["", "8"]


@pytest.mark.promise(17, "S6")
async def test_an_item_of_a_page_that_is_nested_too_deep_is_skipped_and_named_and_its_neighbours_arrive(
    client: Client, server: Loopback
) -> None:
    items = [{"metadata": {"name": name, "namespace": "team"}, "spec": 0} for name in ("a", "deep", "b")]
    before, deep, after = (json.dumps(item).encode() for item in items)
    page = b'{"metadata":{"resourceVersion":"5"},"items":[%b,%b,%b]}' % (before, nested(deep, 9_998), after)
    server.answer = in_turn(says(400, {}), says(200, page), stays(line("ADDED", "c", 6)))
    metrics = Recorded()
    informer = widgets(client, metrics)
    with structlog.testing.capture_logs() as logs:
        async with running(informer):
            await until(lambda: informer.store.version == "6")
            assert names(informer) == ["a", "b", "c"]
    assert (metrics.skips, metrics.lists, metrics.failures) == (1, 1, 0)
    assert skipped_names(logs) == ["team/deep"]


@pytest.mark.promise(18)
@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 30])
async def test_events_arrive_whole_however_the_stream_is_cut(client: Client, server: Loopback, size: int) -> None:
    whole = line("ADDED", "prüfung-日本", 3) + line("ADDED", "b", 4) + mark(5) + line("DELETED", "b", 6)
    whole += line("ADDED", "ende-ß", 7)
    server.answer = stays(*(whole[at : at + size] for at in range(0, len(whole), size)))
    informer = widgets(client)
    async with running(informer):
        await until(lambda: informer.store.version == "7")
        assert names(informer) == ["ende-ß", "prüfung-日本"]


@pytest.mark.promise(18)
async def test_an_object_beyond_the_largest_that_is_stored_arrives_whole(client: Client, server: Loopback) -> None:
    large = line("ADDED", "large", 3, spec={"text": "x" * (3 * 2**19 + 100)})
    server.answer = stays(large + mark(5))
    informer = widgets(client)
    async with running(informer):
        await until(informer.has_synced)
        assert len(informer.store.values()[0].spec) > 3 * 2**19


@pytest.mark.promise(18, 5)
async def test_a_stream_that_is_cut_in_the_middle_of_an_event_is_resumed_before_that_event(
    client: Client, server: Loopback
) -> None:
    last = line("ADDED", "b", 8)
    server.answer = in_turn(streams(mark(5) + line("ADDED", "a", 6) + last[:40], cut=True), CONFIRMED, stays(last))
    informer = widgets(client)
    async with running(informer):
        await until(lambda: names(informer) == ["a", "b"])
    assert [seen.query["resourceVersion"] for seen in server.seen] == ["", "6", "6"]


@pytest.mark.promise(22)
async def test_a_401_renews_the_credentials_and_the_watch_goes_on_where_it_was(
    client: Client, server: Loopback, kubeconfig: str
) -> None:
    async def refused(request: web.Request) -> web.StreamResponse:
        server.kubeconfig(user={"token": "rotated"})
        return await says(401, {"reason": "Unauthorized"})(request)

    server.answer = in_turn(streams(mark(5)), refused, stays(line("ADDED", "a", 6)))
    metrics = Recorded()
    informer = widgets(client, metrics)
    async with running(informer):
        await until(lambda: names(informer) == ["a"])
    assert [seen.headers["Authorization"] for seen in server.seen] == ["Bearer made-up"] * 2 + ["Bearer rotated"]
    assert [seen.query["resourceVersion"] for seen in server.seen] == ["", "5", "5"]
    assert metrics.failures == 0


async def test_metadata_alone_is_asked_for_and_decoded(client: Client, server: Loopback) -> None:
    partial = line("ADDED", "a", 3).replace(b"example.com/v1", b"meta.k8s.io/v1")
    server.answer = stays(partial.replace(b"Widget", b"PartialObjectMetadata") + mark(5))
    metrics = Recorded()
    source = ClientListWatch(client, WIDGETS, metadata_only=True, managed_fields=False)
    informer = StreamInformer("widgets", source, decode_partial, clock=FakeClock(), metrics=metrics)
    async with running(informer):
        await until(informer.has_synced)
        assert names(informer) == ["a"]
    assert metrics.skips == 0
    transformed = ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1;drop=metadata.managedFields"
    assert server.last.headers["Accept"] == f"application/json{transformed}"


async def test_metadata_alone_is_asked_for_page_by_page_too(client: Client, server: Loopback) -> None:
    server.answer = in_turn(says(400, {}), says(200, {"metadata": {"resourceVersion": "5"}, "items": []}), stays())
    source = ClientListWatch(client, WIDGETS, metadata_only=True)
    informer = StreamInformer("widgets", source, decode_partial, clock=FakeClock())
    async with running(informer):
        await until(lambda: len(server.seen) == 3)
    accepted = [seen.headers["Accept"] for seen in server.seen]
    wanted = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
    assert accepted == [wanted.format(""), wanted.format("List"), wanted.format("")]


@pytest.mark.promise("S7")
async def test_every_line_counts_as_a_sign_of_life_and_so_do_the_start_and_the_servers_first_word(
    client: Client, server: Loopback
) -> None:
    nonsense = b'{"type":"ADDED","object":{"metadata":{"labels":7}}}\n{"type":"FUTURE","object":{}}\n'
    lines = line("ADDED", "a", 3) + nonsense + mark(5) + line("MODIFIED", "a", 6) + nonsense + mark(7)
    server.answer = stays(lines)
    metrics = Recorded()
    informer = widgets(client, metrics)
    assert metrics.known == {"widgets": False}
    async with running(informer):
        await until(lambda: informer.store.version == "7")
    # The start, the answer's head, eight lines, and the store that the list replaced.
    assert len(metrics.moments) == 11
    assert metrics.known == {"widgets": True}


@pytest.mark.promise("S38")
async def test_an_informers_series_begin_with_it_and_tell_when_it_is_synced(client: Client, server: Loopback) -> None:
    server.answer = stays(line("ADDED", "a", 3) + mark(5))
    metrics = Metrics()
    informer = StreamInformer(
        "widgets", ClientListWatch(client, WIDGETS), decode_custom, clock=FakeClock(), metrics=metrics.informers
    )

    def shown(name: str) -> float | None:
        return metrics.registry.get_sample_value(f"informer_{name}", {"informer": "widgets"})

    begin = [shown(name) for name in ("synced", "lists_total", "failures_total", "skipped_objects_total")]
    assert begin == [0.0] * 4
    async with running(informer):
        await until(informer.has_synced)
        moment = FakeClock().now().timestamp()
        assert (shown("synced"), shown("lists_total"), shown("cached_objects")) == (1.0, 1.0, 1.0)
        assert moment <= (shown("last_activity_timestamp_seconds") or 0.0) < moment + 3600
