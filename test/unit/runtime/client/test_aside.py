"""Work that may hang, in a thread of its own; every wait is bounded."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from aiop.runtime.client.aside import aside
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import ConfigurationFailed
from support.execplugin import ExecPlugin
from support.loopback import Loopback

# Far beyond what any of this takes.
_PATIENCE_SECONDS = 20.0
# Long enough for a program to begin, even on a machine that is busy.
_SECONDS = 2.0
_HANGS = """
import os, pathlib, time
pathlib.Path({started!r}).write_text(str(os.getpid()))
time.sleep(600)
"""


def hanging(started: Path) -> list[str]:
    return [sys.executable, "-c", _HANGS.format(started=str(started))]


def hanging_plugin(started: Path) -> dict[str, object]:
    command, *args = hanging(started)
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": version, "command": command, "args": args, "interactiveMode": "Never"}}


async def until(check: Callable[[], object]) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not check():  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.01)


def has_ended(started: Path) -> bool:
    try:
        os.kill(int(started.read_text()), signal.SIG_DFL)
    except ProcessLookupError:
        return True
    return False


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "aside"}


async def test_what_the_work_returns_or_raises_arrives() -> None:
    async def fails() -> None:
        message = "the disk is gone"
        raise OSError(message)

    assert await aside(lambda: asyncio.sleep(0, "done"), _PATIENCE_SECONDS) == "done"
    with pytest.raises(OSError, match="the disk is gone"):
        await aside(fails, _PATIENCE_SECONDS)
    await until(lambda: not threads())


async def test_work_that_blocks_is_left_behind_in_a_thread_that_holds_up_no_end() -> None:
    released = threading.Event()

    async def blocks() -> None:
        released.wait(_PATIENCE_SECONDS)

    with pytest.raises(TimeoutError, match=r"^no answer within 0\.05 s$"):
        await aside(blocks, 0.05)
    assert {thread.daemon for thread in threads()} == {True}
    released.set()
    await until(lambda: not threads())


async def test_the_works_own_time_out_is_not_ours() -> None:
    async def fails() -> None:
        message = "the far server is slow"
        raise TimeoutError(message)

    with pytest.raises(TimeoutError, match="the far server is slow"):
        await aside(fails, _PATIENCE_SECONDS)


async def test_a_caller_that_is_cancelled_takes_the_work_and_its_program_along(tmp_path: Path) -> None:
    started = tmp_path / "started"

    async def runs() -> object:
        process = await asyncio.create_subprocess_exec(*hanging(started))
        return await process.wait()

    caller = asyncio.create_task(aside(runs, _PATIENCE_SECONDS))
    await until(lambda: started.exists() and started.read_text())
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await until(lambda: has_ended(started))
    await until(lambda: not threads())


async def test_a_plugin_that_hangs_is_named_and_killed(tmp_path: Path, server: Loopback) -> None:
    started = tmp_path / "started"
    config = server.kubeconfig(user=hanging_plugin(started))
    told = f"cannot find the API server by {config}: no answer of {sys.executable} within {_SECONDS:g} s"
    with pytest.raises(ConfigurationFailed) as caught:
        await load_connection(config, load_seconds=_SECONDS)
    assert str(caught.value) == told
    await until(lambda: has_ended(started))
    await until(lambda: not threads())


async def test_a_plugin_that_hangs_at_the_renewal_holds_up_nobody_for_longer(tmp_path: Path, server: Loopback) -> None:
    config = server.kubeconfig(user=ExecPlugin(tmp_path, {"token": "old"}).user)
    connection = await load_connection(config, load_seconds=_SECONDS)
    started = tmp_path / "started"
    server.kubeconfig(user=hanging_plugin(started))
    with pytest.raises(ConfigurationFailed, match="no answer of"):
        await connection.renew(connection.generation)
    assert connection.generation == 0
    await connection.aclose()
    await until(lambda: has_ended(started) and not threads())


def test_a_plugin_that_hangs_does_not_hold_up_the_end_of_the_event_loop(tmp_path: Path, server: Loopback) -> None:
    config, started = server.kubeconfig(user=hanging_plugin(tmp_path / "started")), tmp_path / "started"

    async def stopped_meanwhile() -> None:
        loading = asyncio.create_task(load_connection(config))
        await until(lambda: started.exists() and started.read_text())
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(stopped_meanwhile()), daemon=True)
    thread.start()
    thread.join(_PATIENCE_SECONDS)
    assert not thread.is_alive()
