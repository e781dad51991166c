"""What the queue promises, one sentence a test."""

import asyncio
from collections import Counter

import pytest

from aiop.runtime.workqueue.queue import QueueShutDown, WorkQueue
from support.clock import FakeClock, settle


class Recorded:
    """Counts what the queue tells its metrics."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.depths: list[int] = []
        self.waits: list[float] = []
        self.works: list[float] = []

    def added(self, queue: str) -> None:
        self.counts["added"] += 1

    def retried(self, queue: str) -> None:
        self.counts["retried"] += 1

    def depth(self, queue: str, depth: int) -> None:
        self.depths.append(depth)

    def waited(self, queue: str, seconds: float) -> None:
        self.waits.append(seconds)

    def worked(self, queue: str, seconds: float) -> None:
        self.works.append(seconds)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> WorkQueue[str]:
    return WorkQueue(clock, name="test")


async def take_all(queue: WorkQueue[str]) -> list[str]:
    """Every ready key in the queue's order, each worked on and done."""
    taken = []
    while len(queue):
        key = await queue.get()
        taken.append(key)
        queue.done(key)
    return taken


async def test_one_key_waits_once(queue: WorkQueue[str]) -> None:
    for _ in range(3):
        queue.add("a")
    assert len(queue) == 1
    assert await take_all(queue) == ["a"]


async def test_first_ready_is_first_served(queue: WorkQueue[str]) -> None:
    for key in "abc":
        queue.add(key)
    queue.add("a")
    assert await take_all(queue) == ["a", "b", "c"]


async def test_a_key_that_became_ready_later_stands_behind(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add_after("delayed", 10)
    await clock.advance(5)
    queue.add("early")
    await clock.advance(6)
    queue.add("late")
    assert await take_all(queue) == ["early", "delayed", "late"]


async def test_an_add_while_in_work_runs_once_more_afterwards(queue: WorkQueue[str]) -> None:
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert await take_all(queue) == ["a"]


async def test_the_earlier_of_two_delays_wins(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add_after("a", 10)
    queue.add_after("a", 2)
    queue.add_after("a", 20)
    getter = asyncio.create_task(queue.get())
    await clock.advance(1.9)
    assert not getter.done()
    await clock.advance(0.1)
    assert await getter == "a"
    queue.done("a")
    await clock.advance(30)
    assert len(queue) == 0


async def test_an_immediate_add_absorbs_a_pending_delay(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add_after("a", 10)
    queue.add("a")
    assert await take_all(queue) == ["a"]
    await clock.advance(20)
    assert len(queue) == 0


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


async def test_the_higher_priority_is_served_first(queue: WorkQueue[str]) -> None:
    queue.add("low", -100)
    queue.add("usual")
    queue.add("high", 10)
    assert await take_all(queue) == ["high", "usual", "low"]


async def test_a_lower_priority_cannot_lower_a_waiting_key(queue: WorkQueue[str]) -> None:
    queue.add("a", 10)
    queue.add("b", 5)
    queue.add("a", -100)
    assert await take_all(queue) == ["a", "b"]


async def test_a_raised_key_goes_to_the_end_of_its_new_class(queue: WorkQueue[str]) -> None:
    queue.add("a", -100)
    queue.add("b")
    queue.add("a")
    assert await take_all(queue) == ["b", "a"]


async def test_raising_a_ready_key_does_not_delay_it(queue: WorkQueue[str]) -> None:
    queue.add("a", -100)
    queue.add_after("a", 60, priority=5)
    assert await take_all(queue) == ["a"]


async def test_the_lowest_class_gets_one_pop_in_eight(queue: WorkQueue[str]) -> None:
    for number in range(16):
        queue.add(f"high-{number}", 10)
        queue.add(f"low-{number}", -100)
    served = (await take_all(queue))[:16]
    assert [place for place, key in enumerate(served, 1) if key.startswith("low")] == [8, 16]


async def test_a_key_in_work_does_not_block_the_others_of_its_class(queue: WorkQueue[str]) -> None:
    queue.add("a", 10)
    await queue.get()
    queue.add("a", 10)
    queue.add("b")
    assert await queue.get() == "b"


async def test_backoff_doubles_from_five_milliseconds_to_a_thousand_seconds(
    queue: WorkQueue[str], clock: FakeClock
) -> None:
    delays = []
    for _ in range(100):
        asked = clock.monotonic()
        queue.add_rate_limited("a")
        getter = asyncio.create_task(queue.get())
        while not getter.done():
            await clock.advance(queue._delayed[0][0] - clock.monotonic())
        delays.append(clock.monotonic() - asked)
        queue.done(await getter)
    assert delays[:4] == pytest.approx([0.005, 0.01, 0.02, 0.04])
    assert delays[-1] == pytest.approx(1000)
    assert max(delays) == pytest.approx(1000)


async def test_forget_begins_the_backoff_anew_and_keeps_nothing(queue: WorkQueue[str]) -> None:
    queue.add_rate_limited("a")
    queue.add_rate_limited("a")
    assert queue.num_requeues("a") == 2
    queue.forget("a")
    assert queue.num_requeues("a") == 0
    assert queue._failures == {}
    queue.forget("never seen")


async def test_done_does_not_forget(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add_rate_limited("a")
    await clock.advance(1)
    queue.done(await queue.get())
    assert queue.num_requeues("a") == 1


async def test_keys_are_limited_independently(queue: WorkQueue[str], clock: FakeClock) -> None:
    for _ in range(10):
        queue.add_rate_limited("bad")
    queue.add_rate_limited("good")
    await clock.advance(0.005)
    assert await take_all(queue) == ["bad", "good"]  # an earlier time of the same key had won
    queue.add_rate_limited("bad")
    queue.add_rate_limited("good")
    await clock.advance(0.01)
    assert await take_all(queue) == ["good"]


async def test_a_failed_key_keeps_the_priority_that_it_was_taken_with(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add("failing", -100)
    await queue.get()
    queue.add_rate_limited("failing")
    queue.done("failing")
    await clock.advance(1)
    queue.add("usual")
    assert await take_all(queue) == ["usual", "failing"]


async def test_shutdown_wakes_every_getter(queue: WorkQueue[str]) -> None:
    getters = [asyncio.create_task(queue.get()) for _ in range(5)]
    await settle()
    queue.shut_down()
    for outcome in await asyncio.gather(*getters, return_exceptions=True):
        assert isinstance(outcome, QueueShutDown)


async def test_shutdown_drops_what_waits_and_takes_nothing_more(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add("ready")
    queue.add_after("delayed", 1)
    queue.shut_down()
    queue.add("new")
    await clock.advance(10)
    assert len(queue) == 0
    with pytest.raises(QueueShutDown):
        await queue.get()


async def test_drained_waits_for_work_in_progress_only(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.add("waiting")
    await queue.get()
    queue.shut_down()
    drained = asyncio.create_task(queue.drained())
    await settle()
    assert not drained.done()
    queue.add("a")
    queue.done("a")
    await drained
    assert len(queue) == 0


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


async def test_a_cancelled_getter_loses_no_key(queue: WorkQueue[str]) -> None:
    first = asyncio.create_task(queue.get())
    second = asyncio.create_task(queue.get())
    await settle()
    queue.add("a")  # wakes the first, which is cancelled before it runs
    first.cancel()
    assert await second == "a"
    assert first.cancelled()


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


async def test_metrics_are_exact(clock: FakeClock) -> None:
    told = Recorded()
    queue: WorkQueue[str] = WorkQueue(clock, metrics=told)
    queue.add("a")
    queue.add("a")
    queue.add_after("b", 3)
    await clock.advance(2)
    await queue.get()
    await clock.advance(4)
    assert queue.seconds_in_work() == [4.0]
    queue.add_rate_limited("a")
    queue.done("a")
    await queue.get()
    assert told.counts == {"added": 3, "retried": 1}
    assert told.waits == [2.0, 3.0]
    assert told.works == [4.0]
    assert told.depths[-1] == 0
    await clock.advance(1)
    assert told.depths[-1] == 1
    assert max(told.depths) == 1


async def test_a_delay_that_is_over_goes_before_an_add_even_if_the_loop_was_busy(clock: FakeClock) -> None:
    queue: WorkQueue[str] = WorkQueue(clock)
    queue.add_after("delayed", 10)
    clock._elapsed = 11  # the timer had no chance to run
    queue.add("late")
    assert await take_all(queue) == ["delayed", "late"]
    queue.shut_down()
