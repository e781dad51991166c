import asyncio

import pytest

from aiop.runtime.kit.deadline import DeadlineExceeded, within
from support.clock import FakeClock, settle


class Work:
    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.ended = False

    async def last(self, seconds: float) -> str:
        try:
            await self.clock.sleep(seconds)
        finally:
            await asyncio.sleep(0)
            self.ended = True
        return "done"


async def test_work_that_is_done_in_time_gives_its_result() -> None:
    clock = FakeClock()
    work = Work(clock)
    task = asyncio.create_task(within(clock, 5.0, work.last(4.9)))
    await clock.advance(4.9)
    assert await task == "done"


async def test_work_that_is_late_is_cancelled_and_has_ended_before_anybody_is_told() -> None:
    clock = FakeClock()
    work = Work(clock)
    task = asyncio.create_task(within(clock, 5.0, work.last(60)))
    await clock.advance(4.9)
    assert not task.done()
    await clock.advance(0.1)
    with pytest.raises(DeadlineExceeded, match="not done within 5 s"):
        await task
    assert work.ended


async def test_what_work_raises_comes_out_as_it_is() -> None:
    async def broken() -> None:
        await asyncio.sleep(0)
        raise KeyError("no such thing")

    with pytest.raises(KeyError):
        await within(FakeClock(), 5.0, broken())


async def test_work_ends_with_its_caller() -> None:
    clock = FakeClock()
    work = Work(clock)
    task = asyncio.create_task(within(clock, 5.0, work.last(60)))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.ended
