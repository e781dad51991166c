"""The queue's priorities: who goes first, who may not be held back by it, and who is never starved."""

import asyncio
from itertools import pairwise

import pytest

from aiop.runtime.workqueue.queue import WorkQueue
from support.clock import FakeClock
from support.queuebench import take_all


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> WorkQueue[str]:
    return WorkQueue(clock, name="test")


@pytest.mark.promise(54, "S21", "S22")
@pytest.mark.parametrize(("sooner", "later"), [(-100, 10), (10, -100)])
async def test_the_earlier_of_two_delays_wins_whatever_their_priorities(
    queue: WorkQueue[str], clock: FakeClock, sooner: int, later: int
) -> None:
    queue.add_after("a", 2, sooner)
    queue.add_after("a", 10, later)
    queue.add_after("b", 10, later)
    queue.add_after("b", 2, sooner)
    getters = [asyncio.create_task(queue.get()) for _ in range(2)]
    await clock.advance(1.9)
    assert not any(getter.done() for getter in getters)
    await clock.advance(0.1)
    assert [getter.result() for getter in getters if getter.done()] == ["a", "b"]
    queue.shut_down()
    await asyncio.gather(*getters, return_exceptions=True)


@pytest.mark.promise(56, "S22")
async def test_the_higher_priority_is_served_first(queue: WorkQueue[str]) -> None:
    queue.add("low", -100)
    queue.add("usual")
    queue.add("high", 10)
    assert await take_all(queue) == ["high", "usual", "low"]


@pytest.mark.promise(56, "S22")
async def test_inside_a_priority_what_became_ready_first_is_served_first(
    queue: WorkQueue[str], clock: FakeClock
) -> None:
    queue.add_after("later", 10, 5)
    queue.add_after("sooner", 2, 5)
    queue.add("now", 5)
    await clock.advance(11)
    queue.add("last", 5)
    assert await take_all(queue) == ["now", "sooner", "later", "last"]


@pytest.mark.promise(56, "S22")
async def test_a_raised_key_goes_to_the_end_of_its_new_class(queue: WorkQueue[str]) -> None:
    queue.add("a", -100)
    queue.add("b")
    queue.add("a")
    assert await take_all(queue) == ["b", "a"]


@pytest.mark.promise(57, "S22")
async def test_a_lower_priority_cannot_lower_a_waiting_key(queue: WorkQueue[str]) -> None:
    queue.add("a", 10)
    queue.add("b", 5)
    queue.add("a", -100)
    assert await take_all(queue) == ["a", "b"]


@pytest.mark.promise(57, "S22")
async def test_a_lower_priority_with_an_earlier_time_brings_a_key_forward_and_lowers_nothing(
    queue: WorkQueue[str], clock: FakeClock
) -> None:
    queue.add_after("a", 10, 10)
    queue.add_after("b", 1, 5)
    queue.add_after("a", 2, -100)
    await clock.advance(2)
    assert await take_all(queue) == ["a", "b"]


@pytest.mark.promise(58)
async def test_the_lowest_class_gets_one_pop_in_eight(queue: WorkQueue[str]) -> None:
    for number in range(16):
        queue.add(f"high-{number}", 10)
        queue.add(f"low-{number}", -100)
    served = (await take_all(queue))[:16]
    assert [place for place, key in enumerate(served, 1) if key.startswith("low")] == [8, 16]


@pytest.mark.promise(58)
async def test_a_flood_that_never_ends_starves_nobody(queue: WorkQueue[str]) -> None:
    for number in range(10):
        queue.add(f"low-{number}", -100)
    served = []
    for number in range(100):
        queue.add(f"flood-{number}-a")
        queue.add(f"flood-{number}-b")
        served.append(await queue.get())
        queue.done(served[-1])
    places = [place for place, key in enumerate(served) if key.startswith("low")]
    assert len(places) == 10
    assert {after - before for before, after in pairwise(places)} == {8}


@pytest.mark.promise(59, "S22")
async def test_a_key_in_work_does_not_block_the_others_of_its_class(queue: WorkQueue[str]) -> None:
    queue.add("a", 10)
    await queue.get()
    queue.add("a", 10)
    queue.add("b")
    assert await queue.get() == "b"
