"""Watch bytes without a network: the client, the informer and all between them are the real ones."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from aiop.controllers.serving.sources import by_workload
from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.client import Client
from aiop.runtime.client.transport import Request, Response
from aiop.runtime.informer.informer import Informer
from aiop.runtime.informer.source import ClientListWatch
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.views.workloads import Pod, decode_pod

# As much as one read of a socket brings at most.
_CHUNK_BYTES = 64 * 1024
_EMPTY_LIST = b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}'


class Feed:
    """A transport whose list is empty and whose watch says the given bytes, once; then ``over`` is set."""

    def __init__(self, data: bytes) -> None:
        self._chunks: Sequence[bytes] = [data[at : at + _CHUNK_BYTES] for at in range(0, len(data), _CHUNK_BYTES)]
        self.over = asyncio.Event()
        self.response = Response(200, {}, b"")

    async def send(self, request: Request) -> Response:
        """Every list is empty."""
        del request
        return Response(200, {}, _EMPTY_LIST)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Self]:
        """The watch."""
        del request
        yield self

    async def chunks(self) -> AsyncIterator[bytes]:
        """All bytes, and then silence."""
        for chunk in self._chunks:
            yield chunk
        self.over.set()
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        """Nothing to close."""


def pod_informer(feed: Feed) -> Informer[Pod]:
    """The informer of pods with the index that the serving controller has."""
    clock = SystemClock()
    source = ClientListWatch(Client(feed, clock=clock), PODS)
    dice = random.Random(1)  # noqa: S311 - jitter
    return Informer("pods", source, decode_pod, clock=clock, random=dice, indexes={"workload": by_workload})


async def filled(informer: Informer[Any], feed: Feed) -> None:
    """Run the informer until the feed is over."""
    running = asyncio.create_task(informer.run())
    await feed.over.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
