"""Promises 24 to 29, 41 and 43: what a gap hid is told afterwards, once, and readers never see half of it."""

import asyncio

import pytest

from aiop.runtime.client.errors import Expired
from aiop.runtime.informer.informer import Event
from aiop.runtime.views.custom import CustomObject
from support.clock import settle
from support.informerbench import Bench, running
from support.listwatch import ScriptedSource, added, deleted, modified, page, widget
from support.stores import A


@pytest.mark.promise(24, "S11")
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


@pytest.mark.promise(24, "S11", "S12")
async def test_a_deletion_brings_the_last_state_with_the_deletions_version_or_the_last_known_one() -> None:
    ends: list[CustomObject | None] = []
    bench = Bench(ScriptedSource([page(5, widget("seen", 1), widget("missed", 2, labels={"l": "x"}))], [page(9)]))
    bench.informer.add_handler(lambda event: ends.append(event.old) if event.type == "DELETED" else None)
    async with running(bench):
        bench.source.say(deleted(widget("seen", 6, labels={"l": "last"})))
        bench.source.fail(Expired(410))
        await settle()
        assert [end and (end.metadata.resource_version, dict(end.metadata.labels)) for end in ends] == [
            ("6", {"l": "last"}),
            ("2", {"l": "x"}),
        ]


@pytest.mark.promise(25, "S10", "S11")
async def test_what_was_told_just_before_a_gap_is_told_to_be_gone_and_what_came_and_went_in_it_is_not() -> None:
    """There is no queue between the stream and the handlers, so no key is ever known to a queue alone: an object that
    was told is in the store, whose difference tells its end.
    """
    async with running(Bench(ScriptedSource([page(5)], [page(9)]))) as bench:
        bench.source.say(added(widget("a", 6)))
        bench.source.fail(Expired(410))
        await settle()
        assert bench.told == ["ADDED a >6", "DELETED a 6>"]


@pytest.mark.promise(26, "S11")
@pytest.mark.parametrize("event_first", [True, False])
async def test_a_deletion_that_an_event_and_a_relist_both_tell_of_is_one(event_first: bool) -> None:
    async with running(Bench(ScriptedSource([page(5, widget("a", 1))], [page(9)]))) as bench:
        if event_first:
            bench.source.say(deleted(widget("a", 6)))
        bench.source.fail(Expired(410))
        if not event_first:
            bench.source.say(deleted(widget("a", 6)))
        await settle()
        assert bench.told == ["ADDED a >1 initial", "DELETED a 1>" if not event_first else "DELETED a 6>"]


@pytest.mark.promise(27, "S12", "S13")
async def test_a_recreation_that_shows_as_one_change_is_a_deletion_and_an_addition() -> None:
    async with running(Bench(ScriptedSource([page(5, widget("a", 2))]))) as bench:
        bench.source.say(modified(widget("a", 6, uid="other")))
        await settle()
        assert bench.told[1:] == ["DELETED a 2>", "ADDED a >6"]


@pytest.mark.promise(27, "S12", "S13")
async def test_a_recreation_in_a_gap_is_a_deletion_and_an_addition_by_uid() -> None:
    uids: list[tuple[str, str]] = []
    bench = Bench(ScriptedSource([page(5, widget("a", 2))], [page(9, widget("a", 8, uid="other"))]))

    def note(event: Event[CustomObject]) -> None:
        view = event.new or event.old
        uids.append((event.type, view.metadata.uid if view else ""))

    bench.informer.add_handler(note)
    async with running(bench):
        bench.source.fail(Expired(410))
        await settle()
        assert uids == [("ADDED", "uid-a"), ("DELETED", "uid-a"), ("ADDED", "other")]


@pytest.mark.promise(29, "S33")
async def test_an_older_event_never_overwrites_a_newer_state() -> None:
    async with running(Bench(ScriptedSource([page(10, widget("a", 9))]))) as bench:
        bench.source.say(modified(widget("a", 8)), deleted(widget("a", 7)), modified(widget("a", 9)))
        await settle()
        assert bench.version("a") == "9"
        assert bench.told == ["ADDED a >9 initial"]


@pytest.mark.promise(29, "S33")
async def test_versions_compare_as_numbers() -> None:
    async with running(Bench(ScriptedSource([page(99, widget("a", 99))]))) as bench:
        bench.source.say(modified(widget("a", 100)))
        await settle()
        assert bench.version("a") == "100"


@pytest.mark.promise(29)
async def test_a_relist_counts_even_where_its_versions_are_lower() -> None:
    """The one exception: a server that was restored from a backup counts from an earlier version again."""
    async with running(Bench(ScriptedSource([page(90, widget("a", 80))], [page(50, widget("a", 40))]))) as bench:
        bench.source.fail(Expired(410))
        await settle()
        assert bench.version("a") == "40"
        assert bench.told[1:] == ["MODIFIED a 80>40"]
        bench.source.say(modified(widget("a", 51)))
        await settle()
        assert bench.version("a") == "51"


@pytest.mark.promise(41, "S2", "S11")
@pytest.mark.parametrize("by_watch", [True, False])
async def test_readers_see_the_old_full_set_until_the_relist_is_whole(by_watch: bool) -> None:
    """Own writes included: they belong to the old set, and the list that was asked for after them knows them."""
    label = {"l": "x"}
    first = [page(5, widget("a", 1, labels=label), widget("b", 2, labels=label))]
    bench = Bench(ScriptedSource(first, by_watch=by_watch))
    store = bench.informer.store
    async with running(bench):
        bench.informer.written(widget("own", 6, labels=label))
        old, new = ["a", "b", "own"], ["c", "d"]
        seen: list[list[str]] = []

        def look() -> list[str]:
            assert bench.names() == [view.metadata.name for view in store.by_index("label", "x")]
            return bench.names()

        bench.informer.add_handler(lambda _event: seen.append(look()))
        seen.clear()
        bench.source.lists.append([page(9, widget("c", 6, labels=label)), page(9, widget("d", 7, labels=label))])
        bench.source.fail(Expired(410))
        looks = []
        for _ in range(20):
            await asyncio.sleep(0)
            looks.append(look())
        assert looks == sorted(looks)
        assert [each for each in looks if each not in (old, new)] == []
        assert (looks[0], looks[-1]) == (old, new)
        assert seen == [new] * 5  # five events, and all of the new set stood when the first was told


@pytest.mark.promise(43)
async def test_an_object_that_stops_matching_the_selector_is_told_as_deleted() -> None:
    """The server selects: it ends the object with its new state, which no longer matches."""
    async with running(Bench(ScriptedSource([page(5, widget("a", 2, labels={"l": "x"}))]))) as bench:
        bench.source.say(deleted(widget("a", 6, labels={"l": "other"})))
        await settle()
        assert bench.told[1:] == ["DELETED a 6>"]
        assert bench.informer.store.get(A) is None
        bench.source.say(added(widget("a", 8, labels={"l": "x"})))
        await settle()
        assert bench.told[2:] == ["ADDED a >8"]
        assert len(bench.informer.store.by_index("label", "x")) == 1
