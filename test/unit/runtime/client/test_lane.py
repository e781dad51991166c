"""Whose write is next, what a server's refusal does to all, and that nothing is left behind."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from aiop.runtime.client.concurrency import AdaptiveLimit
from aiop.runtime.client.errors import ApiError, Conflict, RequestTimedOut, ServerError, TooManyRequests
from aiop.runtime.client.lane import WriteLane, writing_for
from support.clock import FakeClock, settle


class Writers:
    """Writers of any owner, whose writes last until the test lets them end; ``sent`` is in order of their turns."""

    def __init__(self, lane: WriteLane) -> None:
        self._lane = lane
        self._ends: dict[str, asyncio.Future[None]] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.sent: list[str] = []

    async def write(self, *names: str, owner: str = "") -> None:
        """Begin these writes, in this order; returns once each is sent or waits."""
        for name in names:
            self._ends[name] = asyncio.get_running_loop().create_future()
            with writing_for(owner or name[0]):
                self.tasks[name] = asyncio.create_task(self._one(name))
        await settle()

    async def end(self, name: str, error: ApiError | RequestTimedOut | None = None) -> None:
        """The server answers this write."""
        if error is None:
            self._ends[name].set_result(None)
        else:
            self._ends[name].set_exception(error)
        await asyncio.wait([self.tasks[name]])
        await settle()

    async def cancel(self, *names: str) -> None:
        for name in names:
            self.tasks[name].cancel()
        await asyncio.wait([self.tasks[name] for name in names])
        await settle()

    async def _one(self, name: str) -> None:
        async with self._lane.slot():
            self.sent.append(name)
            await self._ends[name]


class Shown:
    """What a lane's metrics were told."""

    def __init__(self) -> None:
        self.states: list[tuple[int, int, int]] = []
        self.waits: list[float] = []

    def changed(self, in_flight: int, limit: int, waiting: int) -> None:
        self.states.append((in_flight, limit, waiting))

    def waited(self, seconds: float) -> None:
        self.waits.append(seconds)


def alarms() -> list[asyncio.Task[object]]:
    """The tasks that wait for the end of a pause."""
    return [task for task in asyncio.all_tasks() if task.get_name() == "pause of the writes"]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def narrow(clock: FakeClock) -> AsyncIterator[Callable[[int], tuple[WriteLane, Writers]]]:
    """Makes a lane of so many slots and its writers, and sees to it that nothing of them is left."""
    made: list[Writers] = []

    def make(slots: int) -> tuple[WriteLane, Writers]:
        lane = WriteLane(clock, limit=AdaptiveLimit(start=slots, most=slots))
        made.append(Writers(lane))
        return lane, made[-1]

    yield make
    for writers in made:
        for task in writers.tasks.values():
            task.cancel()
        await asyncio.gather(*writers.tasks.values(), return_exceptions=True)
        lane = writers._lane
        await settle()
        assert (lane.in_flight, lane.waiting, lane.owners) == (0, 0, 0)
    assert alarms() == []


Narrow = Callable[[int], tuple[WriteLane, Writers]]


async def test_no_more_writes_are_under_way_than_the_limit_allows(narrow: Narrow) -> None:
    lane, writers = narrow(2)
    await writers.write("a1", "a2", "a3")
    assert (writers.sent, lane.in_flight, lane.limit, lane.waiting) == (["a1", "a2"], 2, 2, 1)
    await writers.end("a2")
    assert (writers.sent, lane.in_flight, lane.waiting) == (["a1", "a2", "a3"], 2, 0)


async def test_owners_take_turns_and_each_owners_writes_keep_their_order(narrow: Narrow) -> None:
    _, writers = narrow(1)
    await writers.write("a0", "a1", "a2", "a3", "b1", "c1", "b2")
    for name in ("a0", "a1", "b1", "c1", "a2", "b2"):
        await writers.end(name)
    assert writers.sent == ["a0", "a1", "b1", "c1", "a2", "b2", "a3"]


async def test_an_owner_who_comes_back_stands_behind_those_who_wait(narrow: Narrow) -> None:
    _, writers = narrow(1)
    await writers.write("a0", "b1", "c1")
    await writers.end("a0")
    await writers.write("a1")
    for name in ("b1", "c1"):
        await writers.end(name)
    assert writers.sent == ["a0", "b1", "c1", "a1"]


async def test_a_task_writes_for_the_owner_of_the_block_that_started_it_and_only_within(narrow: Narrow) -> None:
    lane, writers = narrow(1)
    await writers.write("x")
    with writing_for("outer"):
        with writing_for("inner"):
            inner = asyncio.create_task(writers._one("x"))
        outer = asyncio.create_task(writers._one("x"))
    nobody = asyncio.create_task(writers._one("x"))
    await settle()
    assert lane.owners == 3
    for task in (inner, outer, nobody):
        task.cancel()
    await asyncio.gather(inner, outer, nobody, return_exceptions=True)


async def test_a_waiter_that_is_cancelled_takes_no_slot_and_leaves_nothing(narrow: Narrow) -> None:
    lane, writers = narrow(1)
    await writers.write("a0", "a1", "b1", "b2")
    await writers.cancel("a1", "b1")
    assert (lane.waiting, lane.owners, lane.in_flight) == (1, 1, 1)
    await writers.end("a0")
    assert writers.sent == ["a0", "b2"]


async def test_a_slot_that_comes_in_the_moment_of_the_cancellation_goes_to_the_next(narrow: Narrow) -> None:
    lane, writers = narrow(1)
    await writers.write("a0", "a1", "b1")
    writers._ends["a0"].set_result(None)
    while lane.waiting == 2:  # noqa: ASYNC110 - a single step of the loop too many would be too late
        await asyncio.sleep(0)
    writers.tasks["a1"].cancel()  # its turn has been given to it, and it does not know yet
    await settle()
    assert writers.sent == ["a0", "b1"]
    assert lane.in_flight == 1


async def test_a_waiter_that_is_cancelled_just_before_its_turn_is_passed_over(narrow: Narrow) -> None:
    _, writers = narrow(1)
    await writers.write("a0", "a1", "b1")
    writers._ends["a0"].set_result(None)
    writers.tasks["a1"].cancel()  # a0 ends first, and meets a1 that has not left yet
    await settle()
    assert writers.tasks["a0"].exception() is None
    assert writers.sent == ["a0", "b1"]


async def test_a_write_that_is_cancelled_gives_its_slot_back(narrow: Narrow) -> None:
    _, writers = narrow(1)
    await writers.write("a0", "a1")
    await writers.cancel("a0")
    assert writers.sent == ["a0", "a1"]


async def test_any_error_reaches_the_caller_and_gives_the_slot_back(narrow: Narrow) -> None:
    _, writers = narrow(1)
    await writers.write("a0", "a1")
    conflict = Conflict(409, "Conflict")
    await writers.end("a0", conflict)
    assert writers.tasks["a0"].exception() is conflict
    assert writers.sent == ["a0", "a1"]


@pytest.mark.parametrize(
    ("error", "limit"),
    [
        (TooManyRequests(429), 4),
        (ServerError(503), 4),
        (ServerError(504), 4),
        (RequestTimedOut("late"), 4),
        (ServerError(500), 8),
        (Conflict(409), 8),
    ],
)
async def test_only_what_tells_of_too_much_work_lowers_the_limit(
    narrow: Narrow, error: ApiError | RequestTimedOut, limit: int
) -> None:
    lane, writers = narrow(8)
    await writers.write("a0")
    await writers.end("a0", error)
    assert lane.limit == limit


async def test_a_retry_after_holds_up_every_owner_for_that_time(narrow: Narrow, clock: FakeClock) -> None:
    lane, writers = narrow(8)
    await writers.write("a0")
    await writers.end("a0", TooManyRequests(429, retry_after=7))
    await writers.write("a1", "b1")
    await clock.advance(6.9)
    assert (writers.sent, lane.waiting) == (["a0"], 2)
    await clock.advance(0.2)
    assert writers.sent == ["a0", "a1", "b1"]


async def test_what_was_under_way_goes_on_and_may_lengthen_the_pause(narrow: Narrow, clock: FakeClock) -> None:
    _, writers = narrow(8)
    await writers.write("a0", "b0", "c0")
    await writers.end("a0", TooManyRequests(429, retry_after=5))
    await writers.write("a1")
    await clock.advance(4)
    await writers.end("b0", ServerError(503, retry_after=3))
    await writers.end("c0", TooManyRequests(429, retry_after=1))
    await clock.advance(2.9)
    assert "a1" not in writers.sent
    await clock.advance(0.2)
    assert "a1" in writers.sent


async def test_no_server_holds_the_lane_up_for_more_than_half_a_minute(narrow: Narrow, clock: FakeClock) -> None:
    _, writers = narrow(8)
    await writers.write("a0")
    await writers.end("a0", TooManyRequests(429, retry_after=86400))
    await writers.write("a1")
    await clock.advance(29)
    assert writers.sent == ["a0"]
    await clock.advance(2)
    assert writers.sent == ["a0", "a1"]


async def test_who_gives_up_during_a_pause_leaves_no_alarm_behind(narrow: Narrow) -> None:
    lane, writers = narrow(8)
    await writers.write("a0")
    await writers.end("a0", TooManyRequests(429, retry_after=20))
    await writers.write("a1", "b1")
    assert len(alarms()) == 1
    await writers.cancel("a1", "b1")
    assert (alarms(), lane.waiting, lane.owners) == ([], 0, 0)


async def test_a_caller_waits_no_longer_than_it_allows_itself(narrow: Narrow) -> None:
    lane, writers = narrow(1)
    await writers.write("a0")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), lane.slot():
            pytest.fail("there was no slot")
    assert lane.waiting == 0


async def test_the_lane_shows_what_it_does(clock: FakeClock) -> None:
    shown = Shown()
    lane = WriteLane(clock, limit=AdaptiveLimit(start=1), metrics=shown)
    writers = Writers(lane)
    await writers.write("a0", "a1")
    assert shown.states[-1] == (1, 1, 1)
    await clock.advance(3.0)
    await writers.end("a0")
    assert shown.states[-1] == (1, 1, 0)
    await writers.end("a1")
    assert shown.states[-1] == (0, 1, 0)
    assert shown.waits == [0.0, 3.0]


@asynccontextmanager
async def crowd(lane: WriteLane, writers: int, seconds: float, clock: FakeClock) -> AsyncIterator[None]:
    """So many writers of one owner, each with one write that takes so long."""

    async def one() -> None:
        async with lane.slot():
            await clock.sleep(seconds)

    with writing_for("crowd"):
        tasks = [asyncio.create_task(one()) for _ in range(writers)]
    await settle()
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_limit_grows_with_what_the_lane_sees_of_a_server_that_keeps_its_pace(clock: FakeClock) -> None:
    lane = WriteLane(clock)
    async with crowd(lane, 1000, 0.1, clock):
        await clock.advance(5.0)
        assert lane.in_flight == lane.limit
        assert 16 <= lane.limit <= 40
    assert (lane.in_flight, lane.waiting, lane.owners) == (0, 0, 0)
