"""The finer promises of controllers; the contract's are in test/contract/runtime."""

import asyncio
import itertools
import math
from collections.abc import Iterable

import pytest

from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.controller import Result
from aiop.runtime.controller.mappers import own_key
from aiop.runtime.views.meta import ObjectView
from support.clock import settle
from support.controllerbench import ONE, TWO, Bench, Watching, by_label, running
from support.informerbench import running as running_informer
from support.listwatch import ScriptedSource, added, deleted, modified, page, widget


async def test_a_key_that_succeeds_is_not_looked_at_again() -> None:
    async with running(Bench()) as bench:
        bench.controller.enqueue(ONE)
        await bench.clock.advance(3600)
        assert bench.reconciler.names() == ["one"]
        assert bench.metrics.results == ["success"]


async def test_a_change_does_not_wait_for_a_requeue_that_is_pending() -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", Result(requeue_after=600.0))
        bench.controller.enqueue(ONE)
        await bench.clock.advance(1.0)
        bench.controller.enqueue(ONE)
        await bench.clock.advance(3600.0)
        assert [moment for moment, _ in bench.reconciler.passes] == [0.0, 1.0]


async def test_a_reconciler_that_returns_nonsense_hurts_only_its_own_key() -> None:
    async def nonsense() -> str:
        return "fine, thanks"

    async with running(Bench(workers=1)) as bench:
        bench.reconciler.then("one", nonsense)
        bench.controller.enqueue(ONE)
        bench.controller.enqueue(TWO)
        await bench.clock.advance(1.0)
        assert bench.metrics.results == ["error", "success", "success"]


async def test_a_write_that_was_too_late_is_tried_again_while_the_controller_runs() -> None:
    """If the lease is lost the workers are cancelled; if only this write was late, nobody else would ask again."""
    async with running(Bench()) as bench:
        bench.reconciler.then("one", WriteNotPermitted("too late"))
        bench.controller.enqueue(ONE)
        await bench.clock.advance(1.0)
        assert bench.metrics.results == ["error", "success"]


@pytest.mark.parametrize("wait", [0.0, -5.0, math.nan])
async def test_a_requeue_without_a_time_to_come_waits_out_the_keys_own_back_off(wait: float) -> None:
    async with running(Bench()) as bench:
        bench.reconciler.then("one", *[Result(requeue_after=wait)] * 3)
        bench.controller.enqueue(ONE)
        await bench.clock.advance(10.0)
        assert bench.reconciler.moments("one") == pytest.approx([0.0, 0.005, 0.015, 0.035])
        assert bench.metrics.results == ["requeue"] * 3 + ["success"]


async def test_a_mapper_that_chokes_on_the_old_state_hides_the_new_one_from_nobody() -> None:
    def picky(view: ObjectView) -> Iterable[ObjectKey]:
        if view.metadata.resource_version == "1":
            raise ValueError("illegible")
        return (ONE,)

    bench = Watching(ScriptedSource([page(1, widget("w", 1))]), mapper=picky)
    async with running_informer(bench.informer), running(bench):
        bench.source.say(modified(widget("w", 2)))
        await settle()
        assert bench.reconciler.names() == ["one"]
        assert bench.informer.metrics.failures == 2  # as it was added, and as it changed


async def test_a_timeout_inside_a_pass_is_an_error_and_not_the_passes_own() -> None:
    async with running(Bench(timeout=10.0)) as bench:
        bench.reconciler.then("one", TimeoutError("some request"))
        bench.controller.enqueue(ONE)
        await bench.clock.advance(1.0)
        assert bench.metrics.results == ["error", "success"]


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


async def test_how_long_each_pass_has_run_can_be_asked() -> None:
    bench = Bench()
    bench.reconciler.then("one", lambda: bench.clock.sleep(100.0))
    async with running(bench):
        bench.controller.enqueue(ONE)
        await bench.clock.advance(30.0)
        assert bench.controller.seconds_in_work() == [30.0]


async def test_a_deletion_wakes_the_key_once_more() -> None:
    bench = Watching(ScriptedSource([page(1, widget("one", 1))]))
    async with running_informer(bench.informer), running(bench):
        bench.source.say(deleted(widget("one", 2)))
        await settle()
        assert bench.reconciler.names() == ["one", "one"]


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
        await bench.controller.resume()
        async with running(bench):
            assert sorted(bench.reconciler.names()) == ["child", "lost", "one"]


async def test_an_object_that_a_mapper_chokes_on_holds_up_no_other() -> None:
    def picky(view: ObjectView) -> Iterable[ObjectKey]:
        if view.metadata.name == "one":
            raise ValueError
        return own_key(view)

    bench = Watching(ScriptedSource([page(1, widget("one", 1), widget("two", 1))]), mapper=picky)
    async with running_informer(bench.informer):
        await bench.controller.resume()
        async with running(bench):
            assert bench.reconciler.names() == ["two"]


async def test_passes_that_wait_for_nothing_let_the_event_loop_breathe_between_them() -> None:
    """Or a full queue at the begin of a term would keep the heartbeat from beating, and lose the lease."""
    async with running(Bench(workers=1)) as bench:
        for number in range(10):
            bench.controller.enqueue(ObjectKey("default", f"key-{number}"))
        done_at_each_turn = []
        while len(bench.reconciler.passes) < 10:
            await asyncio.sleep(0)
            done_at_each_turn.append(len(bench.reconciler.passes))
        assert max(later - earlier for earlier, later in itertools.pairwise([0, *done_at_each_turn])) == 1


async def test_a_resumed_controller_with_many_objects_lets_the_event_loop_breathe() -> None:
    objects = [widget(f"w-{number}", 1) for number in range(5000)]
    bench = Watching(ScriptedSource([page(1, *objects)]))
    async with running_informer(bench.informer):
        resuming = asyncio.ensure_future(bench.controller.resume())
        turns = 0
        while not resuming.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 4
