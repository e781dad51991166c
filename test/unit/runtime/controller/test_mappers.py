from typing import Any

import msgspec
import pytest

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.mappers import label_key, own_key, spec_or_metadata_changed
from aiop.runtime.informer.informer import Event, EventType
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta, ObjectView, OwnerReference

KEY = ObjectKey("default", "child")


def child(*owners: OwnerReference, **metadata: Any) -> CustomObject:
    known: dict[str, Any] = {"name": "child", "namespace": "default", "uid": "u1", "generation": 1} | metadata
    return CustomObject(ObjectMeta(owner_references=owners, **known))


def made(view: CustomObject, **changes: object) -> CustomObject:
    return CustomObject(msgspec.structs.replace(view.metadata, **changes))


def test_an_object_maps_to_itself() -> None:
    assert list(own_key(child())) == [KEY]


def test_a_label_names_the_object_in_the_same_namespace() -> None:
    assert list(label_key("of")(child(labels={"of": "parent"}))) == [ObjectKey("default", "parent")]
    assert list(label_key("of")(child(labels={"of": ""}))) == []
    assert list(label_key("of")(child())) == []


def update(old: CustomObject, new: CustomObject) -> Event[ObjectView]:
    return Event(EventType.MODIFIED, KEY, old, new)


def test_an_update_of_nothing_but_status_is_left_out() -> None:
    old = child(labels={"a": "b"}, resource_version="1")
    assert not spec_or_metadata_changed(update(old, made(old, resource_version="2")))


@pytest.mark.parametrize(
    "change",
    [
        {"generation": 2},
        {"labels": {"a": "b"}},
        {"annotations": {"a": "b"}},
        {"finalizers": ("example.com/hold",)},
        {"deletion_timestamp": "2026-01-01T00:00:00Z"},
        {"uid": "u2"},
    ],
)
def test_what_a_person_changes_goes_through_and_so_does_a_recreated_object(change: dict[str, object]) -> None:
    old = child()
    assert spec_or_metadata_changed(update(old, made(old, **change)))


def test_births_and_deaths_go_through() -> None:
    assert spec_or_metadata_changed(Event(EventType.ADDED, KEY, None, child()))
    assert spec_or_metadata_changed(Event(EventType.DELETED, KEY, child(), None))
