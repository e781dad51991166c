"""A kind that the server does not serve, not yet or no longer."""

import pytest
import structlog

from aiop.runtime.client.errors import ConnectionFailed, NotFound, TooManyRequests
from support.clock import settle
from support.informerbench import Bench, running
from support.listwatch import ScriptedSource, added, deleted, page, widget

ABSENT = NotFound(404, "", "404 page not found")
NOT_SERVED = "the API example.com/v1 widgets is not served"


@pytest.mark.promise(31, "S14")
@pytest.mark.parametrize("by_watch", [True, False])
async def test_an_optional_kind_that_is_not_served_has_no_objects_and_holds_nobody_up(by_watch: bool) -> None:
    async with running(Bench(ScriptedSource(ABSENT, by_watch=by_watch), optional=True)) as bench:
        assert bench.informer.has_synced()
        assert not bench.informer.available
        assert bench.informer.trouble == ""
        assert bench.metrics.failures == 0
        assert bench.metrics.known == {"widgets": True}


@pytest.mark.promise("S5")
async def test_an_absent_kind_costs_one_request_each_30_s_at_most_and_at_least() -> None:
    bench = Bench(ScriptedSource(*[ABSENT] * 1000, by_watch=True), optional=True)
    async with running(bench):
        await bench.clock.advance(300)
        before = len(bench.source.calls)
        await bench.clock.advance(300)
        assert len(bench.source.calls) - before == 10
        assert set(bench.source.calls) == {"watch list"}
        assert bench.metrics.moments[-1] - bench.metrics.moments[0] > 560


@pytest.mark.promise(10)
async def test_an_optional_kind_that_appears_is_listed_and_told() -> None:
    bench = Bench(ScriptedSource(ABSENT, ABSENT, [page(5, widget("a", 1))], by_watch=True), optional=True)
    heard: list[tuple[bool, list[str]]] = []
    bench.informer.on_availability(lambda available: heard.append((available, bench.names())))
    async with running(bench):
        await bench.clock.advance(10)
        assert bench.informer.available
        assert heard == [(False, []), (True, ["a"])]
        assert bench.told == ["ADDED a >1"]


async def test_a_kind_that_is_being_set_up_is_not_waited_for_as_long_as_an_absent_one() -> None:
    setting_up = TooManyRequests(429, "TooManyRequests", "storage is (re)initializing")
    bench = Bench(ScriptedSource(*[ABSENT] * 10, setting_up, [page(5)], by_watch=True), optional=True)
    async with running(bench):
        while len(bench.source.calls) < 11:
            await bench.clock.advance(1)
        await bench.clock.advance(2)
        assert bench.informer.available


@pytest.mark.promise("S14")
async def test_a_kind_that_has_to_be_there_is_waited_for_and_told_once() -> None:
    bench = Bench(ScriptedSource(ABSENT, ABSENT, ABSENT, [page(5, widget("a", 1))], by_watch=True))
    with structlog.testing.capture_logs() as logs:
        async with running(bench):
            await bench.clock.advance(5)
            assert not bench.informer.has_synced()
            assert bench.informer.trouble == NOT_SERVED
            assert not bench.informer.available
            await bench.clock.advance(20)
            assert bench.informer.has_synced()
            assert bench.informer.trouble == ""
            assert bench.told == ["ADDED a >1 initial"]
    assert [each["event"] for each in logs if each["log_level"] == "warning"] == [NOT_SERVED]


@pytest.mark.promise(24)
async def test_a_kind_that_is_deleted_and_created_again_is_survived() -> None:
    absences = 8
    source = ScriptedSource([page(5, widget("a", 1), widget("b", 2))], by_watch=True)
    source.lists.extend([*[ABSENT] * absences, [page(20, widget("b", 15, uid="new"))]])
    bench = Bench(source)
    heard: list[bool] = []
    bench.informer.on_availability(heard.append)
    async with running(bench):
        bench.told.clear()
        bench.source.say(deleted(widget("a", 6)))
        bench.source.refusals.append(ABSENT)
        bench.source.end()
        await bench.clock.advance(29)
        assert bench.told == ["DELETED a 6>"]
        await bench.clock.advance(31)
        assert bench.told == ["DELETED a 6>", "DELETED b 2>"]
        assert (bench.names(), heard, bench.informer.trouble) == ([], [False], NOT_SERVED)
        await bench.clock.advance(300)
        assert bench.told[2:] == ["ADDED b >15"]
        assert (heard, bench.informer.trouble) == ([False, True], "")
        assert bench.source.calls == ["watch list", "watch 6", *["watch list"] * (absences + 1)]


async def test_a_404_now_and_then_does_not_take_known_objects_away() -> None:
    """A server that is on its way up or down may say so of a kind that it serves."""
    lists = [[page(version, widget("a", 1))] for version in (5, 9, 12)]
    bench = Bench(ScriptedSource(*lists, by_watch=True), optional=True)
    async with running(bench):
        for _ in range(2):
            bench.source.refusals.append(ABSENT)
            bench.source.fail(ConnectionFailed("reset"))
            await bench.clock.advance(30)
        assert bench.source.calls == ["watch list", "watch 5", "watch list", "watch 9", "watch list"]
        assert bench.told == ["ADDED a >1 initial"]
        assert bench.informer.available


async def test_a_callback_that_raises_hurts_neither_the_others_nor_the_stream() -> None:
    bench = Bench(ScriptedSource(ABSENT, [page(5)], by_watch=True), optional=True)
    heard: list[bool] = []

    def broken(available: bool) -> None:
        raise ValueError(available)

    bench.informer.on_availability(broken)
    bench.informer.on_availability(heard.append)
    async with running(bench):
        await bench.clock.advance(5)
        bench.source.say(added(widget("a", 6)))
        await settle()
        assert heard == [False, True]
        assert bench.names() == ["a"]
