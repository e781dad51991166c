"""For tests: finds out who changes what the cache shares, by force or because a view of his own lets him."""

from typing import Generic

import msgspec

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.errors import CachedObjectMutated
from aiop.runtime.informer.informer import Event, Informer
from aiop.runtime.informer.store import V


class MutationDetector(Generic[V]):
    """Remembers how each object was when it came; ``check`` compares. Costs a copy of every object."""

    def __init__(self, informer: Informer[V]) -> None:
        self._name = informer.name
        self._remembered: dict[ObjectKey, tuple[V, bytes]] = {}
        informer.add_handler(self._remember)

    def check(self) -> None:
        """Raises CachedObjectMutated that names every object that is no longer as it came."""
        changed = [str(key) for key, (view, text) in self._remembered.items() if _text(view) != text]
        if changed:
            message = f"objects of informer {self._name} were changed in the cache: {', '.join(sorted(changed))}"
            raise CachedObjectMutated(message)

    def _remember(self, event: Event[V]) -> None:
        if event.new is None:
            self._remembered.pop(event.key, None)
        else:
            self._remembered[event.key] = (event.new, _text(event.new))


def _text(view: object) -> bytes:
    return msgspec.json.encode(view, order="deterministic")
