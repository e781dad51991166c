"""Handlers that come, go, and want to hear of everything again."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from aiop.runtime.client.errors import Expired
from aiop.runtime.informer.informer import Event
from aiop.runtime.views.custom import CustomObject
from support.clock import settle
from support.informerbench import Bench, running, said
from support.listwatch import ScriptedSource, added, deleted, modified, page, widget


def heard_by(told: list[str]) -> Callable[[Event[CustomObject]], None]:
    return lambda event: told.append(said(event))


@pytest.mark.promise(42, "S17")
async def test_a_resync_tells_who_asked_of_every_object_as_it_is_and_makes_no_call() -> None:
    bench = Bench(ScriptedSource([page(5, widget("a", 1), widget("b", 2))], by_watch=True))
    resynced: list[str] = []
    bench.informer.add_handler(heard_by(resynced), resync_seconds=100)
    async with running(bench):
        bench.source.say(deleted(widget("b", 6)))
        await settle()
        resynced.clear()
        bench.told.clear()
        await bench.clock.advance(89)
        assert resynced == []
        await bench.clock.advance(21)
        assert resynced == ["MODIFIED a 1>1"]
        await bench.clock.advance(110)
        assert resynced == ["MODIFIED a 1>1"] * 2
        assert bench.told == []
        assert bench.source.calls == ["watch list"]


@pytest.mark.promise(42, "S17")
async def test_resyncs_that_began_together_drift_apart() -> None:
    bench = Bench(ScriptedSource([page(5, widget("a", 1))]))
    one: list[float] = []
    two: list[float] = []
    bench.informer.add_handler(lambda _event: one.append(bench.clock.monotonic()), resync_seconds=100)
    bench.informer.add_handler(lambda _event: two.append(bench.clock.monotonic()), resync_seconds=100)
    async with running(bench):
        await bench.clock.advance(1000)
    gaps = [later - earlier for moments in (one, two) for earlier, later in pairwise(moments)]
    assert len(gaps) >= 18
    assert all(90 <= gap <= 110 for gap in gaps)
    assert not set(one[1:]) & set(two[1:])


@pytest.mark.promise(42, "S17")
async def test_a_late_handlers_resync_begins_when_it_joins_and_ends_when_it_leaves() -> None:
    async with running(Bench(ScriptedSource([page(5, widget("a", 1))]))) as bench:
        resynced: list[str] = []
        late = heard_by(resynced)
        bench.informer.add_handler(late, resync_seconds=10)
        await bench.clock.advance(12)
        assert resynced == ["ADDED a >1 initial", "MODIFIED a 1>1"]
        assert [task.get_name() for task in asyncio.all_tasks()].count("widgets resync") == 1
        bench.informer.remove_handler(late)
        await bench.clock.advance(100)
        assert len(resynced) == 2
        assert [task.get_name() for task in asyncio.all_tasks()].count("widgets resync") == 0


@pytest.mark.promise(42, "S17")
async def test_a_resync_lets_others_run_and_skips_what_is_gone_by_then() -> None:
    objects = [widget(f"w{number:03}", 1) for number in range(250)]
    async with running(Bench(ScriptedSource([page(5, *objects)]))) as bench:
        resynced: list[str] = []

        def hear(event: Event[CustomObject]) -> None:
            if not event.initial:
                resynced.append(f"{event.type} {event.key.name}")
            if len(resynced) == 1:
                bench.source.say(deleted(widget("w240", 6)))

        bench.informer.add_handler(hear, resync_seconds=10)
        await bench.clock.advance(12)
        assert resynced.index("DELETED w240") in {100, 200}
        assert "MODIFIED w240" not in resynced
        assert len(resynced) == 250


def test_a_resync_below_a_second_is_refused() -> None:
    bench = Bench(ScriptedSource())
    with pytest.raises(ValueError, match=r"at least 1 s, not 0\.5"):
        bench.informer.add_handler(heard_by([]), resync_seconds=0.5)


@pytest.mark.promise("S15")
async def test_a_handler_that_leaves_hears_nothing_more() -> None:
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        gone: list[str] = []
        handler = heard_by(gone)
        bench.informer.add_handler(handler)
        bench.source.say(added(widget("a", 6)))
        await settle()
        bench.informer.remove_handler(handler)
        bench.informer.remove_handler(handler)
        bench.source.say(modified(widget("a", 7)))
        await settle()
        assert gone == ["ADDED a >6"]
        assert bench.told == ["ADDED a >6", "MODIFIED a 6>7"]


@pytest.mark.promise("S15")
async def test_a_handler_that_leaves_while_a_list_is_told_hears_not_even_the_rest_and_the_others_hear_all() -> None:
    bench = Bench(ScriptedSource([page(5)], [page(9, widget("a", 6), widget("b", 7))]))
    first: list[str] = []
    second: list[str] = []
    after = heard_by(second)

    def once(event: Event[CustomObject]) -> None:
        first.append(said(event))
        bench.informer.remove_handler(once)
        bench.informer.remove_handler(after)

    bench.informer.add_handler(once)
    bench.informer.add_handler(after)
    last: list[str] = []
    bench.informer.add_handler(heard_by(last))
    async with running(bench):
        bench.source.fail(Expired(410))
        await settle()
        assert (first, second) == (["ADDED a >6"], [])
        assert last == bench.told == ["ADDED a >6", "ADDED b >7"]


@pytest.mark.promise("S15")
async def test_a_handler_that_leaves_while_it_hears_what_is_there_hears_not_the_rest() -> None:
    async with running(Bench(ScriptedSource([page(5, widget("a", 1), widget("b", 2))]))) as bench:
        told: list[str] = []

        def once(event: Event[CustomObject]) -> None:
            told.append(said(event))
            bench.informer.remove_handler(once)

        bench.informer.add_handler(once, resync_seconds=10)
        await bench.clock.advance(30)
        assert told == ["ADDED a >1 initial"]


@pytest.mark.promise("S15")
async def test_one_that_was_added_twice_is_told_twice_and_after_one_removal_once() -> None:
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        told: list[str] = []
        handler = heard_by(told)
        bench.informer.add_handler(handler)
        bench.informer.add_handler(handler)
        bench.source.say(added(widget("a", 6)))
        await settle()
        bench.informer.remove_handler(handler)
        bench.source.say(modified(widget("a", 7)))
        await settle()
        assert told == ["ADDED a >6", "ADDED a >6", "MODIFIED a 6>7"]
