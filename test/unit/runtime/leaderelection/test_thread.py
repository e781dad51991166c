"""The one place with real threads and real time, since blocking is what it is about; every wait is bounded."""

import asyncio
import math
import select
import socket
import threading

import pytest
import structlog

from aiop.runtime.client.errors import ConnectionFailed
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.leaderelection.thread import Heartbeat
from support.threadbench import BOUND_SECONDS, Bench, leading, until


async def test_a_clean_stop_releases_the_lease_and_closes_the_connection() -> None:
    async with leading(Bench(), release=True) as bench:
        assert bench.holder() == "me"
    assert bench.holder() == ""
    assert not bench.permitted()
    assert bench.transport.closed


async def test_a_stop_without_release_leaves_the_lease_to_run_out() -> None:
    async with leading(Bench()) as bench:
        pass
    assert bench.holder() == "me"
    assert not bench.permitted()


async def test_a_stop_right_after_the_start_ends_the_thread() -> None:
    bench = Bench()
    bench.thread.start()
    async with asyncio.timeout(BOUND_SECONDS):
        await bench.thread.stop(release=True)
        await bench.thread.wait()
    assert not bench.thread._thread.is_alive()


async def test_a_stop_without_a_start_has_nothing_to_do() -> None:
    bench = Bench()
    await bench.thread.stop(release=True)
    assert bench.changes == []


async def test_a_second_stop_changes_nothing() -> None:
    async with leading(Bench(), release=True) as bench:
        await bench.thread.stop(release=True)
    assert bench.holder() == ""


async def test_a_connection_that_cannot_be_made_is_tried_again() -> None:
    bench = Bench()
    bench.refusals = [ConnectionFailed("refused")] * 2
    async with leading(bench):
        assert bench.refusals == []


async def test_a_thread_that_hangs_is_left_behind_and_may_write_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiop.runtime.leaderelection.thread._GRACE_SECONDS", 0.1)
    bench, hung = Bench(), threading.Event()
    release, released = socket.socketpair()

    def hang(_leading: bool) -> None:
        hung.set()
        select.select([released], [], [], BOUND_SECONDS)

    monkeypatch.setattr(bench.thread, "_changed", hang)
    bench.thread.start()
    await until(hung.is_set)
    bench.gate.open(0, math.inf)
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(BOUND_SECONDS):
            await bench.thread.stop(release=True)
            await bench.thread.wait()
    assert bench.thread._thread.is_alive()
    assert not bench.permitted()
    assert [entry["event"] for entry in logs] == ["leader election hangs and is left behind"]
    release.close()
    await until(lambda: not bench.thread._thread.is_alive())
    released.close()


async def test_what_the_thread_dies_of_is_told() -> None:
    bench = Bench()
    bench.refusals = [RuntimeError("no such plugin")]
    bench.thread.start()
    async with asyncio.timeout(BOUND_SECONDS):
        with pytest.raises(RuntimeError, match="no such plugin"):
            await bench.thread.wait()
        await bench.thread.stop(release=True)


def test_a_heartbeat_ages_by_the_clock() -> None:
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    before = heartbeat.age()
    assert 0.0 <= before <= heartbeat.age() < BOUND_SECONDS
