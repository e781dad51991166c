"""How long a client may take for what it sends and for what it is sent, so that no place is held without end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiop.sim.network.errors import NotForwarded

T = TypeVar("T")

# As ingress-nginx waits for a client's head, for more of its body, and for it to take more of an answer.
SECONDS = 60.0
# What a body must bring on average once that time is over: slower than any modem, yet an end to a byte a minute.
_BYTES_A_SECOND = 1024


class Patience:
    """With one body. Only the time in which the client is waited for counts, and each KiB earns it another second."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._left = SECONDS

    async def piece(self, coming: Awaitable[bytes]) -> bytes:
        """The next piece. Raises NotForwarded with 408 if the client takes too long for it, or for all so far."""
        began = self._now()
        try:
            async with asyncio.timeout(min(self._left, SECONDS)):
                data = await coming
        except TimeoutError as error:
            raise NotForwarded(408, "the request's body comes too slowly") from error
        self._left += len(data) / _BYTES_A_SECOND - (self._now() - began)
        return data


async def taken(sending: Awaitable[T]) -> T:
    """Wait until the client takes what it is sent. Raises TimeoutError."""
    async with asyncio.timeout(SECONDS):
        return await sending
