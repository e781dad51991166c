"""The finer promises of the queue; the contract's are in test/contract/runtime."""

import asyncio

import pytest

from aiop.runtime.workqueue.queue import WorkQueue
from support.clock import FakeClock, settle
from support.queuebench import take_all


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> WorkQueue[str]:
    return WorkQueue(clock, name="test")


async def test_a_key_that_became_ready_later_stands_behind(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add_after("delayed", 10)
    await clock.advance(5)
    queue.add("early")
    await clock.advance(6)
    queue.add("late")
    assert await take_all(queue) == ["early", "delayed", "late"]


async def test_a_delay_that_ends_while_the_key_is_in_work_waits_for_done(
    queue: WorkQueue[str], clock: FakeClock
) -> None:
    queue.add("a")
    await queue.get()
    queue.add_after("a", 1)
    await clock.advance(5)
    assert len(queue) == 0
    queue.done("a")
    assert await take_all(queue) == ["a"]


async def test_a_delay_asked_for_in_work_lasts_beyond_done(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add("a")
    await queue.get()
    queue.add_after("a", 10)
    queue.done("a")
    assert len(queue) == 0
    await clock.advance(10)
    assert len(queue) == 1


async def test_absorbed_delays_leave_no_trail(queue: WorkQueue[str]) -> None:
    for _ in range(1000):
        queue.add_after("a", 36_000)
        queue.add("a")
        queue.done(await queue.get())
    assert len(queue._delayed) < 100


async def test_raising_a_ready_key_does_not_delay_it(queue: WorkQueue[str]) -> None:
    queue.add("a", -100)
    queue.add_after("a", 60, priority=5)
    assert await take_all(queue) == ["a"]


async def test_a_failed_key_keeps_the_priority_that_it_was_taken_with(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add("failing", -100)
    await queue.get()
    queue.add_rate_limited("failing")
    queue.done("failing")
    await clock.advance(1)
    queue.add("usual")
    assert await take_all(queue) == ["usual", "failing"]


async def test_an_idle_queue_is_drained_at_once(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.shut_down()
    await asyncio.wait_for(queue.drained(), timeout=1)
    assert repr(queue) == "<WorkQueue test: 0 waiting, 0 in work>"


async def test_shutdown_leaves_no_task_behind(queue: WorkQueue[str]) -> None:
    queue.add_after("a", 1000)
    await settle()
    queue.shut_down()
    await settle()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_a_getter_cancelled_while_it_waits_is_forgotten(queue: WorkQueue[str]) -> None:
    getter = asyncio.create_task(queue.get())
    await settle()
    getter.cancel()
    await settle()
    assert queue._getters == []
    queue.add("a")
    assert await queue.get() == "a"


async def test_every_waiting_worker_gets_one_of_the_keys_that_become_ready_together(
    queue: WorkQueue[str], clock: FakeClock
) -> None:
    getters = [asyncio.create_task(queue.get()) for _ in range(3)]
    for key in "abc":
        queue.add_after(key, 5)
    await clock.advance(5)
    assert sorted(await asyncio.gather(*getters)) == ["a", "b", "c"]


async def test_a_delay_that_is_over_goes_before_an_add_even_if_the_loop_was_busy(clock: FakeClock) -> None:
    queue: WorkQueue[str] = WorkQueue(clock)
    queue.add_after("delayed", 10)
    clock._elapsed = 11  # the timer had no chance to run
    queue.add("late")
    assert await take_all(queue) == ["delayed", "late"]
    queue.shut_down()
