"""An informer on a script, with all that a test looks at."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.informer import Event
from aiop.runtime.informer.recovery import Recovery
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import FakeClock
from support.listwatch import ScriptedSource
from support.running import run_informer

Told = list[str]


class Recorded:
    def __init__(self) -> None:
        self.lists = 0
        self.failures = 0
        self.skips = 0
        self.objects = -1
        self.moments: list[float] = []
        self.known: dict[str, bool] = {}

    def started(self, informer: str) -> None:
        self.known[informer] = False

    def synced(self, informer: str, synced: bool) -> None:
        self.known[informer] = synced

    def relisted(self, informer: str) -> None:
        self.lists += 1

    def failed(self, informer: str) -> None:
        self.failures += 1

    def skipped(self, informer: str) -> None:
        self.skips += 1

    def active(self, informer: str, moment: float, objects: int) -> None:
        self.moments.append(moment)
        self.objects = objects


class Bench:
    """An informer on a script, with all that a test looks at."""

    def __init__(self, source: ScriptedSource, *, optional: bool = False, recovery: Recovery | None = None) -> None:
        self.source = source
        self.clock = FakeClock()
        self.metrics = Recorded()
        self.told: Told = []
        self.informer: StreamInformer[CustomObject] = StreamInformer(
            "widgets",
            source,
            decode_custom,
            clock=self.clock,
            random=random.Random(1),
            indexes={"label": _labels},
            metrics=self.metrics,
            optional=optional,
            recovery=recovery,
        )
        self.informer.add_handler(lambda event: self.told.append(said(event)))

    def names(self) -> list[str]:
        return sorted(view.metadata.name for view in self.informer.store.values())

    def version(self, name: str) -> str:
        view = self.informer.store.get(ObjectKey("default", name))
        return view.metadata.resource_version if view else ""


def _labels(view: CustomObject) -> Iterator[str]:
    yield from view.metadata.labels.values()


def said(event: Event[CustomObject]) -> str:
    """An event in short: type, name, versions old>new, and whether it is initial."""
    old, new = (view.metadata.resource_version if view else "" for view in (event.old, event.new))
    return f"{event.type} {event.key.name} {old}>{new}{' initial' if event.initial else ''}"


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[Bench]:
    async with run_informer(bench.informer):
        yield bench
    assert bench.source.open == 0, "a stream was left open"
