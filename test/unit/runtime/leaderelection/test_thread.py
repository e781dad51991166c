"""The one place with real threads and real time, since blocking is what it is about; every wait is bounded."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import ConnectionFailed, WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.leaderelection.elector import Elector, LeaseTimes
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.thread import ElectionThread, Heartbeat
from support.leaseserver import LeaseServer, LeaseTransport

KEY = ObjectKey("aiop-system", "aiop-manager")
CHILD = ObjectKey("default", "child")
# A twentieth of the real ones, so that a blocked loop need not block for long.
TIMES = LeaseTimes(duration=0.75, renew_deadline=0.5, retry=0.1, heartbeat=0.25)
BOUND_SECONDS = 20.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.01)


class Bench:
    def __init__(self) -> None:
        self.clock = SystemClock()
        self.server = LeaseServer(self.clock)
        self.transport = LeaseTransport(self.server)
        self.gate = LeaseGate(self.clock)
        self.heartbeat = Heartbeat(self.clock)
        self.changes: list[bool] = []
        self.refusals: list[Exception] = []
        self.thread = ElectionThread(
            Elector("me", TIMES),
            KEY,
            self.connect,
            clock=self.clock,
            gate=self.gate,
            heartbeat=self.heartbeat,
            changed=self.changes.append,
        )

    async def connect(self) -> Client:
        if self.refusals:
            raise self.refusals.pop()
        return Client(self.transport, clock=self.clock)

    def holder(self) -> str:
        return str(self.server.leases["aiop-manager"]["spec"]["holderIdentity"])

    def permitted(self) -> bool:
        try:
            return self.gate.permit(CHILD) > 0
        except WriteNotPermitted:
            return False


@asynccontextmanager
async def leading(bench: Bench, *, release: bool = False) -> AsyncIterator[Bench]:
    async def beat() -> None:
        while True:
            bench.heartbeat.beat()
            await asyncio.sleep(0.01)

    beating = asyncio.create_task(beat())
    bench.thread.start()
    try:
        await until(bench.permitted)
        yield bench
    finally:
        async with asyncio.timeout(BOUND_SECONDS):
            await bench.thread.stop(release=release)
        beating.cancel()


async def test_a_loop_that_awaits_nothing_loses_its_lease_while_it_is_stuck() -> None:
    async with leading(Bench()) as bench:
        time.sleep(1.0)  # noqa: ASYNC251 - the blocked loop is the test
        assert not bench.permitted()
        await until(bench.permitted)
        assert bench.changes[:3] == [True, False, True]


async def test_a_call_that_holds_the_interpreter_leaves_no_write_behind_it() -> None:
    async with leading(Bench()) as bench:
        _hold_the_interpreter_for(TIMES.duration)
        assert not bench.permitted()


def _hold_the_interpreter_for(seconds: float) -> None:
    """One call that backtracks for at least so long, and lets no other thread run meanwhile."""
    for length in range(20, 40):
        began = time.monotonic()
        assert re.match(r"(a+)+$", "a" * length + "b") is None
        if time.monotonic() - began > seconds:
            return


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
