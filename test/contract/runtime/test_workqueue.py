"""The queue: what waits, who gets it, and when (the queue against a model is in the unit tests)."""

import asyncio
import random
import tracemalloc
from collections import Counter

import pytest

from aiop.runtime.workqueue.queue import QueueShutDown, WorkQueue
from support.clock import FakeClock, settle
from support.queuebench import take_all


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> WorkQueue[str]:
    return WorkQueue(clock, name="test")


@pytest.mark.promise(51, "S20")
async def test_one_key_waits_once(queue: WorkQueue[str]) -> None:
    for _ in range(3):
        queue.add("a")
    assert len(queue) == 1
    assert await take_all(queue) == ["a"]


@pytest.mark.promise("S20")
async def test_first_ready_is_first_served(queue: WorkQueue[str]) -> None:
    for key in "abc":
        queue.add(key)
    queue.add("a")
    assert await take_all(queue) == ["a", "b", "c"]


@pytest.mark.promise(52, "S20")
async def test_an_add_while_in_work_runs_once_more_afterwards(queue: WorkQueue[str]) -> None:
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert await take_all(queue) == ["a"]


@pytest.mark.own_process
@pytest.mark.promise(36, "S16")
async def test_what_piles_up_for_a_key_is_one_entry_however_often_it_is_added(queue: WorkQueue[str]) -> None:
    """With an entry for each of these adds it would be megabytes."""
    queue.add("in work")
    await queue.get()
    queue.add_after("delayed", 1e6)
    queue.add("waiting")
    await settle()
    tracemalloc.start()
    try:
        for number in range(20_000):
            for key in ("in work", "waiting"):
                queue.add(key)
                queue.add_after(key, number)
            queue.add_after("delayed", 1e6 - number)  # each overtakes the one before
            if number % 100 == 0:
                await settle(2)
        await settle()
        piled_up = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert piled_up < 256 * 1024
    queue.shut_down()


class Workers:
    """Workers that check, at every pass, that nobody else holds their key."""

    def __init__(self, queue: WorkQueue[int], draw: random.Random) -> None:
        self.queue = queue
        self.draw = draw
        self.in_work: Counter[int] = Counter()
        self.added_at: dict[int, int] = {}
        self.seen_up_to: dict[int, int] = {}
        self.step = 0
        self.tasks = [asyncio.create_task(self.work()) for _ in range(8)]

    async def work(self) -> None:
        while True:
            key = await self.queue.get()
            self.in_work[key] += 1
            assert self.in_work[key] == 1
            self.seen_up_to[key] = self.step
            for _ in range(self.draw.randrange(4)):
                await asyncio.sleep(0)
            self.in_work[key] -= 1
            self.queue.done(key)

    def add(self, key: int, seconds: float) -> None:
        self.added_at[key] = self.step
        self.queue.add_after(key, seconds, self.draw.choice([-100, 0, 10]))


@pytest.mark.promise(53, "S20")
async def test_never_two_workers_on_one_key_and_no_add_is_lost() -> None:
    draw = random.Random(7)
    clock = FakeClock()
    queue: WorkQueue[int] = WorkQueue(clock)
    workers = Workers(queue, draw)
    for workers.step in range(100_000):
        if workers.step % 500 == 0:
            await clock.advance(1)
        elif draw.random() < 0.2:
            await asyncio.sleep(0)
        else:
            workers.add(draw.randrange(20), draw.choice([0, 0, draw.random() * 5]))
    await clock.advance(10)
    assert not any(task.done() for task in workers.tasks)
    assert all(workers.seen_up_to[key] >= added for key, added in workers.added_at.items())
    for task in workers.tasks:
        task.cancel()
    await asyncio.gather(*workers.tasks, return_exceptions=True)
    queue.shut_down()


@pytest.mark.promise(54, "S21", "S22")
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


@pytest.mark.promise(55, "S21", "S22")
async def test_an_immediate_add_absorbs_a_pending_delay(queue: WorkQueue[str], clock: FakeClock) -> None:
    """The classic queue lets the delayed entry stand and runs a second time; ours does not, as the priority queue."""
    queue.add_after("a", 10)
    queue.add("a")
    assert await take_all(queue) == ["a"]
    await clock.advance(20)
    assert len(queue) == 0


@pytest.mark.promise(60, "S23")
async def test_backoff_doubles_from_five_milliseconds_to_a_thousand_seconds(
    queue: WorkQueue[str], clock: FakeClock
) -> None:
    """Of the two limiters of the classic queue only the one by key is left, as with the priority queue."""
    delays = []
    for _ in range(2000):
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


@pytest.mark.promise(61, "S23")
async def test_forget_begins_the_backoff_anew_and_keeps_nothing(queue: WorkQueue[str]) -> None:
    queue.add_rate_limited("a")
    queue.add_rate_limited("a")
    assert queue.num_requeues("a") == 2
    queue.forget("a")
    assert queue.num_requeues("a") == 0
    assert queue._failures == {}
    queue.forget("never seen")


@pytest.mark.promise("S23")
async def test_done_does_not_forget(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add_rate_limited("a")
    await clock.advance(1)
    queue.done(await queue.get())
    assert queue.num_requeues("a") == 1


@pytest.mark.promise(63, "S23")
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


@pytest.mark.promise(64)
async def test_shutdown_wakes_every_getter(queue: WorkQueue[str]) -> None:
    getters = [asyncio.create_task(queue.get()) for _ in range(5)]
    await settle()
    queue.shut_down()
    await settle()
    assert [type(getter.exception()) for getter in getters if getter.done()] == [QueueShutDown] * 5


@pytest.mark.promise(64)
@pytest.mark.parametrize("rounds", range(6))
async def test_shutdown_while_keys_are_handed_out_ends_every_getter(clock: FakeClock, rounds: int) -> None:
    queue: WorkQueue[str] = WorkQueue(clock)
    getters = [asyncio.create_task(queue.get()) for _ in range(8)]
    await settle()
    for key in "abcd":
        queue.add(key)
        queue.add_after(f"{key} later", 1)
    await settle(rounds)  # some getters have their key, some are woken for one, some wait
    queue.shut_down()
    await settle()
    assert all(getter.done() for getter in getters)
    outcomes = await asyncio.gather(*getters, return_exceptions=True)
    handed_out = [each for each in outcomes if isinstance(each, str)]
    assert sum(isinstance(each, QueueShutDown) for each in outcomes) == 8 - len(handed_out)
    for key in handed_out:
        queue.done(key)
    await queue.drained()
    await settle()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


@pytest.mark.promise("S24")
async def test_shutdown_drops_what_waits_and_takes_nothing_more(queue: WorkQueue[str], clock: FakeClock) -> None:
    """The classic queue's workers drain what waits. Ours drops it, as the priority queue does: whoever leads next
    looks at every object, so what is dropped is only delayed, and the lease is free sooner.
    """
    queue.add("ready")
    queue.add_after("delayed", 1)
    queue.shut_down()
    queue.add("new")
    queue.add_rate_limited("failed")
    await clock.advance(10)
    assert len(queue) == 0
    with pytest.raises(QueueShutDown):
        await queue.get()


@pytest.mark.promise(65, "S24")
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


@pytest.mark.promise(66)
async def test_a_cancelled_getter_loses_no_key(queue: WorkQueue[str]) -> None:
    first = asyncio.create_task(queue.get())
    second = asyncio.create_task(queue.get())
    await settle()
    queue.add("a")  # wakes the first, which is cancelled before it runs
    first.cancel()
    assert await second == "a"
    assert first.cancelled()


class Recorded:
    """What the queue tells its metrics."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.depths: dict[int, list[int]] = {}
        self.waits: list[float] = []
        self.works: list[float] = []

    def added(self, queue: str) -> None:
        self.counts["added"] += 1

    def retried(self, queue: str) -> None:
        self.counts["retried"] += 1

    def depth(self, queue: str, priority: int, depth: int) -> None:
        self.depths.setdefault(priority, []).append(depth)

    def waited(self, queue: str, seconds: float) -> None:
        self.waits.append(seconds)

    def worked(self, queue: str, seconds: float) -> None:
        self.works.append(seconds)


@pytest.mark.promise(67)
async def test_adds_retries_waits_and_works_are_counted_exactly(clock: FakeClock) -> None:
    told = Recorded()
    queue: WorkQueue[str] = WorkQueue(clock, metrics=told)
    queue.add("a")
    queue.add("a")
    queue.add_after("b", 3)
    assert told.counts == {"added": 1}, "a delay counts when it is over"
    await clock.advance(2)
    await queue.get()
    await clock.advance(4)
    assert told.counts == {"added": 2}
    assert queue.seconds_in_work() == [4.0]
    queue.add_rate_limited("a")
    queue.done("a")
    await queue.get()
    await clock.advance(1)
    assert told.counts == {"added": 3, "retried": 1}
    assert told.waits == [2.0, 3.0]
    assert told.works == [4.0]


@pytest.mark.promise(67)
async def test_depth_is_what_is_due_by_priority(clock: FakeClock) -> None:
    told = Recorded()
    queue: WorkQueue[str] = WorkQueue(clock, metrics=told)
    queue.add("a", -100)
    queue.add("b", -100)
    queue.add_after("c", 5)
    assert told.depths == {-100: [1, 2]}
    queue.add("a", 10)
    assert told.depths == {-100: [1, 2, 1], 10: [1]}, "a raised key changes its class"
    assert await queue.get() == "a"
    queue.add("a")
    assert told.depths == {-100: [1, 2, 1], 10: [1, 0], 0: [1]}, "due, though its last pass is not over"
    queue.done("a")
    await clock.advance(5)
    assert told.depths[0] == [1, 2]
    queue.shut_down()
    assert [depths[-1] for depths in told.depths.values()] == [0, 0, 0]
    assert told.counts == {"added": 4}


@pytest.mark.promise("S21")
async def test_a_delay_that_was_brought_forward_counts_once(clock: FakeClock) -> None:
    told = Recorded()
    queue: WorkQueue[str] = WorkQueue(clock, metrics=told)
    queue.add_after("a", 100)
    queue.add_after("a", 10, priority=5)
    queue.add("a")
    queue.done(await queue.get())
    await clock.advance(200)
    assert told.counts == {"added": 1}
    assert told.depths == {5: [1, 0]}
    assert told.waits == [0.0]
