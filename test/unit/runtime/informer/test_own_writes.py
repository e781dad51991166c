"""Own writes in every order of responses, events and lists, on a store that a test feeds."""

import pytest

from aiop.runtime.client.resource import ObjectKey
from support.stores import A, listed, terminating, version, view


def test_an_older_state_does_not_take_it_away() -> None:
    store = listed(5, view(3))
    store.written(view(7))
    store.put(view(6))
    store.passed("6")
    assert version(store) == "7"


def test_an_own_delete_gives_way_to_the_servers_own_time() -> None:
    store = listed(5, view(3))
    store.deleted(A, "uid-a")
    store.put(view(6, deletionTimestamp="2026-01-01T00:00:00Z"))
    found = store.get(A)
    assert found is not None
    assert found.metadata.deletion_timestamp == "2026-01-01T00:00:00Z"


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


def test_a_delete_of_what_the_watch_tells_of_lasts_however_far_the_watch_comes() -> None:
    store = listed(5)
    store.written(view(7))
    store.deleted(A, "uid-a")
    store.put(view(7))
    assert store.passed("7") == {}
    assert terminating(store)


def test_what_has_fallen_leaves_nothing_behind() -> None:
    store = listed(5)
    for number in range(6, 106):
        store.written(view(number, name=f"w{number % 7}", uid=f"uid-w{number % 7}"))
    store.passed("105")
    assert (store._own._writes, store._own._by_version, store._indexed) == ({}, [], {})


def test_writes_from_before_a_restore_are_not_kept_for_versions_that_are_far_away() -> None:
    store = listed(900)
    store.written(view(950))
    store.replace([], "50", store.begin_list())
    assert store._own._by_version == []
