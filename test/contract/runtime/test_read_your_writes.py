"""Promises 44 to 50: what this process wrote is read at once, and no write haunts the cache."""

import pytest

from aiop.runtime.client.codec import WatchEvent
from aiop.runtime.client.errors import Expired
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.views.custom import decode_custom
from aiop.runtime.views.workloads import decode_pod
from support.clock import settle
from support.informerbench import Bench, running
from support.listwatch import ScriptedSource, added, bookmark, deleted, modified, page, widget
from support.stores import A, listed, terminating, version, view

STATUS = b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201}'


@pytest.mark.promise(44, "S33")
async def test_an_own_write_is_read_at_once_or_something_newer_is() -> None:
    """No read waits for it: the response itself is laid over the cache."""
    async with running(Bench(ScriptedSource([page(5, widget("a", 3))]))) as bench:
        bench.informer.written(widget("a", 7))
        assert bench.version("a") == "7"
        bench.source.say(modified(widget("a", 9)))
        await settle()
        bench.informer.written(widget("a", 8))
        assert bench.version("a") == "9"


@pytest.mark.promise(44)
def test_what_the_watch_last_said_can_still_be_read() -> None:
    store = listed(5, view(3))
    store.written(view(7))
    assert store.observed(A) == view(3)


@pytest.mark.promise(45)
def test_it_gives_way_to_the_same_and_to_a_newer_state() -> None:
    for told in (7, 8):
        store = listed(5, view(3))
        store.written(view(7))
        store.put(view(told))
        assert version(store) == str(told)


@pytest.mark.promise(45, "S33")
async def test_the_watch_tells_handlers_of_own_writes_as_of_any_other() -> None:
    """None is filtered out: a handler that only enqueues may hear of a write twice, but never not at all."""
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        written = bench.informer.written(widget("a", 7))
        bench.source.say(added(widget("a", 7)), modified(widget("a", 9)))
        bench.informer.deleted(A, written.metadata.uid)
        await settle()
        assert terminating(bench.informer.store)
        bench.source.say(deleted(widget("a", 10)))
        await settle()
        assert bench.told == ["ADDED a >7", "MODIFIED a 7>9", "DELETED a 10>"]
        assert bench.names() == []


@pytest.mark.promise(46)
def test_an_own_delete_shows_as_terminating_until_the_watch_says_gone() -> None:
    """Not as absence: a name may not be given again before the object is gone, finalizers and grace included."""
    store = listed(5, view(3))
    store.deleted(A, "uid-a")
    assert terminating(store)
    store.passed("50")
    store.put(view(51))
    assert terminating(store)
    store.remove(A, "uid-a", "52")
    assert store.get(A) is None


@pytest.mark.promise(46)
def test_an_own_delete_does_not_hide_what_others_made_anew() -> None:
    store = listed(5, view(3))
    store.deleted(A, "uid-a")
    store.put(view(8, uid="other"))
    assert not terminating(store)


@pytest.mark.promise(47)
def test_a_response_without_a_version_or_a_name_changes_nothing() -> None:
    store = listed(5, view(3))
    store.written(decode_custom(STATUS))
    store.written(decode_custom(b'{"metadata":{"resourceVersion":"9"}}'))
    assert store.keys() == [A]
    assert version(store) == "3"


@pytest.mark.promise(47)
def test_a_status_in_place_of_an_object_is_no_error_whatever_the_kind() -> None:
    """An eviction answers so; to a pod's view, whose status is an object, that Status is nonsense."""
    informer = StreamInformer("pods", ScriptedSource(), decode_pod, clock=SystemClock())
    assert informer.written(STATUS).metadata.name == ""
    assert len(informer.store) == 0


@pytest.mark.promise(48)
def test_an_own_creation_that_others_undid_falls_once_the_watch_has_passed_it() -> None:
    store = listed(5)
    store.written(view(7))
    assert store.passed("6") == {}
    assert store.passed("7") == {A: view(7)}
    assert store.get(A) is None


@pytest.mark.promise(48)
def test_a_response_that_comes_after_the_watch_told_of_the_deletion_leaves_no_ghost() -> None:
    store = listed(5)
    store.put(view(7))
    store.passed("7")
    store.remove(A, "uid-a", "9")
    store.passed("9")
    store.written(view(7))
    assert store.get(A) is None


@pytest.mark.promise(48, "S7")
@pytest.mark.parametrize("passing", [bookmark(20), added(widget("other", 25))])
async def test_who_relied_on_an_own_creation_hears_that_it_was_undone(passing: WatchEvent) -> None:
    async with running(Bench(ScriptedSource([page(5)]))) as bench:
        bench.informer.written(widget("a", 10))
        bench.source.say(passing)
        await settle()
        assert bench.told[-1] == "DELETED a 10>"
        assert "a" not in bench.names()


@pytest.mark.promise(48)
async def test_who_relied_on_an_own_creation_hears_that_a_relist_does_not_know_it() -> None:
    async with running(Bench(ScriptedSource([page(5)], [page(30)]))) as bench:
        bench.informer.written(widget("a", 10))
        bench.source.fail(Expired(410))
        await settle()
        assert bench.told == ["DELETED a 10>"]


@pytest.mark.promise(48)
@pytest.mark.parametrize("deleted_too", [False, True])
async def test_an_own_write_that_the_informers_selector_leaves_out_does_not_stay(deleted_too: bool) -> None:
    """It shows until the watch has come past it, since only the server knows what a selector selects."""
    async with running(Bench(ScriptedSource([page(5, widget("b", 3))]))) as bench:
        bench.informer.written(widget("a", 10))
        if deleted_too:
            bench.informer.deleted(A, "uid-a")
        assert bench.names() == ["a", "b"]
        bench.source.say(bookmark(10))
        await settle()
        assert bench.names() == ["b"]


@pytest.mark.promise(48, 43)
async def test_an_own_write_that_takes_the_object_out_of_the_selector_does_not_bring_it_back() -> None:
    for response_first in (True, False):
        async with running(Bench(ScriptedSource([page(5, widget("a", 3))]))) as bench:
            if response_first:
                bench.informer.written(widget("a", 9))
            bench.source.say(deleted(widget("a", 9)))
            await settle()
            if not response_first:
                bench.informer.written(widget("a", 9))
            assert bench.names() == []


@pytest.mark.promise(48)
async def test_after_a_restore_of_the_server_own_writes_show_and_fall_by_its_new_lower_versions() -> None:
    lists = [page(900, widget("a", 800))], [page(50, widget("a", 40))]
    async with running(Bench(ScriptedSource(*lists))) as bench:
        bench.informer.written(widget("a", 950))
        bench.source.fail(Expired(410))
        await settle()
        assert bench.version("a") == "40"
        bench.informer.written(widget("a", 51))
        bench.informer.written(widget("undone", 52))
        assert (bench.version("a"), bench.version("undone")) == ("51", "52")
        bench.source.say(modified(widget("a", 53)), bookmark(54))
        await settle()
        assert (bench.version("a"), bench.version("undone")) == ("53", "")


@pytest.mark.promise(49)
def test_an_own_creation_is_read_at_once_and_listed_and_indexed() -> None:
    store = listed(5)
    store.written(view(7, labels={"l": "x"}))
    assert store.keys() == [A]
    assert [each.metadata.name for each in store.by_index("label", "x")] == ["a"]
    assert len(store) == len(store.values()) == 1


@pytest.mark.promise(49)
def test_an_own_change_moves_the_object_in_the_index_and_back_when_it_falls() -> None:
    store = listed(5, view(3, labels={"l": "x"}))
    store.written(view(7, labels={"l": "y"}))
    assert (store.by_index("label", "x"), len(store.by_index("label", "y"))) == ([], 1)
    store.replace([view(6, labels={"l": "x"})], "8", store.begin_list())
    assert (len(store.by_index("label", "x")), store.by_index("label", "y")) == (1, [])


@pytest.mark.promise(49)
def test_an_own_change_that_outlives_a_relist_stays_where_it_is_in_the_index() -> None:
    store = listed(5, view(3, labels={"l": "x"}))
    mark = store.begin_list()
    store.written(view(7, labels={"l": "y"}))
    store.replace([view(6, labels={"l": "x"})], "6", mark)
    assert (store.by_index("label", "x"), len(store.by_index("label", "y"))) == ([], 1)


@pytest.mark.promise(50)
def test_an_older_own_write_never_beats_a_newer_foreign_one() -> None:
    store = listed(5, view(3))
    store.put(view(9))
    store.written(view(7))
    assert version(store) == "9"


@pytest.mark.promise(50)
def test_of_two_own_writes_the_newer_counts_whatever_order_the_responses_come_in() -> None:
    store = listed(5, view(3))
    store.written(view(8))
    store.written(view(7))
    assert version(store) == "8"
