"""The queue against a model, over random histories."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aiop.runtime.workqueue.queue import WorkQueue
from support.clock import FakeClock, settle

KEYS = st.sampled_from("abcdef")


@dataclass
class Wanted:
    """A key that waits, in the model: nothing but the promises."""

    ready_at: float
    priority: int


@dataclass
class Model:
    waiting: dict[str, Wanted] = field(default_factory=dict)
    in_work: set[str] = field(default_factory=set)

    def add(self, key: str, ready_at: float, priority: int) -> None:
        known = self.waiting.get(key, Wanted(ready_at, priority))
        self.waiting[key] = Wanted(min(ready_at, known.ready_at), max(priority, known.priority))

    def ready(self, now: float) -> dict[str, Wanted]:
        return {
            key: wanted for key, wanted in self.waiting.items() if wanted.ready_at <= now and key not in self.in_work
        }


class QueueMachine(RuleBasedStateMachine):
    """Adds, delays, takes and finishes keys, and lets time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.queue: WorkQueue[str] = WorkQueue(self.clock)
        self.model = Model()

    @rule(key=KEYS, priority=st.sampled_from([-100, 0, 10]))
    def add(self, key: str, priority: int) -> None:
        self.queue.add(key, priority)
        self.model.add(key, self.clock.monotonic(), priority)

    @rule(key=KEYS, seconds=st.integers(1, 5), priority=st.sampled_from([-100, 0, 10]))
    def add_after(self, key: str, seconds: int, priority: int) -> None:
        async def add() -> None:
            self.queue.add_after(key, seconds, priority)

        self.loop.run_until_complete(add())
        self.model.add(key, self.clock.monotonic() + seconds, priority)

    @rule(seconds=st.integers(1, 3))
    def advance(self, seconds: int) -> None:
        self.loop.run_until_complete(self.clock.advance(seconds))

    @precondition(lambda self: len(self.queue) > 0)
    @rule()
    def get(self) -> None:
        ready = self.model.ready(self.clock.monotonic())
        key = self.loop.run_until_complete(self.queue.get())
        assert key in ready
        priorities = {wanted.priority for wanted in ready.values()}
        assert ready[key].priority in {max(priorities), min(priorities)}
        del self.model.waiting[key]
        self.model.in_work.add(key)

    @precondition(lambda self: bool(self.model.in_work))
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.in_work)))
        self.queue.done(key)
        self.model.in_work.discard(key)

    @invariant()
    def as_many_are_ready_as_the_model_says(self) -> None:
        assert len(self.queue) == len(self.model.ready(self.clock.monotonic()))

    def teardown(self) -> None:
        self.queue.shut_down()
        self.loop.run_until_complete(settle())
        self.loop.close()


QueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_the_queue_equals_its_model = QueueMachine.TestCase


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
