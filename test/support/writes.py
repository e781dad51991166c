"""Every verb of the client that writes, with the least that it needs, and a gate that a test opens for so long."""

from collections.abc import Awaitable, Callable

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey

KEY = ObjectKey("team", "a")

WRITES: dict[str, Callable[[Client], Awaitable[bytes]]] = {
    "create": lambda client: client.create(CONFIGMAPS, "team", {}, field_manager="me"),
    "apply": lambda client: client.apply(CONFIGMAPS, KEY, {}, field_manager="me"),
    "patch": lambda client: client.patch(CONFIGMAPS, KEY, {}, patch_type=PatchType.MERGE, field_manager="me"),
    "replace": lambda client: client.replace(CONFIGMAPS, KEY, {}, field_manager="me"),
    "delete": lambda client: client.delete(CONFIGMAPS, KEY),
}


class Until:
    """A permit until a moment, or none at all; remembers who asked."""

    def __init__(self, moment: float | None) -> None:
        self._moment = moment
        self.asked: list[ObjectKey] = []

    def permit(self, key: ObjectKey) -> float:
        self.asked.append(key)
        if self._moment is None:
            message = "no lease"
            raise WriteNotPermitted(message)
        return self._moment
