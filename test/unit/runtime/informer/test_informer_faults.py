"""An informer whose server fails, goes back in time or talks nonsense."""

import pytest

from aiop.runtime.client.codec import WatchEvent
from aiop.runtime.client.errors import ClientError, ConnectionFailed, Expired, ServerError, TooManyRequests
from aiop.runtime.informer.informer import Event, Informer
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import FakeClock, settle
from support.informerbench import Bench, running, said
from support.listwatch import ScriptedSource, added, bookmark, deleted, modified, page, widget
from support.running import run_informer


async def test_a_recreation_that_shows_as_one_change_is_a_deletion_and_an_addition() -> None:
    async with running(Bench(ScriptedSource([page(5, widget("a", 2))]))) as bench:
        bench.source.say(modified(widget("a", 6, uid="other")))
        await settle()
        assert bench.told[1:] == ["DELETED a 2>", "ADDED a >6"]


async def test_a_bookmark_never_moves_the_resume_point_back() -> None:
    async with running(Bench(ScriptedSource([page(100)]))) as bench:
        bench.source.say(bookmark(9), WatchEvent("BOOKMARK", b"{}"), bookmark(101))
        bench.source.end()
        await settle()
        assert bench.source.calls[-1] == "watch 101"


@pytest.mark.parametrize("error", [ConnectionFailed("reset"), TooManyRequests(429), ServerError(500)])
async def test_a_passing_failure_resumes_at_the_same_point_without_a_list(error: ClientError) -> None:
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        bench.source.say(added(widget("a", 7)))
        bench.source.fail(error)
        await settle()
        assert bench.source.calls == ["list", "watch 5"]
        await bench.clock.advance(2)
        assert bench.source.calls == ["list", "watch 5", "watch 7"]
        assert bench.metrics.failures == 1


async def test_an_expired_resume_point_lists_at_once_and_tells_the_difference() -> None:
    lists = [page(5, widget("gone", 1), widget("same", 2), widget("changed", 3), widget("reborn", 4))]
    later = [page(20, widget("same", 2), widget("changed", 13), widget("reborn", 14, uid="new"), widget("new", 15))]
    async with running(Bench(ScriptedSource(lists, later))) as bench:
        bench.told.clear()
        bench.source.fail(Expired(410))
        await settle()
        assert bench.source.calls == ["list", "watch 5", "list", "watch 20"]
        assert bench.told == [
            "DELETED gone 1>",
            "MODIFIED changed 3>13",
            "DELETED reborn 4>",
            "ADDED reborn >14",
            "ADDED new >15",
        ]
        assert bench.metrics.lists == 2


async def test_an_expired_page_begins_the_list_anew() -> None:
    async with running(Bench(ScriptedSource(Expired(410), [page(3, widget("a", 2))]))) as bench:
        assert bench.source.calls == ["list", "list", "watch 3"]


async def test_a_server_that_always_expires_is_not_stormed() -> None:
    bench = Bench(ScriptedSource(*[Expired(410) for _ in range(100)]))
    async with running(bench):
        await bench.clock.advance(25)
        assert len(bench.source.calls) < 8


async def test_watches_that_end_at_once_are_not_stormed() -> None:
    bench = Bench(ScriptedSource([page(5)]))
    async with running(bench):
        for _ in range(100):
            bench.source.end()
        await bench.clock.advance(25)
        assert len(bench.source.calls) < 9


async def test_a_relist_counts_even_where_its_versions_are_lower() -> None:
    async with running(Bench(ScriptedSource([page(90, widget("a", 80))], [page(50, widget("a", 40))]))) as bench:
        bench.source.fail(Expired(410))
        await settle()
        assert bench.version("a") == "40"
        assert bench.told[1:] == ["MODIFIED a 80>40"]
        bench.source.say(modified(widget("a", 51)))
        await settle()
        assert bench.version("a") == "51"


async def test_an_older_event_never_overwrites_a_newer_state() -> None:
    async with running(Bench(ScriptedSource([page(10, widget("a", 9))]))) as bench:
        bench.source.say(modified(widget("a", 8)), deleted(widget("a", 7)), modified(widget("a", 9)))
        await settle()
        assert bench.version("a") == "9"
        assert bench.told == ["ADDED a >9 initial"]


async def test_an_object_that_makes_no_sense_is_skipped_and_the_stream_goes_on() -> None:
    nonsense = b'{"metadata":{"name":"bad","resourceVersion":"8","labels":7}}'
    async with running(Bench(ScriptedSource([page(5, nonsense, widget("good", 1))]))) as bench:
        assert bench.names() == ["good"]
        bench.source.say(modified(nonsense), added(b"{"), added(b'{"kind":"Status","metadata":{}}'))
        bench.source.say(WatchEvent("BOOKMARK", b"["), WatchEvent("FUTURE", widget("future", 6)), added(widget("a", 9)))
        await settle()
        assert bench.names() == ["a", "good"]
        assert bench.metrics.skips == 4


async def test_the_resume_point_passes_an_object_that_makes_no_sense() -> None:
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        bench.source.say(added(b'{"metadata":{"name":"bad","resourceVersion":"8","labels":7}}'))
        bench.source.end()
        await settle()
        assert bench.source.calls[-1] == "watch 8"


async def test_an_object_that_became_nonsense_keeps_its_last_good_state() -> None:
    nonsense = b'{"metadata":{"name":"a","namespace":"default","uid":"uid-a","resourceVersion":"8","labels":7}}'
    async with running(Bench(ScriptedSource([page(5, widget("a", 1))], [page(9, nonsense)]))) as bench:
        bench.source.say(modified(nonsense))
        bench.source.fail(Expired(410))
        await settle()
        assert bench.source.calls[-1] == "watch 9"
        assert bench.version("a") == "1"
        assert bench.told == ["ADDED a >1 initial"]


async def test_the_end_of_an_object_that_became_nonsense_is_told() -> None:
    nonsense = b'{"metadata":{"name":"%s","namespace":"default","uid":"%s","resourceVersion":"8","labels":7}}'
    async with running(Bench(ScriptedSource([page(5, widget("a", 1), widget("b", 2))]))) as bench:
        bench.source.say(
            WatchEvent("DELETED", nonsense % (b"a", b"uid-a")), WatchEvent("MODIFIED", nonsense % (b"b", b"other"))
        )
        await settle()
        assert bench.names() == []
        assert bench.told[2:] == ["DELETED a 1>", "DELETED b 2>"]


async def test_json_too_deep_to_read_is_skipped() -> None:
    deep = b'{"metadata":{"name":"deep","resourceVersion":"6"},"spec":' + b"[" * 5000 + b"]" * 5000 + b"}"
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        bench.source.say(added(deep), added(widget("a", 7)))
        await settle()
        assert bench.names() == ["a"]


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


async def test_an_index_function_that_raises_hurts_neither_the_object_nor_the_others() -> None:
    def first_letter_of_label(view: CustomObject) -> list[str]:
        return [view.metadata.labels["l"][0]]

    objects = [widget("bad", 1), widget("good", 2, labels={"l": "x"})]
    source = ScriptedSource([page(5, *objects)])
    indexes = {"letter": first_letter_of_label}
    informer = Informer("widgets", source, decode_custom, clock=FakeClock(), indexes=indexes)
    async with run_informer(informer):
        assert len(informer.store) == 2
        assert [view.metadata.name for view in informer.store.by_index("letter", "x")] == ["good"]
