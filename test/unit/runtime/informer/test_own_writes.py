"""Read your own writes, and no ghosts: decision by decision, on a store that a test feeds."""

from typing import Any

import pytest

from aiop.runtime.client.codec import WatchEvent
from aiop.runtime.client.errors import Expired
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.informer import Event, EventType, Informer
from aiop.runtime.informer.store import Store
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import FakeClock
from support.listwatch import ScriptedSource, added, bookmark, deleted, modified, page, widget
from support.running import run_informer

A = ObjectKey("default", "a")


def view(version: int, *, uid: str = "uid-a", name: str = "a", **metadata: Any) -> CustomObject:
    return decode_custom(widget(name, version, uid=uid, **metadata))


def listed(version: int, *views: CustomObject) -> Store[CustomObject]:
    store: Store[CustomObject] = Store({"label": lambda each: each.metadata.labels.values()})
    store.replace(views, str(version), store.begin_list())
    return store


def version(store: Store[CustomObject]) -> str:
    found = store.get(A)
    return found.metadata.resource_version if found else ""


def terminating(store: Store[CustomObject]) -> bool:
    found = store.get(A)
    assert found is not None
    return found.metadata.deletion_timestamp is not None


def test_an_own_write_is_read_at_once() -> None:
    store = listed(5, view(3))
    store.written(view(7))
    assert version(store) == "7"
    assert store.observed(A) == view(3)


def test_an_own_creation_is_read_at_once_and_listed_and_indexed() -> None:
    store = listed(5)
    store.written(view(7, labels={"l": "x"}))
    assert store.keys() == [A]
    assert [each.metadata.name for each in store.by_index("label", "x")] == ["a"]
    assert len(store) == len(store.values()) == 1


def test_it_gives_way_to_the_same_and_to_a_newer_state() -> None:
    for told in (7, 8):
        store = listed(5, view(3))
        store.written(view(7))
        store.put(view(told))
        assert version(store) == str(told)


def test_an_older_state_does_not_take_it_away() -> None:
    store = listed(5, view(3))
    store.written(view(7))
    store.put(view(6))
    store.passed("6")
    assert version(store) == "7"


def test_an_older_own_write_never_beats_a_newer_foreign_one() -> None:
    store = listed(5, view(3))
    store.put(view(9))
    store.written(view(7))
    assert version(store) == "9"


def test_of_two_own_writes_the_newer_counts_whatever_order_the_responses_come_in() -> None:
    store = listed(5, view(3))
    store.written(view(8))
    store.written(view(7))
    assert version(store) == "8"


def test_a_response_that_comes_after_the_watch_told_of_the_deletion_leaves_no_ghost() -> None:
    store = listed(5)
    store.put(view(7))
    store.passed("7")
    store.remove(A, "uid-a", "9")
    store.passed("9")
    store.written(view(7))
    assert store.get(A) is None


def test_a_response_without_a_version_or_a_name_changes_nothing() -> None:
    store = listed(5, view(3))
    store.written(decode_custom(b'{"kind":"Status","metadata":{},"status":"Success"}'))
    store.written(decode_custom(b'{"metadata":{"resourceVersion":"9"}}'))
    assert store.keys() == [A]


def test_an_own_creation_that_others_undid_falls_once_the_watch_has_passed_it() -> None:
    store = listed(5)
    store.written(view(7))
    assert store.passed("6") == {}
    assert store.passed("7") == {A: view(7)}
    assert store.get(A) is None


def test_an_own_delete_shows_as_terminating_until_the_watch_says_gone() -> None:
    store = listed(5, view(3))
    store.deleted(A, "uid-a")
    assert terminating(store)
    store.passed("50")
    store.put(view(51))
    assert terminating(store)
    store.remove(A, "uid-a", "52")
    assert store.get(A) is None


def test_an_own_delete_gives_way_to_the_servers_own_time() -> None:
    store = listed(5, view(3))
    store.deleted(A, "uid-a")
    store.put(view(6, deletionTimestamp="2026-01-01T00:00:00Z"))
    found = store.get(A)
    assert found is not None
    assert found.metadata.deletion_timestamp == "2026-01-01T00:00:00Z"


def test_an_own_delete_does_not_hide_what_others_made_anew() -> None:
    store = listed(5, view(3))
    store.deleted(A, "uid-a")
    store.put(view(8, uid="other"))
    assert not terminating(store)


def test_an_own_delete_of_an_object_that_is_gone_or_another_changes_nothing() -> None:
    store = listed(5, view(3))
    store.deleted(A, "other")
    store.deleted(ObjectKey("default", "b"), "uid-b")
    assert not terminating(store)
    assert len(store) == 1


def test_the_late_response_of_a_write_does_not_undo_an_own_delete() -> None:
    store = listed(5, view(3))
    store.deleted(A, "uid-a")
    store.written(view(7))
    assert terminating(store)
    assert version(store) == "7"


def test_the_end_of_the_predecessor_does_not_take_our_new_object_away() -> None:
    store = listed(5, view(3))
    store.written(view(9, uid="new"))
    store.remove(A, "uid-a", "8")
    assert version(store) == "9"


@pytest.mark.parametrize(("told", "shown"), [(None, ""), (6, "6")])
def test_a_list_asked_for_after_a_write_knows_better(told: int | None, shown: str) -> None:
    store = listed(5, view(3))
    store.written(view(7))
    store.replace([view(told)] if told else [], "6", store.begin_list())
    assert version(store) == shown


def test_a_write_made_while_a_list_is_read_outlives_an_older_list() -> None:
    store = listed(5, view(3))
    mark = store.begin_list()
    store.written(view(7))
    store.written(view(8, name="b", uid="uid-b"))
    store.replace([view(3)], "6", mark)
    assert version(store) == "7"
    assert len(store) == 2


def test_a_write_made_while_a_list_is_read_falls_if_the_list_is_newer() -> None:
    store = listed(5)
    mark = store.begin_list()
    store.written(view(7))
    store.replace([], "8", mark)
    assert store.get(A) is None


def test_a_delete_made_while_a_list_is_read_outlives_it() -> None:
    store = listed(5, view(3))
    mark = store.begin_list()
    store.deleted(A, "uid-a")
    store.replace([view(3)], "6", mark)
    assert terminating(store)
    store.replace([view(3)], "7", store.begin_list())
    assert not terminating(store)


def test_many_writes_fall_in_one_step() -> None:
    store = listed(5)
    for number in range(100):
        store.written(view(10 + number, name=f"w{number}", uid=str(number)))
    assert len(store.passed("59")) == 50
    assert len(store) == 50


@pytest.mark.parametrize("passing", [bookmark(20), added(widget("other", 25))])
async def test_who_relied_on_an_own_creation_hears_that_it_was_undone(passing: WatchEvent) -> None:
    source = ScriptedSource([page(5)])
    informer: Informer[CustomObject] = Informer("widgets", source, decode_custom, clock=FakeClock())
    told: list[Event[CustomObject]] = []
    informer.add_handler(told.append)
    async with run_informer(informer) as step:
        written = informer.written(widget("a", 10))
        source.say(passing)
        await step()
        assert (told[-1].type, told[-1].old, told[-1].new) == (EventType.DELETED, written, None)
        assert informer.store.get(A) is None


async def test_who_relied_on_an_own_creation_hears_that_a_relist_does_not_know_it() -> None:
    source = ScriptedSource([page(5)], [page(30)])
    informer: Informer[CustomObject] = Informer("widgets", source, decode_custom, clock=FakeClock())
    told: list[Event[CustomObject]] = []
    informer.add_handler(told.append)
    async with run_informer(informer) as step:
        written = informer.written(widget("a", 10))
        source.fail(Expired(410))
        await step()
        assert [(event.type, event.old) for event in told] == [(EventType.DELETED, written)]


async def test_the_watch_tells_handlers_of_own_writes_as_of_any_other() -> None:
    source = ScriptedSource([page(5)])
    informer: Informer[CustomObject] = Informer("widgets", source, decode_custom, clock=FakeClock())
    told: list[str] = []
    informer.add_handler(lambda event: told.append(event.type))
    async with run_informer(informer) as step:
        view = informer.written(widget("a", 7))
        source.say(added(widget("a", 7)), modified(widget("a", 9)))
        informer.deleted(A, view.metadata.uid)
        await step()
        assert terminating(informer.store)
        source.say(deleted(widget("a", 10)))
        await step()
        assert told == ["ADDED", "MODIFIED", "DELETED"]
        assert informer.store.get(A) is None
