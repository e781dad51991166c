"""Watch bytes without a network: the client, the informer and all between them are the real ones."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from aiop.controllers.serving.sources import make_sources
from aiop.runtime.client.client import Client
from aiop.runtime.client.transport import Request, Response, Transport
from aiop.runtime.conditions.events import EventRecorder
from aiop.runtime.informer.informer import Informer
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.manager.tools import Tools
from aiop.runtime.views.workloads import Pod

# As much as one read of a socket brings at most.
_CHUNK_BYTES = 64 * 1024
_EMPTY_LIST = b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}'


_NO_INITIAL_EVENTS = (
    b'{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"1",'
    b'"annotations":{"k8s.io/initial-events-end":"true"}}}}\n'
)


class Feed:
    """A transport whose lists are empty and whose watch says the given bytes, once; then ``over`` is set."""

    def __init__(self, data: bytes) -> None:
        self._data = data
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
        """An empty list, all bytes, cut one chunk at a time as a socket gives them, and then silence."""
        yield _NO_INITIAL_EVENTS
        for at in range(0, len(self._data), _CHUNK_BYTES):
            yield self._data[at : at + _CHUNK_BYTES]
        self.over.set()
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        """Nothing to close."""


def pod_informer(transport: Transport) -> Informer[Pod]:
    """The serving controller's informer of pods, with its index and its metrics."""
    clock = SystemClock()
    dice = random.Random(1)  # noqa: S311 - jitter
    client = Client(transport, clock=clock)
    events = EventRecorder(client, clock, "bench", "bench", lambda: "id")
    return make_sources(Tools(client, clock, dice, Metrics(), events, lambda: "id")).pods


async def filled(informer: Informer[Any], feed: Feed) -> None:
    """Run the informer until the feed is over."""
    running = asyncio.create_task(informer.run())
    await feed.over.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
