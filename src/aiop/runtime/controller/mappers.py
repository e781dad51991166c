"""From a changed object to the keys that need work because of it."""

from collections.abc import Callable, Iterable

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.informer import Event, EventType
from aiop.runtime.views.meta import ObjectView

Mapper = Callable[[ObjectView], Iterable[ObjectKey]]
Predicate = Callable[[Event[ObjectView]], bool]


def own_key(view: ObjectView) -> Iterable[ObjectKey]:
    """The object itself."""
    return (ObjectKey(view.metadata.namespace, view.metadata.name),)


def owner_keys(group: str, kind: str, *, namespaced: bool = True) -> Mapper:
    """The controlling owner of that group and kind, whatever its version, in the child's own namespace.

    The UID is not compared: an owner that was deleted and made again wants to know its predecessor's children.
    """

    def mapper(view: ObjectView) -> Iterable[ObjectKey]:
        owner = view.metadata.controller()
        if owner is None or owner.kind != kind or owner.api_version.rpartition("/")[0] != group:
            return ()
        return (ObjectKey(view.metadata.namespace if namespaced else "", owner.name),)

    return mapper


def label_key(label: str) -> Mapper:
    """The object that a label names, in the same namespace."""

    def mapper(view: ObjectView) -> Iterable[ObjectKey]:
        name = view.metadata.labels.get(label)
        return (ObjectKey(view.metadata.namespace, name),) if name else ()

    return mapper


def spec_or_metadata_changed(event: Event[ObjectView]) -> bool:
    """Leave out updates of nothing but status: another generation, other labels, annotations or finalizers, a deletion.

    A recreated object comes as DELETED and ADDED, so an equal generation hides nothing.
    """
    if event.type is not EventType.MODIFIED or event.old is None or event.new is None:
        return True
    old, new = event.old.metadata, event.new.metadata
    return (
        (old.generation, old.labels, old.annotations) != (new.generation, new.labels, new.annotations)
        or old.finalizers != new.finalizers
        or old.deletion_timestamp != new.deletion_timestamp
        or old.uid != new.uid
    )
