"""An event recorder on a script."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiop.runtime.client.client import Client
from aiop.runtime.conditions.events import EventRecorder, ObjectReference
from support.clock import FakeClock
from support.transport import ScriptedTransport

ONE = ObjectReference("example.com/v1", "Widget", "default", "one", "u1")
TWO = ObjectReference("example.com/v1", "Widget", "default", "two", "u2")
COLLECTION = "POST /apis/events.k8s.io/v1/namespaces/default/events"


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.transport = ScriptedTransport()
        ids = itertools.count(1)
        client = Client(self.transport, clock=self.clock)
        self.recorder = EventRecorder(client, self.clock, "aiop", "pod-1_" + "x" * 200, lambda: f"{next(ids):04x}")

    def say(self, about: ObjectReference = ONE, note: str = "image missing", reason: str = "ImageMissing") -> None:
        self.recorder.record(about, "Warning", reason, note, "Reconcile")


@asynccontextmanager
async def recording() -> AsyncIterator[Bench]:
    """Runs it; fails if it ends by itself."""
    bench = Bench()
    task = asyncio.create_task(bench.recorder.run())
    yield bench
    assert not task.done(), "the recorder ended by itself"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
