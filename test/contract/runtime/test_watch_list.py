"""Lists by watch: everything that is there as events, a mark, and the same stream goes on."""

import gc

import pytest
import structlog

from aiop.runtime.client.codec import WatchEvent
from aiop.runtime.client.errors import (
    ApiError,
    BadRequest,
    ClientError,
    ConnectionFailed,
    Expired,
    Invalid,
    RequestTimedOut,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from aiop.runtime.informer.snapshot import Snapshot
from support.clock import settle
from support.informerbench import Bench, running
from support.listwatch import (
    ScriptedSource,
    added,
    bookmark,
    deleted,
    end_of_initial,
    modified,
    page,
    widget,
)

NONSENSE = b'{"metadata":{"name":"a","namespace":"default","uid":"%s","resourceVersion":"8","labels":7}}'


def by_watch(*lists: object) -> ScriptedSource:
    """A list without a page says nothing by itself: the test says the initial events."""
    return ScriptedSource(*lists, by_watch=True)  # type: ignore[arg-type]  # a mixture of scripts


@pytest.mark.promise(10, 12, "S2")
async def test_it_syncs_only_at_the_mark_and_swaps_the_store_once_and_the_same_stream_goes_on() -> None:
    async with running(Bench(by_watch([]))) as bench:
        bench.source.say(added(widget("b", 4)), added(widget("a", 3)))
        await settle()
        assert not bench.informer.has_synced()
        assert (bench.names(), bench.told) == ([], [])
        assert bench.informer.trouble == "waiting for the first list"
        bench.source.say(end_of_initial(5))
        await settle()
        assert bench.informer.has_synced()
        assert bench.told == ["ADDED b >4 initial", "ADDED a >3 initial"]
        bench.source.say(modified(widget("a", 6)))
        await settle()
        assert bench.told[2:] == ["MODIFIED a 3>6"]
        bench.source.end()
        await settle()
        assert bench.source.calls == ["watch list", "watch 6"]
        assert bench.metrics.lists == 1


@pytest.mark.promise(10, 31, "S2")
async def test_an_empty_list_by_watch_syncs_too() -> None:
    async with running(Bench(by_watch([page(5)]))) as bench:
        assert bench.informer.has_synced()
        assert bench.informer.store.version == "5"
        assert bench.informer.trouble == ""


@pytest.mark.promise(10, 41, "S2", "S11")
async def test_after_an_expiry_readers_see_the_old_set_until_the_new_one_is_marked() -> None:
    async with running(Bench(by_watch([page(5, widget("gone", 1), widget("same", 2))], []))) as bench:
        seen: list[list[str]] = []
        bench.informer.add_handler(lambda _event: seen.append(bench.names()))
        seen.clear()
        bench.told.clear()
        bench.source.fail(Expired(410))
        bench.source.say(added(widget("same", 2)), added(widget("new", 9)))
        await settle()
        assert bench.names() == ["gone", "same"]
        bench.source.say(end_of_initial(20))
        await settle()
        assert bench.told == ["DELETED gone 1>", "ADDED new >9"]
        assert seen == [["new", "same"]] * 2


@pytest.mark.promise(10, "S2", "S8")
async def test_what_changes_while_the_initial_events_come_is_in_the_list() -> None:
    async with running(Bench(by_watch([]))) as bench:
        bench.source.say(added(widget("a", 3)), added(widget("b", 4)), added(widget("c", 5)))
        bench.source.say(modified(widget("a", 7)), deleted(widget("b", 8)), added(widget("d", 9)))
        await settle()
        assert bench.informer.store.version == ""
        bench.source.say(end_of_initial(9))
        await settle()
        assert bench.told == ["ADDED a >7 initial", "ADDED c >5 initial", "ADDED d >9 initial"]


@pytest.mark.promise(14, "S8")
async def test_initial_events_that_are_cut_off_leave_the_resume_point_and_are_asked_for_anew() -> None:
    async with running(Bench(by_watch([page(5, widget("a", 1))], [], [page(30)]))) as bench:
        bench.source.fail(Expired(410))
        bench.source.say(added(widget("b", 20)))
        bench.source.fail(ConnectionFailed("reset"))
        await settle()
        assert (bench.informer.store.version, bench.names()) == ("5", ["a"])
        await bench.clock.advance(2)
        assert bench.source.calls == ["watch list"] * 3
        assert bench.informer.store.version == "30"
        assert bench.told == ["ADDED a >1 initial", "DELETED a 1>"]


@pytest.mark.promise(10, "S2")
async def test_initial_events_that_end_in_good_order_before_the_mark_are_asked_for_anew() -> None:
    async with running(Bench(by_watch([], [page(5, widget("a", 1))]))) as bench:
        bench.source.say(added(widget("a", 1)))
        bench.source.end()
        await settle()
        assert not bench.informer.has_synced()
        await bench.clock.advance(2)
        assert bench.source.calls == ["watch list"] * 2
        assert bench.informer.has_synced()


@pytest.mark.promise(10, "S2")
async def test_each_ten_seconds_without_the_mark_are_told() -> None:
    async with running(Bench(by_watch([]))) as bench:
        with structlog.testing.capture_logs() as logs:
            bench.source.say(added(widget("a", 1)))
            await bench.clock.advance(25)
            bench.source.say(end_of_initial(5))
            await bench.clock.advance(60)
        waited = [(each["log_level"], each["waited_seconds"], each["objects"]) for each in logs]
        assert waited == [("warning", 10, 1), ("warning", 20, 1)]


@pytest.mark.promise(11, "S2")
@pytest.mark.parametrize(
    "refusal",
    [
        BadRequest(400, "BadRequest", "sendInitialEvents is forbidden"),
        Invalid(422, "Invalid", "sendInitialEvents: Forbidden"),
        ApiError(405, "MethodNotAllowed"),
        ApiError(406, "NotAcceptable"),
    ],
)
async def test_a_server_that_refuses_is_listed_page_by_page_at_once_and_for_good(refusal: ApiError) -> None:
    lists = (refusal, [page(5, widget("a", 1)), page(5, widget("b", 2))], [page(9)])
    async with running(Bench(by_watch(*lists))) as bench:
        assert bench.source.calls == ["watch list", "list", "watch 5"]
        assert bench.names() == ["a", "b"]
        assert bench.metrics.failures == 0
        bench.source.fail(Expired(410))
        await settle()
        assert bench.source.calls[3:] == ["list", "watch 9"]


@pytest.mark.promise(11, "S2")
@pytest.mark.parametrize(
    "failure",
    [
        ConnectionFailed("refused"),
        RequestTimedOut("late"),
        TooManyRequests(429),
        Unauthorized(401),
        ServerError(500),
        Expired(410),
    ],
)
async def test_a_passing_failure_is_no_refusal(failure: ClientError) -> None:
    """client-go gives up on lists by watch at any error; a server that is restarted would then be asked for pages."""
    async with running(Bench(by_watch(failure, [page(5)]))) as bench:
        await bench.clock.advance(2)
        assert bench.source.calls == ["watch list"] * 2
        assert bench.informer.has_synced()


@pytest.mark.promise(11, "S2")
async def test_a_server_that_ignores_the_wish_for_a_mark_is_found_out_by_its_first_bookmark() -> None:
    async with running(Bench(by_watch([], [page(7, widget("a", 1))]))) as bench:
        bench.source.say(added(widget("a", 1)), bookmark(6))
        await settle()
        assert bench.source.calls == ["watch list", "list", "watch 7"]
        assert bench.informer.has_synced()


@pytest.mark.promise(10, "S2")
async def test_a_bookmark_without_the_mark_does_not_end_the_initial_events() -> None:
    """It is a refusal: a server that knows of the mark sends no bookmark before it. The list by pages has the word."""
    async with running(Bench(by_watch([]))) as bench:
        bench.source.say(added(widget("a", 1)), bookmark(6), end_of_initial(7))
        await settle()
        assert bench.source.calls == ["watch list", "list"]
        assert not bench.informer.has_synced()
        assert (bench.informer.store.version, bench.names(), bench.told) == ("", [], [])


@pytest.mark.promise(17, "S2")
async def test_initial_objects_that_make_no_sense_are_as_in_any_list() -> None:
    async with running(Bench(by_watch([page(5, widget("a", 1), widget("b", 2))], []))) as bench:
        bench.source.fail(Expired(410))
        bench.source.say(added(NONSENSE % b"uid-a"), added(b"{"), WatchEvent("FUTURE", b"{}"), end_of_initial(9))
        await settle()
        assert bench.names() == ["a"]
        assert bench.told[2:] == ["DELETED b 2>"]
        assert bench.metrics.skips == 2


@pytest.mark.promise(17, 27, "S2")
@pytest.mark.parametrize(
    ("last", "left"),
    [
        (modified(NONSENSE % b"uid-a"), ["a"]),
        (modified(NONSENSE % b"another"), []),
        (deleted(NONSENSE % b"uid-a"), []),
        (deleted(NONSENSE % b"another"), ["a"]),
    ],
)
async def test_an_initial_object_that_becomes_nonsense_keeps_its_state_unless_it_is_gone(
    last: WatchEvent, left: list[str]
) -> None:
    async with running(Bench(by_watch([]))) as bench:
        bench.source.say(added(widget("a", 3)), last, end_of_initial(9))
        await settle()
        assert bench.names() == left


@pytest.mark.promise(44, "S2")
async def test_an_own_write_made_while_the_list_is_read_outlives_it_and_an_older_one_does_not() -> None:
    async with running(Bench(by_watch([page(5)], []))) as bench:
        bench.informer.written(widget("before", 99))
        bench.source.fail(Expired(410))
        await settle()
        bench.informer.written(widget("meanwhile", 40))
        bench.source.say(end_of_initial(30))
        await settle()
        assert bench.names() == ["meanwhile"]
        bench.source.say(added(widget("meanwhile", 40)))
        await settle()
        assert bench.told == ["DELETED before 99>", "ADDED meanwhile >40"]


def gathered() -> int:
    return sum(type(each) is Snapshot for each in gc.get_objects())


@pytest.mark.own_process
@pytest.mark.promise(20, "S2")
async def test_what_a_list_gathered_is_let_go_while_its_stream_goes_on() -> None:
    """So a relist holds the old set and the new one, and between relists there is one."""
    before = gathered()
    async with running(Bench(by_watch([]))) as bench:
        bench.source.say(added(widget("a", 1)))
        await settle()
        assert gathered() == before + 1
        bench.source.say(end_of_initial(5), modified(widget("a", 6)))
        await settle()
        assert gathered() == before
        assert bench.source.calls == ["watch list"]
