"""Index functions that many informers need."""

from collections.abc import Callable, Iterable

from aiop.runtime.informer.store import V


def index_by_owner(kind: str) -> Callable[[V], Iterable[str]]:
    """An index function: the UID of the controlling owner of that kind."""

    def owner(view: V) -> Iterable[str]:
        controller = view.metadata.controller()
        return (controller.uid,) if controller is not None and controller.kind == kind else ()

    return owner
