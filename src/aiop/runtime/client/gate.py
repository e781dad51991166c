"""The write gate: whoever holds no lease sends no write."""

import math
from typing import Protocol

from aiop.runtime.client.resource import ObjectKey


class WriteGate(Protocol):
    """Asked before every mutating request."""

    def permit(self, key: ObjectKey) -> float:
        """The monotonic moment until which a write for ``key`` may be under way; raises WriteNotPermitted."""
        ...


class OpenGate:
    """Permits every write without end: for tools and tests that need no leadership."""

    def permit(self, key: ObjectKey) -> float:
        """Never refuses."""
        del key
        return math.inf
