"""An operator whose event loop is stuck: no write of it leaves once its lease could have ended.

Real threads and real time, since blocking is what this is about; every wait is bounded.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.transport import HttpTransport
from support.threadbench import (
    TIMES,
    Bench,
    block_until,
    hold_the_interpreter_for,
    leading,
    no_other_thread,
    until,
    writing,
)
from support.writeserver import write_server

# From the first step of a write to its last byte on an open connection it is about half as many rounds of the loop.
STEPS = 8

pytestmark = pytest.mark.promise(93, "S30")


async def test_a_loop_that_awaits_nothing_loses_its_lease_while_it_is_stuck() -> None:
    async with leading(Bench()) as bench:
        block_until(lambda: not bench.permitted())
        await until(bench.permitted)
        assert bench.changes[:3] == [True, False, True]


async def test_no_write_leaves_a_loop_that_awaited_nothing_until_another_led() -> None:
    async with leading(Bench()) as bench, bench.rival(), writing(bench.gate) as writes:
        await until(lambda: len(writes.sent) > 100)
        block_until(lambda: bench.holder() == "rival")
        await until(lambda: writes.refused > 100)
    assert [moment for moment in writes.sent if not bench.led_at(moment)] == []


async def test_no_write_leaves_behind_a_call_that_held_the_interpreter() -> None:
    """No other thread runs meanwhile, so nobody can close the gate: it has to know by itself when to."""
    async with leading(Bench()) as bench, bench.rival(), writing(bench.gate) as writes:
        await until(lambda: len(writes.sent) > 100)
        bench.transport.hung = True
        with no_other_thread():
            hold_the_interpreter_for(TIMES.duration)
            with pytest.raises(WriteNotPermitted):
                await writes.write()
        await until(lambda: bench.holder() == "rival" and writes.refused > 100)
    assert [moment for moment in writes.sent if not bench.led_at(moment)] == []


async def test_no_write_that_was_under_way_leaves_a_blocked_loop_later(tmp_path: Path) -> None:
    """Over real connections: when the loop blocks, each write is one step further on its way than the next."""
    with write_server(tmp_path) as server:
        async with leading(Bench()) as bench, bench.rival():
            transport = HttpTransport(await load_connection(server.kubeconfig))
            async with Client(transport, clock=bench.clock, gate=bench.gate) as client:

                async def write() -> None:
                    await client.create(CONFIGMAPS, "default", {}, field_manager="test")

                await asyncio.gather(*(write() for _ in range(STEPS)))  # open connections are used again
                _after_steps(STEPS, partial(block_until, lambda: bench.holder() == "rival"))
                writes = []
                for _ in range(STEPS):
                    writes.append(asyncio.create_task(write()))
                    await asyncio.sleep(0)
                ends = await asyncio.gather(*writes, return_exceptions=True)
    assert any(isinstance(each, WriteNotPermitted) for each in ends)
    assert len(server.arrived) >= STEPS
    assert [moment for moment in server.arrived if not bench.led_at(moment)] == []


def _after_steps(steps: int, work: Callable[[], object]) -> None:
    """Do it so many rounds of the event loop later, and in that round before what is begun after this call."""
    loop = asyncio.get_running_loop()
    for _ in range(steps):
        work = partial(loop.call_soon, work)
    work()
