"""The queue against a model, over random histories."""

import asyncio
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

    @invariant()
    def as_many_are_due_in_each_priority_as_the_model_says(self) -> None:
        now = self.clock.monotonic()
        due = Counter(wanted.priority for wanted in self.model.waiting.values() if wanted.ready_at <= now)
        assert self.queue._depths == due

    def teardown(self) -> None:
        self.queue.shut_down()
        self.loop.run_until_complete(settle())
        self.loop.close()


QueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_the_queue_equals_its_model = QueueMachine.TestCase
