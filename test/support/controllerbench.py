"""A controller with everything around it tame: its clock, its reconciler, its metrics, the informer before it."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import structlog

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.controller import Controller, Result
from aiop.runtime.controller.mappers import own_key
from aiop.runtime.views.meta import ObjectView
from support.clock import FakeClock, settle
from support.informerbench import Bench as InformerBench
from support.listwatch import ScriptedSource

ONE, TWO = ObjectKey("default", "one"), ObjectKey("default", "two")


class Counted:
    def __init__(self) -> None:
        self.results: list[str] = []
        self.seconds: list[float] = []
        self.busy_now = 0
        self.workers = 0

    def started(self, controller: str, workers: int) -> None:
        self.workers = workers

    def busy(self, controller: str, delta: int) -> None:
        self.busy_now += delta

    def reconciled(self, controller: str, result: str, seconds: float) -> None:
        self.results.append(result)
        self.seconds.append(seconds)


class Scripted:
    """Each pass over a key does the next thing in its script; a key without one succeeds."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.passes: list[tuple[float, str]] = []
        self.script: dict[str, list[Callable[[], Awaitable[Any]]]] = defaultdict(list)
        self.context: list[dict[str, Any]] = []

    async def reconcile(self, key: ObjectKey) -> Result:
        self.passes.append((self.clock.monotonic(), key.name))
        self.context.append(structlog.contextvars.get_contextvars())
        if not self.script[key.name]:
            return Result()
        result = await self.script[key.name].pop(0)()
        return result if result is not None else Result()

    def then(self, name: str, *steps: Result | BaseException | Callable[[], Awaitable[Any]]) -> None:
        self.script[name] += [step if callable(step) else _saying(step) for step in steps]

    def names(self) -> list[str]:
        return [name for _, name in self.passes]

    def moments(self, name: str) -> list[float]:
        return [moment for moment, each in self.passes if each == name]


def _saying(step: Result | BaseException) -> Callable[[], Awaitable[Any]]:
    async def act() -> Result:
        if isinstance(step, BaseException):
            raise step
        return step

    return act


class Bench:
    def __init__(self, *, workers: int = 2, timeout: float | None = None) -> None:
        self.clock = FakeClock()
        self.reconciler = Scripted(self.clock)
        self.metrics = Counted()
        ids = itertools.count(1)
        self.controller = Controller(
            "widgets",
            self.reconciler,
            clock=self.clock,
            new_id=lambda: f"trace-{next(ids)}",
            workers=workers,
            timeout=timeout,
            metrics=self.metrics,
        )


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[Bench]:
    task = asyncio.create_task(bench.controller.run())
    await settle()
    yield bench
    assert not task.done(), "the controller ended by itself"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert bench.metrics.busy_now == 0


class Watching(Bench):
    """A controller with an informer before it."""

    def __init__(self, source: ScriptedSource, **watch: Any) -> None:
        super().__init__(workers=1)
        self.source = source
        self.informer = InformerBench(source)
        self.controller.watches(self.informer.informer, watch.pop("mapper", own_key), **watch)


def by_label(view: ObjectView) -> Iterable[ObjectKey]:
    owner = view.metadata.labels.get("of")
    return (ObjectKey(view.metadata.namespace, owner),) if owner else ()
