"""What a thread of the demo writes does not come after the demo's end."""

import asyncio
import threading

import pytest

from aiop.cli.demo.undisturbed import in_thread


async def test_what_the_work_returns_or_raises_comes_back() -> None:
    assert await in_thread(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)


async def test_a_cancellation_comes_once_the_work_has_ended() -> None:
    loop, begun, may_end, ended = asyncio.get_running_loop(), asyncio.Event(), threading.Event(), threading.Event()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        may_end.wait(60)
        ended.set()

    task = asyncio.create_task(in_thread(work))
    await begun.wait()
    task.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
