"""After an outage: the first to reach the server brings the others back."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from aiop.runtime.client.builtin import NODES, PODS
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import ClientError, ConnectionFailed, Forbidden, RequestTimedOut, TooManyRequests
from aiop.runtime.conditions.events import EventRecorder
from aiop.runtime.informer.recovery import SPREAD_SECONDS, Recovery
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.manager.tools import Tools
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import FakeClock, settle
from support.listwatch import ScriptedSource, page
from support.running import run_informer


class Outage:
    """Informers that share a recovery and a clock; each draws from dice of its own."""

    def __init__(self, count: int) -> None:
        self.clock = FakeClock()
        self.recovery = Recovery()
        self.sources = [ScriptedSource([page(5)], by_watch=True) for _ in range(count)]
        self.informers: list[StreamInformer[CustomObject]] = [
            StreamInformer(
                f"widgets-{number}",
                source,
                decode_custom,
                clock=self.clock,
                random=random.Random(number),
                recovery=self.recovery,
            )
            for number, source in enumerate(self.sources)
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for informer in self.informers:
                await stack.enter_async_context(run_informer(informer))
            yield

    async def last_for_long(self, sources: list[ScriptedSource], error: ClientError) -> None:
        """So many refusals, of watches or of lists, that the next wait takes half a minute and more."""
        for source in sources:
            source.refusals.extend([error] * 100)
            source.lists.extend([error] * 100)
            source.fail(error)
        await self.clock.advance(150)
        for source in sources:
            source.refusals.clear()
            source.lists.clear()


@pytest.mark.promise("S5")
@pytest.mark.parametrize("error", [ConnectionFailed("refused"), RequestTimedOut("late")])
async def test_when_one_reaches_the_server_those_that_wait_for_a_connection_try_within_a_second(
    error: ClientError,
) -> None:
    outage = Outage(4)
    async with outage.running():
        await outage.last_for_long(outage.sources[1:], error)
        before = [len(source.calls) for source in outage.sources]
        outage.sources[0].end()
        await settle()
        assert [source.open for source in outage.sources] == [1, 0, 0, 0], "not all in the same instant"
        await outage.clock.advance(SPREAD_SECONDS)
        assert [len(source.calls) - known for source, known in zip(outage.sources, before, strict=True)] == [1] * 4


@pytest.mark.promise("S5", "S6")
@pytest.mark.parametrize("error", [TooManyRequests(429, retry_after=40.0), Forbidden(403)])
async def test_what_the_server_itself_refused_waits_its_own_time_out(error: ClientError) -> None:
    outage = Outage(2)
    async with outage.running():
        refused = outage.sources[1]
        await outage.last_for_long([refused], error)
        before = len(refused.calls)
        outage.sources[0].end()
        await outage.clock.advance(SPREAD_SECONDS)
        assert outage.sources[0].open == 1
        assert len(refused.calls) == before


@pytest.mark.promise("S5")
async def test_a_server_that_accepts_and_drops_is_not_stormed_by_those_that_wake_each_other() -> None:
    outage = Outage(8)
    async with outage.running():
        for source in outage.sources:
            source.fail(ConnectionFailed("reset"))
        await settle()
        for source in outage.sources:
            for _ in range(1000):
                source.fail(ConnectionFailed("reset"))
        await outage.clock.advance(120)
        before = sum(len(source.calls) for source in outage.sources)
        await outage.clock.advance(60)
        tries = sum(len(source.calls) for source in outage.sources) - before
        assert tries <= 8 * 60 / 5


def test_all_informers_of_a_process_share_one_recovery(client: Client) -> None:
    clock = FakeClock()
    recorder = EventRecorder(client, clock, "test", "test", lambda: "id")
    tools = Tools(client, clock, random.Random(1), Metrics(), recorder, lambda: "id")
    informers = [tools.informer(resource, decode_custom) for resource in (PODS, NODES)]
    assert all(isinstance(informer, StreamInformer) and informer._recovery is tools.recovery for informer in informers)


async def test_a_wait_is_never_longer_than_asked_for() -> None:
    clock, recovery = FakeClock(), Recovery()
    waiting = asyncio.create_task(recovery.wait(0.5, clock, lambda: 0.99))
    await clock.advance(0.4)
    recovery.succeeded(clock.monotonic())
    await clock.advance(0.2)
    assert waiting.done()


async def test_a_wait_that_nobody_shortens_lasts_as_long_as_asked_for_and_leaves_nothing_behind() -> None:
    clock, recovery = FakeClock(), Recovery()
    waiting = asyncio.create_task(recovery.wait(30.0, clock, lambda: 0.0))
    await clock.advance(29.9)
    assert not waiting.done()
    await clock.advance(0.1)
    assert waiting.done()
    assert recovery._waiting == {}


async def test_a_wait_that_is_cancelled_leaves_nothing_behind() -> None:
    clock, recovery = FakeClock(), Recovery()
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(recovery.wait(30.0, clock, lambda: 0.0))
    await settle()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert recovery._waiting == {}
    assert asyncio.all_tasks() == before
