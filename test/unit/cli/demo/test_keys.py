"""Enter lets the story go on, and nobody has to press it for the demo to end."""

import asyncio
import os
import pty
import termios

import pytest

from aiop.cli.demo.keys import EnterKey


async def test_each_line_lets_one_step_go_on_however_early_it_was_typed() -> None:
    readable, writable = os.pipe()
    enter = EnterKey(readable)
    os.write(writable, b"\nyes\n")
    async with asyncio.timeout(30):
        await enter.pressed()
        await enter.pressed()
    third = asyncio.create_task(enter.pressed())
    await asyncio.sleep(0.02)
    assert not third.done()
    os.write(writable, b"\n")
    async with asyncio.timeout(30):
        await third
    os.close(writable)


async def test_after_the_end_of_the_input_nobody_waits() -> None:
    readable, writable = os.pipe()
    os.close(writable)
    enter = EnterKey(readable)
    async with asyncio.timeout(30):
        for _ in range(3):
            await enter.pressed()


async def test_a_terminal_shows_nothing_of_it_meanwhile_and_all_afterwards() -> None:
    controller, terminal = pty.openpty()
    enter = EnterKey(terminal)
    with enter.quiet():
        assert not termios.tcgetattr(terminal)[3] & termios.ECHO
        os.write(controller, b"\n")
        async with asyncio.timeout(30):
            await enter.pressed()
    assert termios.tcgetattr(terminal)[3] & termios.ECHO
    os.close(controller)


async def test_what_is_no_terminal_is_left_as_it_is() -> None:
    with EnterKey(9999).quiet():
        pass


async def test_without_any_input_nobody_waits() -> None:
    async with asyncio.timeout(30):
        await EnterKey(9999).pressed()


async def test_a_wait_that_is_cancelled_takes_nobodys_line() -> None:
    readable, writable = os.pipe()
    enter = EnterKey(readable)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await enter.pressed()
    await asyncio.sleep(0)
    os.write(writable, b"\n")
    async with asyncio.timeout(30):
        await enter.pressed()
    os.close(writable)
