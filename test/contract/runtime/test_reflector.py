"""What an informer asks for after what, and how fast, when a server ends, refuses or forgets."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

import pytest

from aiop.runtime.client.client import Client
from aiop.runtime.client.codec import ListPage, WatchEvent
from aiop.runtime.client.errors import (
    BadRequest,
    Cause,
    ClientError,
    ConnectionFailed,
    Expired,
    Forbidden,
    RequestTimedOut,
    ServerError,
    StreamStalled,
    TooManyRequests,
    Unauthorized,
)
from aiop.runtime.client.transport import Request, Response
from aiop.runtime.informer.reflector import RETRY, Reflector
from aiop.runtime.informer.source import ClientListWatch
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.views.custom import decode_custom
from support.clock import FakeClock, settle
from support.informerbench import Bench, running
from support.listwatch import WIDGETS, Script, ScriptedSource, added, bookmark, deleted, modified, page, widget
from support.running import run_informer


def listed() -> Reflector:
    """One that has listed, without jitter."""
    made = Reflector(lambda: 0.0)
    made.listed()
    return made


@pytest.mark.promise(1, 2, "S1")
@pytest.mark.parametrize("by_watch", [True, False])
async def test_an_expired_resume_point_leads_to_one_list_and_no_other_version_is_tried(by_watch: bool) -> None:
    """A list never names a version, so none is too old for it and it never goes back in time: there is no relist at
    the last version that a 410 could refuse.
    """
    call = "watch list" if by_watch else "list"
    watched = [] if by_watch else ["watch 5"]
    async with running(Bench(ScriptedSource([page(5)], [page(9)], by_watch=by_watch))) as bench:
        assert bench.source.calls == [call, *watched]
        bench.source.fail(Expired(410))
        await settle()
        assert bench.source.calls[len(watched) + 1 :] == [call, *(["watch 9"] if not by_watch else [])]
        assert bench.informer.store.version == "9"


@pytest.mark.promise(2)
async def test_a_server_that_always_expires_is_not_stormed() -> None:
    bench = Bench(ScriptedSource(*[Expired(410) for _ in range(100)]))
    async with running(bench):
        await bench.clock.advance(25)
        assert len(bench.source.calls) < 8


@pytest.mark.promise(3)
async def test_a_list_that_expires_between_two_pages_begins_anew_and_shows_nothing_of_the_first() -> None:
    first: Script = [page(3, widget("gone", 1), more="token"), Expired(410)]
    async with running(Bench(ScriptedSource(first, [page(7, widget("a", 6))]))) as bench:
        assert bench.source.calls == ["list", "list", "watch 7"]
        assert bench.told == ["ADDED a >6 initial"]


@pytest.mark.promise(4)
async def test_a_server_that_is_behind_the_resume_point_is_listed_again() -> None:
    behind = ServerError(
        504, "Timeout", "Too large resource version", causes=(Cause("", "ResourceVersionTooLarge", ""),)
    )
    async with running(Bench(ScriptedSource([page(90, widget("a", 80))], [page(50, widget("a", 40))]))) as bench:
        bench.source.fail(behind)
        await bench.clock.advance(2)
        assert bench.source.calls == ["list", "watch 90", "list", "watch 50"]
        assert bench.version("a") == "40"


@pytest.mark.promise(5, 6, "S6")
@pytest.mark.parametrize(
    "error",
    [ConnectionFailed("reset"), RequestTimedOut("late"), TooManyRequests(429), Unauthorized(401), ServerError(500)],
)
async def test_a_passing_failure_resumes_at_the_same_point_without_a_list(error: ClientError) -> None:
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        bench.source.say(added(widget("a", 7)))
        bench.source.fail(error)
        await settle()
        assert bench.source.calls == ["list", "watch 5"]
        await bench.clock.advance(2)
        assert bench.source.calls == ["list", "watch 5", "watch 7"]
        assert bench.metrics.failures == 1


@pytest.mark.promise(5, 12)
async def test_a_connection_that_is_refused_for_long_is_never_answered_by_a_list() -> None:
    source = ScriptedSource([page(5)], by_watch=True)
    async with running(Bench(source)) as bench:
        source.refusals.extend(ConnectionFailed("refused") for _ in range(6))
        source.fail(ConnectionFailed("reset"))
        await bench.clock.advance(240)
        assert source.calls == ["watch list", *["watch 5"] * 7]
        assert source.open == 1


@pytest.mark.promise(6, "S6")
def test_the_servers_wish_to_wait_is_kept() -> None:
    one = listed()
    assert one.failed(TooManyRequests(429, retry_after=17.0), 0.0) == 17.0
    assert not one.list_due


@pytest.mark.promise(7, "S5")
def test_delays_grow_to_the_cap_and_begin_anew_after_two_quiet_minutes() -> None:
    one = listed()
    delays = [one.failed(TooManyRequests(429), float(moment)) for moment in range(8)]
    assert delays == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    assert one.failed(TooManyRequests(429), 200.0) == 0.8


@pytest.mark.promise("S5")
def test_jitter_at_most_doubles_a_delay() -> None:
    assert Reflector(lambda: 1.0).failed(ConnectionFailed("refused"), 0.0) == 2 * RETRY.initial


@pytest.mark.promise(8, "S6")
def test_a_server_that_fails_for_long_is_listed_again() -> None:
    one = listed()
    one.failed(ServerError(500), 0.0)
    one.failed(ServerError(500), 29.0)
    assert not one.list_due
    one.failed(ServerError(500), 30.0)
    assert one.list_due


@pytest.mark.promise(9, "S6")
async def test_an_error_after_an_unsafe_delete_replaces_the_store() -> None:
    lists = [page(5, widget("broken", 1), widget("a", 2))], [page(9, widget("a", 2))]
    async with running(Bench(ScriptedSource(*lists))) as bench:
        bench.source.fail(ServerError(500, "StoreReadError", "data from the storage is not transformable"))
        await bench.clock.advance(2)
        assert bench.source.calls == ["list", "watch 5", "list", "watch 9"]
        assert bench.names() == ["a"]
        assert bench.told[2:] == ["DELETED broken 1>"]


@pytest.mark.promise(13, "S7")
async def test_a_bookmark_moves_the_resume_point_and_fires_no_handler() -> None:
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        bench.source.say(bookmark(9))
        bench.source.end()
        await settle()
        assert bench.source.calls == ["list", "watch 5", "watch 9"]
        assert bench.told == []
        assert bench.informer.store.version == "9"


@pytest.mark.promise(13, "S7")
async def test_a_bookmark_never_moves_the_resume_point_back() -> None:
    async with running(Bench(ScriptedSource([page(100)]))) as bench:
        bench.source.say(bookmark(9), WatchEvent("BOOKMARK", b"{}"), bookmark(101))
        bench.source.end()
        await settle()
        assert bench.source.calls[-1] == "watch 101"


@pytest.mark.promise(14, "S8")
@pytest.mark.parametrize("ordered", [modified(widget("a", 9)), deleted(widget("a", 9)), bookmark(9)])
async def test_additions_in_no_order_do_not_move_the_resume_point_until_something_else_is_told(
    ordered: WatchEvent,
) -> None:
    """Only a server whose lists name no version lets a watch begin so."""
    source = ScriptedSource([page(0)._replace(resource_version="")])
    async with running(Bench(source)) as bench:
        source.say(added(widget("a", 8)), added(widget("b", 3)))
        await settle()
        assert bench.names() == ["a", "b"]
        assert bench.informer.store.version == ""
        source.say(ordered, added(widget("c", 10)))
        await settle()
        assert bench.informer.store.version == "10"


@pytest.mark.promise(14, "S8")
async def test_a_watch_that_never_had_a_resume_point_is_followed_by_a_list() -> None:
    source = ScriptedSource([page(0)._replace(resource_version="")], [page(5)])
    async with running(Bench(source)) as bench:
        source.say(added(widget("a", 3)))
        source.fail(ConnectionFailed("reset"))
        await bench.clock.advance(2)
        assert source.calls == ["list", "watch ", "list", "watch 5"]
        assert bench.told == ["ADDED a >3", "DELETED a 3>"]


@pytest.mark.promise(16, "S4")
async def test_watch_times_are_random_between_five_and_ten_minutes() -> None:
    bench = Bench(ScriptedSource([page(5)], by_watch=True))
    async with running(bench):
        for version in range(6, 46):
            bench.source.say(bookmark(version))
            bench.source.end()
            await settle()
    assert all(300 <= seconds <= 600 for seconds in bench.source.timeouts)
    assert len(set(bench.source.timeouts)) > 20


@pytest.mark.promise(19)
@pytest.mark.parametrize("by_watch", [True, False])
@pytest.mark.parametrize(
    "lists",
    [(), (ConnectionFailed("refused"),), ([],), ([page(1)],)],
    ids=["list", "back-off", "initial events", "watch"],
)
async def test_stopping_leaves_no_stream_and_no_task_in_any_state(lists: tuple[object, ...], by_watch: bool) -> None:
    before = asyncio.all_tasks()
    bench = Bench(ScriptedSource(*lists, by_watch=by_watch))  # type: ignore[arg-type]  # a mixture of scripts
    bench.informer.add_handler(lambda _event: None, resync_seconds=60)
    task = asyncio.create_task(bench.informer.run())
    await settle()
    assert bench.source.calls
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert bench.source.open == 0
    assert asyncio.all_tasks() == before


class Pages:
    """A transport that gives lists page by page, and looks at each request how many pages are still held."""

    def __init__(self, count: int) -> None:
        self.asked: list[str] = []
        self.held: list[int] = []
        self._count = count

    async def send(self, request: Request) -> Response:
        token = dict(request.query).get("continue", "0")
        self.asked.append(token)
        self.held.append(sum(type(each) is ListPage for each in gc.get_objects()))
        number = int(token)
        more = str(number + 1) if number + 1 < self._count else ""
        items = [json.loads(widget(f"{number}-{index}", 1)) for index in range(3)]
        body = {"metadata": {"resourceVersion": "9", "continue": more}, "items": items}
        return Response(200, {}, json.dumps(body).encode())

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[NoReturn]:
        if "sendInitialEvents" in dict(request.query):
            raise BadRequest(400)
        raise ConnectionFailed("no watch here")
        yield

    async def aclose(self) -> None:
        """Nothing to close."""


@pytest.mark.own_process
@pytest.mark.promise(20, "S3")
async def test_a_list_is_read_in_order_and_no_page_is_held_beside_the_next() -> None:
    pages = Pages(4)
    client = Client(pages, clock=FakeClock())
    source = ClientListWatch(client, WIDGETS)
    informer = StreamInformer("widgets", source, decode_custom, clock=FakeClock())
    async with run_informer(informer):
        assert pages.asked == ["0", "1", "2", "3"]
        assert len(informer.store) == 12
    assert pages.held == [pages.held[0]] * 4


@pytest.mark.promise(15, "S4")
async def test_a_watch_that_fell_silent_is_resumed_at_once_without_a_list_and_is_no_failure() -> None:
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        await bench.clock.advance(180)
        bench.source.fail(StreamStalled("silent"))
        await settle()
        assert bench.source.calls == ["list", "watch 5", "watch 5"]
        assert bench.metrics.failures == 0


@pytest.mark.promise(15, 21)
async def test_watches_that_fall_silent_at_once_are_not_stormed() -> None:
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        for _ in range(100):
            bench.source.fail(StreamStalled("silent"))
        await bench.clock.advance(25)
        assert len(bench.source.calls) < 9


@pytest.mark.promise(21, "S6")
async def test_watches_that_end_at_once_are_not_stormed() -> None:
    bench = Bench(ScriptedSource([page(5)]))
    async with running(bench):
        for _ in range(100):
            bench.source.end()
        await bench.clock.advance(25)
        assert len(bench.source.calls) < 9


@pytest.mark.promise(21, "S6")
def test_watches_that_end_at_once_and_bring_nothing_back_off() -> None:
    one = listed()
    delays = []
    for moment in (0.0, 1.0, 2.0):
        one.watching(moment)
        delays.append(one.ended(moment + 0.01))
    assert delays == [0.8, 1.6, 3.2]


@pytest.mark.promise("S6")
async def test_rights_that_are_taken_away_leave_the_last_state_and_those_given_back_bring_the_new_one() -> None:
    lists = ([page(5, widget("a", 1))], Forbidden(403, "Forbidden", "no"), Forbidden(403), [page(9, widget("b", 8))])
    async with running(Bench(ScriptedSource(*lists, by_watch=True))) as bench:
        bench.source.fail(Forbidden(403, "Forbidden", "widgets is forbidden"))
        await settle()
        assert bench.informer.trouble == "forbidden: widgets is forbidden"
        await bench.clock.advance(2)
        assert bench.names() == ["a"]
        assert bench.informer.has_synced()
        await bench.clock.advance(60)
        assert bench.names() == ["b"]
        assert bench.informer.trouble == ""
        assert bench.source.calls == ["watch list"] * 4
