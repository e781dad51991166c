"""A store that a test feeds, of widgets by label."""

from typing import Any

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.store import Store
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.listwatch import widget

A = ObjectKey("default", "a")


def view(version: int, *, uid: str = "uid-a", name: str = "a", **metadata: Any) -> CustomObject:
    return decode_custom(widget(name, version, uid=uid, **metadata))


def listed(version: int, *views: CustomObject) -> Store[CustomObject]:
    """One that a list at ``version`` filled."""
    store: Store[CustomObject] = Store({"label": lambda each: each.metadata.labels.values()})
    store.replace(views, str(version), store.begin_list())
    return store


def version(store: Store[CustomObject]) -> str:
    """That of ``a``; empty if there is none."""
    found = store.get(A)
    return found.metadata.resource_version if found else ""


def terminating(store: Store[CustomObject]) -> bool:
    found = store.get(A)
    assert found is not None
    return found.metadata.deletion_timestamp is not None
