"""Controllers: what a result leads to, who works on what, and how it all ends."""

import asyncio
import random

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.runtime.client.errors import Conflict, TooManyRequests
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.controller import INITIAL_PRIORITY, Controller, Result
from aiop.runtime.controller.errors import TerminalError
from aiop.runtime.manager.term import Term
from support.clock import FakeClock, settle
from support.controllerbench import ONE, TWO, Bench, Counted, Watching, running
from support.informerbench import running as running_informer
from support.listwatch import ScriptedSource, deleted, page, widget


@pytest.mark.promise(68, "S25")
async def test_an_error_comes_again_with_a_back_off_of_its_own_while_others_go_on() -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", *[ValueError("broken")] * 3)
        bench.controller.enqueue(ONE)
        bench.controller.enqueue(TWO)
        await bench.clock.advance(1.0)
        assert bench.reconciler.names().count("two") == 1
        assert bench.reconciler.moments("one") == pytest.approx([0.0, 0.005, 0.015, 0.035])
        assert bench.metrics.results.count("error") == 3


@pytest.mark.promise(68, "S23")
async def test_an_error_waits_at_least_as_long_as_the_api_server_asked() -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", TooManyRequests(429, retry_after=7.0), TooManyRequests(429, retry_after=0.001))
        bench.controller.enqueue(ONE)
        await bench.clock.advance(60.0)
        assert bench.reconciler.moments("one") == pytest.approx([0.0, 7.0, 7.01])


@pytest.mark.promise("S23")
async def test_no_answer_silences_a_key_beyond_the_longest_back_off_or_beyond_its_next_change() -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", *[TooManyRequests(429, retry_after=1e9)] * 2)
        bench.controller.enqueue(ONE)
        await bench.clock.advance(10.0)
        bench.controller.enqueue(ONE)
        await bench.clock.advance(1500.0)
        assert bench.reconciler.moments("one") == [0.0, 10.0, 1010.0]


@pytest.mark.promise(68)
async def test_a_conflict_is_an_error_that_comes_again_but_no_noise() -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", Conflict(409, "Conflict", "the object has been modified"))
        with structlog.testing.capture_logs() as lines:
            bench.controller.enqueue(ONE)
            await bench.clock.advance(1.0)
        assert bench.metrics.results == ["error", "success"]
        (line,) = lines
        assert (line["log_level"], line["event"]) == ("info", "pass met a newer state and is repeated")


@pytest.mark.promise(69, "S25")
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


@pytest.mark.promise(70, "S25")
async def test_a_requeue_comes_at_its_time_and_resets_the_back_off() -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", ValueError(), ValueError(), Result(requeue_after=60.0), ValueError())
        bench.controller.enqueue(ONE)
        await bench.clock.advance(61.0)
        assert bench.reconciler.moments("one") == pytest.approx([0.0, 0.005, 0.015, 60.015, 60.02])
        assert bench.metrics.results == ["error", "error", "requeue_after", "error", "success"]


@pytest.mark.promise(71, "S25")
async def test_a_pass_that_fails_after_it_had_a_result_goes_the_way_of_errors() -> None:
    """In Go a pass may return a requeue time beside its error. Here it either returns or raises, so what can be had is
    a result that never comes out: the error alone counts, and its back-off.
    """

    async def fails_late() -> Result:
        try:
            return Result(requeue_after=600.0)
        finally:
            raise ValueError

    async with running(Bench()) as bench:
        bench.reconciler.then("one", fails_late)
        bench.controller.enqueue(ONE)
        await bench.clock.advance(1.0)
        assert bench.reconciler.moments("one") == pytest.approx([0.0, 0.005])
        assert bench.metrics.results == ["error", "success"]


@pytest.mark.promise(72, "S22")
async def test_a_failed_pass_keeps_its_priority() -> None:
    async with running(Bench(workers=1)) as bench:
        bench.reconciler.then("low", ValueError())
        bench.reconciler.then("busy", lambda: bench.clock.sleep(1.0))
        bench.controller.enqueue(ObjectKey("", "low"), -100)
        await settle()
        bench.controller.enqueue(ObjectKey("", "busy"))
        await bench.clock.advance(0.5)  # the low one is due again, and waits for the worker
        bench.controller.enqueue(ObjectKey("", "usual"))
        await bench.clock.advance(1.0)
        assert bench.reconciler.names() == ["low", "busy", "usual", "low"]


@pytest.mark.promise(72)
async def test_after_a_success_a_key_has_the_usual_priority_again() -> None:
    """A requeue after a success loses its priority here: one pop in eight is the share of all that came with the first
    list, and a key that is looked at again and again would stay in that share for ever.
    """
    async with running(Bench(workers=1)) as bench:
        bench.reconciler.then("first", Result(requeue_after=5.0))
        bench.reconciler.then("busy", lambda: bench.clock.sleep(10.0))
        bench.controller.enqueue(ObjectKey("", "first"), INITIAL_PRIORITY)
        await settle()
        bench.controller.enqueue(ObjectKey("", "busy"))
        await bench.clock.advance(6.0)
        bench.controller.enqueue(ObjectKey("", "later"))
        await bench.clock.advance(5.0)
        assert bench.reconciler.names() == ["first", "busy", "first", "later"]


class Panic(BaseException):
    """What no `except Exception` sees."""


@pytest.mark.promise(73, "S25")
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


@pytest.mark.promise(73)
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


@pytest.mark.promise(74, "S25")
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


@pytest.mark.promise(62)
async def test_nothing_is_kept_of_a_key_whose_object_is_gone() -> None:
    """The pass that finds nothing succeeds, and a success forgets."""
    bench = Watching(ScriptedSource([page(1, widget("one", 1))]))
    bench.reconciler.then("one", *[ValueError()] * 12)
    # Tracebacks by the dozen are slow to paint.
    with structlog.testing.capture_logs():
        await _fail_and_vanish(bench)


async def _fail_and_vanish(bench: Watching) -> None:
    async with running_informer(bench.informer), running(bench):
        await bench.clock.advance(12.0)
        queue = bench.controller._queue
        assert queue.num_requeues(ONE) == 12
        bench.source.say(deleted(widget("one", 2)))
        await settle()
        assert bench.reconciler.moments("one")[-1] == 12.0, "a deletion does not wait for the back-off"
        assert (queue._failures, queue._waiting, queue._processing) == ({}, {}, {})
        await bench.clock.advance(1000.0)
        assert (queue._delayed, list(queue._ready.values())) == ([], [])


@pytest.mark.promise("S26")
async def test_as_many_passes_run_at_once_as_there_are_workers() -> None:
    """Go's default is one worker and kube-rs' is no bound. Ours is four: passes wait for the network most of the time,
    and the share of writes is limited elsewhere.
    """
    bench = Bench(workers=3)
    async with running(bench):
        for number in range(5):
            bench.reconciler.then(str(number), lambda: bench.clock.sleep(10.0))
            bench.controller.enqueue(ObjectKey("", str(number)))
        await settle()
        assert (bench.metrics.busy_now, bench.metrics.workers) == (3, 3)
        await bench.clock.advance(10.0)
        assert bench.metrics.busy_now == 2
        await bench.clock.advance(10.0)
    counted = Counted()
    Controller("default", bench.reconciler, clock=bench.clock, new_id=str, metrics=counted)
    assert counted.workers == 4


@pytest.mark.promise(53, "S20")
@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_two_workers_never_hold_one_key(seed: int) -> None:
    with structlog.testing.capture_logs():  # tracebacks by the hundred are slow to paint
        asyncio.run(_hammer(random.Random(seed)))


async def _hammer(draw: random.Random) -> None:
    clock = FakeClock()
    held: set[ObjectKey] = set()
    added_last: dict[ObjectKey, float] = {}
    began_last: dict[ObjectKey, float] = {}

    class Careful:
        async def reconcile(self, key: ObjectKey) -> Result:
            assert key not in held
            held.add(key)
            began_last[key] = clock.monotonic()
            await clock.sleep(draw.choice([0.0, 0.3, 1.0]))
            held.remove(key)
            if draw.random() < 0.5:
                raise ValueError
            return Result(draw.choice([None, 1.0, 3.0]))

    counted = Counted()
    controller = Controller("w", Careful(), clock=clock, new_id=str, workers=3, metrics=counted)
    task = asyncio.create_task(controller.run())
    for name in draw.choices("abc", k=draw.randint(1, 5)):
        key = ObjectKey("", name)
        controller.enqueue(key)
        added_last[key] = clock.monotonic()
        await clock.advance(draw.choice([0.0, 0.2, 1.0]))
    await clock.advance(4.0)
    assert all(began_last[key] >= moment for key, moment in added_last.items())
    assert "panic" not in counted.results
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.promise(65)
@pytest.mark.parametrize(("needs", "ended_at"), [(4.0, 4.0), (400.0, 5.0)])
async def test_a_drain_ends_what_runs_begins_nothing_and_keeps_its_budget(needs: float, ended_at: float) -> None:
    bench = Bench(workers=1)
    lost = asyncio.Event()
    term = Term(bench.clock, controllers=[bench.controller], runnables=[], preparations=[])
    run = asyncio.create_task(term.run())
    await settle()
    bench.reconciler.then("one", lambda: bench.clock.sleep(needs))
    bench.controller.enqueue(ONE)
    bench.controller.enqueue(TWO)
    await settle()
    run.cancel()
    drain = asyncio.create_task(term.drain(5.0, 1.0, lost))
    await bench.clock.advance(ended_at - 0.1)
    assert not drain.done()
    await bench.clock.advance(0.1)
    await drain
    assert bench.reconciler.names() == ["one"]
    assert bench.metrics.busy_now == 0
