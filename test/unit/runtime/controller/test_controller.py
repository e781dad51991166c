import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.controller import Controller, Result
from aiop.runtime.controller.errors import TerminalError
from aiop.runtime.controller.mappers import own_key
from aiop.runtime.views.meta import ObjectView
from support.clock import FakeClock, settle
from support.informerbench import Bench as InformerBench
from support.informerbench import running as running_informer
from support.listwatch import ScriptedSource, added, deleted, modified, page, widget

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


async def test_a_key_that_succeeds_is_not_looked_at_again() -> None:
    async with running(Bench()) as bench:
        bench.controller.enqueue(ONE)
        await bench.clock.advance(3600)
        assert bench.reconciler.names() == ["one"]
        assert bench.metrics.results == ["success"]


async def test_an_error_comes_again_with_a_back_off_of_its_own_while_others_go_on() -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", *[ValueError("broken")] * 3)
        bench.controller.enqueue(ONE)
        bench.controller.enqueue(TWO)
        await bench.clock.advance(1.0)
        assert bench.reconciler.names().count("two") == 1
        moments = [moment for moment, name in bench.reconciler.passes if name == "one"]
        assert moments == pytest.approx([0.0, 0.005, 0.015, 0.035])
        assert bench.metrics.results.count("error") == 3


async def test_a_terminal_error_is_counted_and_not_repeated() -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", TerminalError("the name is taken"))
        bench.controller.enqueue(ONE)
        await bench.clock.advance(3600)
        assert bench.reconciler.names() == ["one"]
        assert bench.metrics.results == ["terminal"]
        bench.controller.enqueue(ONE)
        await settle()
        assert bench.reconciler.names() == ["one", "one"]


async def test_a_requeue_comes_at_its_time_and_resets_the_back_off() -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", ValueError(), ValueError(), Result(requeue_after=60.0), ValueError())
        bench.controller.enqueue(ONE)
        await bench.clock.advance(61.0)
        moments = [moment for moment, _ in bench.reconciler.passes]
        assert moments == pytest.approx([0.0, 0.005, 0.015, 60.015, 60.02])
        assert bench.metrics.results == ["error", "error", "requeue_after", "error", "success"]


async def test_a_change_does_not_wait_for_a_requeue_that_is_pending() -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", Result(requeue_after=600.0))
        bench.controller.enqueue(ONE)
        await bench.clock.advance(1.0)
        bench.controller.enqueue(ONE)
        await bench.clock.advance(3600.0)
        assert [moment for moment, _ in bench.reconciler.passes] == [0.0, 1.0]


class Panic(BaseException):
    """What no `except Exception` sees."""


@pytest.mark.parametrize(
    ("error", "outcome"), [(RuntimeError(), "error"), (Panic(), "panic"), (asyncio.CancelledError(), "panic")]
)
async def test_no_exception_kills_a_worker(error: BaseException, outcome: str) -> None:
    async with running(Bench(workers=1)) as bench:
        bench.reconciler.then("one", error)
        bench.controller.enqueue(ONE)
        bench.controller.enqueue(TWO)
        await bench.clock.advance(1.0)
        assert bench.reconciler.names() == ["one", "two", "one"]
        assert bench.metrics.results == [outcome, "success", "success"]


async def test_a_reconciler_that_returns_nonsense_hurts_only_its_own_key() -> None:
    async def nonsense() -> str:
        return "fine, thanks"

    async with running(Bench(workers=1)) as bench:
        bench.reconciler.then("one", nonsense)
        bench.controller.enqueue(ONE)
        bench.controller.enqueue(TWO)
        await bench.clock.advance(1.0)
        assert bench.metrics.results == ["error", "success", "success"]


async def test_a_write_without_the_lease_ends_the_pass_and_is_not_repeated() -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", WriteNotPermitted("no lease"))
        bench.controller.enqueue(ONE)
        await bench.clock.advance(3600.0)
        assert bench.reconciler.names() == ["one"]


async def test_a_pass_that_takes_too_long_is_cancelled_counted_and_its_key_is_free_again() -> None:
    bench = Bench(workers=1, timeout=10.0)
    cancelled = []

    async def hang() -> None:
        try:
            await bench.clock.sleep(1000.0)
        finally:
            cancelled.append(bench.clock.monotonic())

    async with running(bench):
        bench.reconciler.then("one", hang)
        bench.controller.enqueue(ONE)
        bench.controller.enqueue(TWO)
        await bench.clock.advance(20.0)
        assert cancelled == [10.0]
        assert bench.reconciler.names() == ["one", "two", "one"]
        assert bench.metrics.results == ["timeout", "success", "success"]
        assert bench.metrics.seconds[0] == 10.0


async def test_a_timeout_inside_a_pass_is_an_error_and_not_the_passes_own() -> None:
    async with running(Bench(timeout=10.0)) as bench:
        bench.reconciler.then("one", TimeoutError("some request"))
        bench.controller.enqueue(ONE)
        await bench.clock.advance(1.0)
        assert bench.metrics.results == ["error", "success"]


async def test_cancelling_the_controller_ends_its_passes_and_counts_none_of_them() -> None:
    bench = Bench()
    task = asyncio.create_task(bench.controller.run())
    bench.reconciler.then("one", lambda: bench.clock.sleep(1000.0))
    bench.controller.enqueue(ONE)
    await settle()
    assert bench.metrics.busy_now == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert bench.metrics.busy_now == 0
    assert bench.metrics.results == []


async def test_a_stop_lets_the_running_pass_end_and_begins_no_other() -> None:
    bench = Bench(workers=1)
    task = asyncio.create_task(bench.controller.run())
    bench.reconciler.then("one", lambda: bench.clock.sleep(5.0))
    bench.controller.enqueue(ONE)
    bench.controller.enqueue(TWO)
    await settle()
    bench.controller.stop_taking()
    drained = asyncio.create_task(bench.controller.drained())
    await bench.clock.advance(4.9)
    assert not drained.done()
    await bench.clock.advance(0.1)
    await drained
    await task
    assert bench.reconciler.names() == ["one"]
    assert bench.metrics.results == ["success"]


async def test_a_pass_knows_in_its_logs_which_controller_object_and_trace_it_is() -> None:
    async with running(Bench()) as bench:
        bench.controller.enqueue(ONE)
        bench.controller.enqueue(TWO)
        await settle()
        assert bench.reconciler.context == [
            {"controller": "widgets", "object": "default/one", "trace": "trace-1"},
            {"controller": "widgets", "object": "default/two", "trace": "trace-2"},
        ]
        assert structlog.contextvars.get_contextvars() == {}


async def test_how_long_each_pass_has_run_can_be_asked() -> None:
    bench = Bench()
    bench.reconciler.then("one", lambda: bench.clock.sleep(100.0))
    async with running(bench):
        bench.controller.enqueue(ONE)
        await bench.clock.advance(30.0)
        assert bench.controller.seconds_in_work() == [30.0]


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_two_workers_never_hold_one_key(data: st.DataObject) -> None:
    with structlog.testing.capture_logs():  # tracebacks by the hundred are slow to paint
        asyncio.run(_hammer(data))


async def _hammer(data: st.DataObject) -> None:
    clock = FakeClock()
    held: set[ObjectKey] = set()
    added_last: dict[ObjectKey, float] = {}
    began_last: dict[ObjectKey, float] = {}

    class Careful:
        async def reconcile(self, key: ObjectKey) -> Result:
            assert key not in held
            held.add(key)
            began_last[key] = clock.monotonic()
            await clock.sleep(data.draw(st.sampled_from([0.0, 0.3, 1.0])))
            held.remove(key)
            if data.draw(st.booleans()):
                raise ValueError
            return Result(data.draw(st.sampled_from([None, 1.0, 3.0])))

    counted = Counted()
    controller = Controller("w", Careful(), clock=clock, new_id=str, workers=3, metrics=counted)
    task = asyncio.create_task(controller.run())
    for name in data.draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=5)):
        key = ObjectKey("", name)
        controller.enqueue(key)
        added_last[key] = clock.monotonic()
        await clock.advance(data.draw(st.sampled_from([0.0, 0.2, 1.0])))
    await clock.advance(4.0)
    assert all(began_last[key] >= moment for key, moment in added_last.items())
    assert "panic" not in counted.results
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


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


async def test_a_change_wakes_the_old_owner_and_the_new_one() -> None:
    bench = Watching(ScriptedSource([page(1, widget("w", 1, labels={"of": "one"}))]), mapper=by_label)
    async with running_informer(bench.informer), running(bench):
        bench.reconciler.passes.clear()
        bench.source.say(modified(widget("w", 2, labels={"of": "two"})))
        await settle()
        assert sorted(bench.reconciler.names()) == ["one", "two"]


async def test_a_deletion_wakes_the_key_once_more() -> None:
    bench = Watching(ScriptedSource([page(1, widget("one", 1))]))
    async with running_informer(bench.informer), running(bench):
        bench.source.say(deleted(widget("one", 2)))
        await settle()
        assert bench.reconciler.names() == ["one", "one"]


async def test_what_changes_now_goes_before_what_the_first_list_brought() -> None:
    bench = Watching(ScriptedSource([page(1, *(widget(f"old-{number}", 1) for number in range(5)))]))
    async with running_informer(bench.informer):
        bench.source.say(added(widget("new", 2)))
        await settle()
        async with running(bench):
            assert bench.reconciler.names()[0] == "new"
            assert len(bench.reconciler.passes) == 6


async def test_an_event_that_the_predicate_refuses_wakes_nobody() -> None:
    source = ScriptedSource([page(1)])
    bench = Watching(source, predicate=lambda event: event.key.name != "two")
    async with running_informer(bench.informer), running(bench):
        source.say(added(widget("two", 2)), added(widget("one", 3)))
        await settle()
        assert bench.reconciler.names() == ["one"]


async def test_a_controller_that_resumes_looks_at_all_that_its_sources_map_to() -> None:
    objects = [widget("one", 1), widget("child", 1, labels={"of": "lost"})]
    bench = Watching(ScriptedSource([page(1, *objects)]))
    bench.controller.watches(bench.informer.informer, by_label)
    async with running_informer(bench.informer):
        async with running(bench):
            bench.reconciler.then("one", WriteNotPermitted("no lease"))
            bench.controller.enqueue(ONE)
            await settle()
        bench.reconciler.passes.clear()
        bench.controller.stop_taking()
        bench.controller.resume()
        async with running(bench):
            assert sorted(bench.reconciler.names()) == ["child", "lost", "one"]


async def test_an_object_that_a_mapper_chokes_on_holds_up_no_other() -> None:
    def picky(view: ObjectView) -> Iterable[ObjectKey]:
        if view.metadata.name == "one":
            raise ValueError
        return own_key(view)

    bench = Watching(ScriptedSource([page(1, widget("one", 1), widget("two", 1))]), mapper=picky)
    async with running_informer(bench.informer):
        bench.controller.resume()
        async with running(bench):
            assert bench.reconciler.names() == ["two"]
