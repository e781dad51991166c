"""What the cache of one kind is to those who read it, however it is kept.

Promised: per object, handlers see its states in order, some perhaps skipped; the store and its indexes are updated
before a handler runs; a handler that raises hurts nobody else; what a gap hid is found by the diff of a relist.
Not promised: any order between objects, or an ADDED before every DELETED: an own write that showed in the store and
was undone by others before the watch told of it ends with a DELETED too.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.events import Event, EventType, Handler
from aiop.runtime.informer.indexes import index_by_owner
from aiop.runtime.informer.metrics import InformerMetrics
from aiop.runtime.informer.store import Objects, V

__all__ = ["Event", "EventType", "Handler", "Informer", "InformerMetrics", "index_by_owner"]


class Informer(ABC, Generic[V]):
    """Keeps ``store`` in step with the API server and tells handlers; ``run`` it once, as a task."""

    name: str
    store: Objects[V]

    @abstractmethod
    def add_handler(self, handler: Handler[V], *, resync_seconds: float | None = None) -> None:
        """Tell ``handler`` of every change from now on, and first of each object that is there already, once.

        With ``resync_seconds`` (±10 %, at least 1) also of every object again and again, as MODIFIED, old and new the
        same; that costs the API server nothing. Raises ValueError for less.
        """

    @abstractmethod
    def remove_handler(self, handler: Handler[V]) -> None:
        """Tell ``handler`` nothing more, not even the rest of what is being told; unknown ones are no fault."""

    @abstractmethod
    def has_synced(self) -> bool:
        """True once the first list is in the store and every handler has seen it."""

    @abstractmethod
    async def wait_synced(self) -> None:
        """Return once ``has_synced``."""

    @abstractmethod
    def knows(self, namespace: str) -> bool:
        """True once the store holds what there is in ``namespace``; "" is where cluster-scoped objects are."""

    @property
    @abstractmethod
    def available(self) -> bool:
        """False while the server does not serve this kind; before its first answer it is taken to."""

    @abstractmethod
    def on_availability(self, callback: Callable[[bool], None]) -> None:
        """Call ``callback`` with ``available`` each time that it changes, once the store agrees with it."""

    @property
    @abstractmethod
    def trouble(self) -> str:
        """What the informer waits for, in words; empty while the store is kept in step.

        An optional informer whose kind is not served waits for nothing.
        """

    @abstractmethod
    def written(self, data: bytes) -> V:
        """The response to an own write: visible in the store at once, until the watch has caught up.

        A Status changes nothing, and what it returns is then an empty view. Raises msgspec.DecodeError for nonsense.
        """

    @abstractmethod
    def deleted(self, key: ObjectKey, uid: str) -> None:
        """An own delete was accepted: the object shows as terminating until the watch says that it is gone."""

    @abstractmethod
    async def run(self) -> None:
        """List, then watch for ever; ends only by cancellation."""
