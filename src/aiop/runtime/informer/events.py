"""What an informer tells its handlers, and how two states become events."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Generic

import msgspec

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.store import V
from aiop.runtime.views.meta import ObjectMeta


class EventType(StrEnum):
    """What happened to an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class Event(msgspec.Struct, Generic[V], frozen=True, gc=False):
    """A change: ``old`` is None when added, ``new`` is None when deleted (``old`` is then the last known state).

    ``initial`` is true for what was there when the handler or the informer began. A resync is MODIFIED with ``old``
    and ``new`` the same.
    """

    type: EventType
    key: ObjectKey
    old: V | None
    new: V | None
    initial: bool = False


Handler = Callable[[Event[V]], None]

# By what a watch calls them; a dict, since an enum's own look-up costs more than the rest of an event's way.
TYPES: Mapping[str, EventType] = {str(each): each for each in EventType}


def steps(key: ObjectKey, old: V | None, new: V) -> list[Event[V]]:
    """What happened between two states; another UID is another object."""
    if old is None:
        return [Event(EventType.ADDED, key, None, new)]
    if old.metadata.uid != new.metadata.uid:
        return [Event(EventType.DELETED, key, old, None), Event(EventType.ADDED, key, None, new)]
    return [Event(EventType.MODIFIED, key, old, new)]


def difference(before: Mapping[ObjectKey, V], after: Mapping[ObjectKey, V], *, initial: bool) -> list[Event[V]]:
    """What a list shows to have happened, deletions first."""
    events = [Event(EventType.DELETED, key, old, None) for key, old in before.items() if key not in after]
    for key, new in after.items():
        old = before.get(key)
        if old is None:
            events.append(Event(EventType.ADDED, key, None, new, initial=initial))
        elif not _same_state(old.metadata, new.metadata):
            events += steps(key, old, new)
    return events


def _same_state(old: ObjectMeta, new: ObjectMeta) -> bool:
    return old.resource_version == new.resource_version and old.uid == new.uid
