"""Which signal ends the demo, how often it is told, and the exit code that a shell expects."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from aiop.cli.demo.ending import Ending
from support.foreground import ignore_nothing

BOUND_SECONDS = 10.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
async def forced() -> AsyncIterator[list[int]]:
    """The exit codes by which the process would have ended at once; signals are whose they were again afterwards."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    ignore_nothing(SIGNALS)
    yield []
    for number in SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, before[number])


async def told(ending: Ending, *numbers: signal.Signals) -> None:
    """Let it listen to a task that takes its time to end, and send that process these signals."""
    listens, closed = asyncio.Event(), asyncio.Event()

    async def demo() -> None:
        ending.listen()
        listens.set()
        try:
            await asyncio.Event().wait()
        finally:
            await closed.wait()

    task = asyncio.create_task(demo())
    await listens.wait()
    for number in numbers:
        os.kill(os.getpid(), number)
        await asyncio.sleep(0.01)
    closed.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, BOUND_SECONDS)


@pytest.mark.parametrize(("number", "code"), [(SIGNALS[0], 130), (SIGNALS[1], 143), (SIGNALS[2], 129)])
async def test_a_signal_ends_it_once_with_the_code_that_shells_expect(
    forced: list[int], number: signal.Signals, code: int
) -> None:
    ending = Ending(force=forced.append)
    assert ending.code is None
    await told(ending, number)
    assert ending.code == code
    assert forced == []


async def test_a_second_one_ends_the_process_at_once(forced: list[int]) -> None:
    ending = Ending(force=forced.append)
    await told(ending, signal.SIGINT, signal.SIGINT, signal.SIGTERM)
    assert (ending.code, forced) == (130, [130, 143])


async def test_a_terminal_that_closes_on_the_way_out_hurries_nobody(forced: list[int]) -> None:
    ending = Ending(force=forced.append)
    await told(ending, signal.SIGTERM, signal.SIGHUP)
    assert (ending.code, forced) == (143, [])


async def test_once_the_story_is_told_ctrl_c_ends_it_with_what_it_came_to(forced: list[int]) -> None:
    ending = Ending(force=forced.append)
    ending.code_of_ctrl_c = 0
    await told(ending, signal.SIGINT)
    assert ending.code == 0
