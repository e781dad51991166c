"""Writes: as many at once as the server takes, fair by owner, and never beyond the permit."""

import asyncio
import itertools
import math
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client
from aiop.runtime.client.concurrency import AdaptiveLimit
from aiop.runtime.client.errors import RequestTimedOut, TooManyRequests, WriteNotPermitted
from aiop.runtime.client.lane import WriteLane, writing_for
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import HttpTransport, Request, Response
from aiop.runtime.conditions.events import EventRecorder, ObjectReference
from support.capacity import Capacity
from support.clock import FakeClock, settle
from support.controllerbench import ONE, TWO, Bench, running
from support.loopback import Loopback, in_turn, says
from support.transport import ScriptedTransport, ok, refusal
from support.writes import KEY, WRITES, Until


async def create(client: Client, owner: str, name: str = "a") -> bytes:
    with writing_for(owner):
        return await client.create(CONFIGMAPS, owner, {"metadata": {"name": name}}, field_manager="me")


@asynccontextmanager
async def started(*writes: Coroutine[None, None, bytes]) -> AsyncIterator[list[asyncio.Task[bytes]]]:
    """Writes under way, or waiting; they are cancelled at the end."""
    tasks = [asyncio.create_task(write) for write in writes]
    await settle()
    yield tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class SlowServer:
    """Answers after a second."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.transport = ScriptedTransport(self._answer)

    async def _answer(self, _request: Request) -> Response:
        await self._clock.sleep(1.0)
        return ok({})

    def owners(self) -> list[str]:
        """Whose writes were sent, in order."""
        return [request.path.split("/")[4] for request in self.transport.requests]


class BusyServer:
    """A server of some capacity, in virtual time; it refuses with a wish to be left alone for a second."""

    def __init__(self, clock: FakeClock, capacity: Capacity) -> None:
        self._clock = clock
        self._dice = random.Random(1)
        self._under_way = 0
        self.capacity = capacity
        self.refused = 0
        self.transport = ScriptedTransport(self._answer)

    async def _answer(self, _request: Request) -> Response:
        if self._under_way >= self.capacity.refuses_above:
            self.refused += 1
            return Response(429, {"Retry-After": "1"}, b"{}")
        self._under_way += 1
        try:
            await self._clock.sleep(self.capacity.takes(self._under_way, self._dice))
        finally:
            self._under_way -= 1
        return ok({})


@asynccontextmanager
async def endless_writes(client: Client, writers: int) -> AsyncIterator[None]:
    """So many owners who write, and write again."""

    async def one(owner: str) -> None:
        while True:
            try:
                await create(client, owner)
            except TooManyRequests:
                continue

    tasks = [asyncio.create_task(one(f"owner-{number}")) for number in range(writers)]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_one_owners_ten_thousand_writes_let_a_neighbours_one_through_at_the_next_free_slot() -> None:
    clock = FakeClock()
    server, lane = SlowServer(clock), WriteLane(clock)
    client = Client(server.transport, clock=clock, lane=lane)
    async with started(*(create(client, "crowd", f"pod-{number}") for number in range(10_000))):
        sent = len(server.owners())
        assert (sent, lane.waiting) == (lane.limit, 10_000 - lane.limit)
        async with started(create(client, "neighbour")):
            await clock.advance(1.0)
            assert "neighbour" in server.owners()[sent : sent + 2]
    assert (lane.in_flight, lane.waiting, lane.owners) == (0, 0, 0)


async def test_writes_at_once_settle_near_what_the_server_takes_and_follow_it_down_and_up() -> None:
    clock = FakeClock()
    server, lane = BusyServer(clock, Capacity(at_once=12, seconds=0.2, refuses_above=18)), WriteLane(clock)
    async with endless_writes(Client(server.transport, clock=clock, lane=lane), 40):
        await clock.advance(20.0)
        assert 9 <= lane.limit <= 18
        server.capacity = Capacity(at_once=4, seconds=0.2, refuses_above=6)
        await clock.advance(20.0)
        assert 2 <= lane.limit <= 6
        server.capacity, refused = Capacity(at_once=12, seconds=0.2), server.refused
        await clock.advance(25.0)
        assert 9 <= lane.limit <= 18
        assert server.refused == refused


async def test_a_refusal_reaches_its_caller_once_and_holds_up_the_writes_of_all_but_no_read() -> None:
    clock = FakeClock()
    answers = [Response(429, {"Retry-After": "3"}, b"{}")]

    async def answer(_request: Request) -> Response:
        return answers.pop() if answers else ok({})

    transport = ScriptedTransport(answer)
    client = Client(transport, clock=clock, lane=WriteLane(clock))
    with pytest.raises(TooManyRequests) as caught:
        await create(client, "one")
    assert caught.value.retry_after == 3.0
    async with started(create(client, "one"), create(client, "two")) as writes:
        await client.get(CONFIGMAPS, KEY)
        assert transport.lines()[1:] == ["GET /api/v1/namespaces/team/configmaps/a"]
        await clock.advance(3.0)
        assert [write.result() for write in writes] == [b"{}", b"{}"]


@pytest.mark.promise("S29")
async def test_a_client_without_a_lane_waits_for_nobody() -> None:
    """The Lease's own client is one: its renewals pass by everything that waits."""
    clock = FakeClock()
    server = SlowServer(clock)
    lane = WriteLane(clock, limit=AdaptiveLimit(start=1, most=1))
    crowded, own = (Client(server.transport, clock=clock, lane=each) for each in (lane, None))
    async with started(*(create(crowded, "crowd") for _ in range(100))), started(create(own, "lease")):
        assert server.owners() == ["crowd", "lease"]


async def test_a_write_that_lost_its_permit_while_it_waited_is_refused_before_a_byte_is_sent() -> None:
    clock = FakeClock()
    server, gate = SlowServer(clock), Until(0.5)
    lane = WriteLane(clock, limit=AdaptiveLimit(start=1, most=1))
    client = Client(server.transport, clock=clock, gate=gate, lane=lane)
    async with started(create(client, "one"), create(client, "two"), create(client, "three")) as writes:
        assert len(gate.asked) == 1, "asked for the one that is sent, and not yet for those that wait"
        await clock.advance(1.0)
        for write in writes[1:]:
            assert isinstance(write.exception(), WriteNotPermitted)
    assert (server.owners(), lane.waiting, lane.in_flight) == (["one"], 0, 0)


async def test_the_time_of_a_write_counts_from_its_turn_and_ends_with_the_permit() -> None:
    clock = FakeClock()
    server, gate = SlowServer(clock), Until(10.0)
    lane = WriteLane(clock, limit=AdaptiveLimit(start=1, most=1))
    client = Client(server.transport, clock=clock, gate=gate, lane=lane)
    async with started(*(create(client, "one") for _ in range(4))):
        await clock.advance(3.5)
    assert [request.timeout for request in server.transport.requests] == [10.0, 9.0, 8.0, 7.0]
    assert [dict(request.query)["timeout"] for request in server.transport.requests] == ["10s", "9s", "8s", "7s"]


async def test_a_wait_ends_when_the_caller_ends_it_and_the_write_is_never_sent() -> None:
    clock = FakeClock()
    server = SlowServer(clock)
    lane = WriteLane(clock, limit=AdaptiveLimit(start=1, most=1))
    client = Client(server.transport, clock=clock, lane=lane)
    async with started(create(client, "one"), create(client, "two"), create(client, "three")) as writes:
        writes[1].cancel()
        await clock.advance(2.0)
        assert writes[2].done()
    assert server.owners() == ["one", "three"]
    assert (lane.in_flight, lane.waiting, lane.owners) == (0, 0, 0)


@pytest.mark.promise("S30")
@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("moment", [None, 100.0005, 100.0, 99.0])
async def test_without_a_permit_not_a_byte_of_a_write_is_sent(
    transport: HttpTransport, server: Loopback, moment: float | None, verb: str
) -> None:
    clock, gate = FakeClock(), Until(moment)
    await clock.advance(100.0)
    with pytest.raises(WriteNotPermitted):
        await WRITES[verb](Client(transport, clock=clock, gate=gate, lane=WriteLane(clock)))
    assert len(gate.asked) == 1
    assert (server.seen, server.connections) == ([], 0)


async def test_reads_ask_no_gate(transport: HttpTransport, server: Loopback) -> None:
    gate = Until(None)
    await Client(transport, clock=FakeClock(), gate=gate).get(CONFIGMAPS, KEY)
    assert (len(server.seen), gate.asked) == (1, [])


async def test_the_gate_is_asked_for_the_object_that_is_written(transport: HttpTransport) -> None:
    gate = Until(10.0)
    client = Client(transport, clock=FakeClock(), gate=gate)
    await client.apply(CONFIGMAPS, KEY, {}, field_manager="me")
    await client.create(CONFIGMAPS, "team", {}, field_manager="me")
    assert gate.asked == [KEY, KEY, ObjectKey("team", ""), ObjectKey("team", "")], "before, and when its body leaves"


@pytest.mark.promise(93, "S30")
@pytest.mark.parametrize("verb", WRITES)
async def test_a_write_whose_permit_ends_before_its_body_leaves_is_held_back(
    transport: HttpTransport, server: Loopback, verb: str
) -> None:
    class Closing(Until):
        def permit(self, key: ObjectKey) -> float:
            moment = super().permit(key)
            self._moment = None
            return moment

    with pytest.raises(WriteNotPermitted):
        await WRITES[verb](Client(transport, clock=FakeClock(), gate=Closing(10.0)))
    assert server.seen == []


@pytest.mark.promise("S30")
@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize(
    ("moment", "told"),
    [(0.0015, "1ms"), (0.4321, "432ms"), (0.9999, "999ms"), (1.0, "1s"), (12.9, "12s"), (math.inf, "30s")],
)
async def test_the_server_is_told_to_give_up_no_later_than_the_permit_ends_and_after_30_s_at_most(
    moment: float, told: str, verb: str
) -> None:
    transport = ScriptedTransport()
    await WRITES[verb](Client(transport, clock=FakeClock(), gate=Until(moment)))
    (request,) = transport.requests
    assert dict(request.query)["timeout"] == told
    assert request.timeout == min(moment, 30.0)


@pytest.mark.promise("S30")
async def test_a_write_ends_with_its_permit(transport: HttpTransport, server: Loopback) -> None:
    async def never(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    server.answer = never
    with pytest.raises(RequestTimedOut, match="DELETE"):
        await Client(transport, clock=FakeClock(), gate=Until(0.05)).delete(CONFIGMAPS, KEY)


async def test_a_write_that_is_repeated_with_new_credentials_has_the_rest_of_its_time(
    transport: HttpTransport, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, loop = 0.0, asyncio.get_running_loop()

    async def renew(_used: int) -> None:
        nonlocal now
        now = 4.0

    real = loop.time
    monkeypatch.setattr(transport._connection, "renew", renew)
    monkeypatch.setattr(loop, "time", lambda: real() + now)
    server.answer = in_turn(says(401, b""), says(200, b"{}"))
    await Client(transport, clock=FakeClock(), gate=Until(10.9)).delete(CONFIGMAPS, KEY)
    assert [seen.query["timeout"] for seen in server.seen] == ["10s", "6s"]


async def test_credentials_that_come_after_the_permits_end_come_too_late(
    transport: HttpTransport, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, loop = 0.0, asyncio.get_running_loop()

    async def renew(_used: int) -> None:
        nonlocal now
        now = 10.0

    real = loop.time
    monkeypatch.setattr(transport._connection, "renew", renew)
    monkeypatch.setattr(loop, "time", lambda: real() + now)
    server.answer = in_turn(says(401, b""))
    with pytest.raises(RequestTimedOut, match="too late"):
        await Client(transport, clock=FakeClock(), gate=Until(9.0)).delete(CONFIGMAPS, KEY)
    assert len(server.seen) == 1


async def test_a_refused_write_is_sent_once_and_frees_its_slot() -> None:
    async def answer(_request: Request) -> Response:
        return refusal(429, "TooManyRequests")

    clock, transport = FakeClock(), ScriptedTransport(answer)
    lane = WriteLane(clock)
    for check in WRITES.values():
        with pytest.raises(TooManyRequests):
            await check(Client(transport, clock=clock, lane=lane))
    assert len(transport.requests) == len(WRITES)
    assert lane.in_flight == 0


async def test_each_object_of_a_controller_and_the_events_are_owners_of_their_own() -> None:
    bench = Bench(workers=3)
    server = SlowServer(bench.clock)
    lane = WriteLane(bench.clock, limit=AdaptiveLimit(start=1, most=1))
    client = Client(server.transport, clock=bench.clock, lane=lane)
    numbers = itertools.count()
    events = EventRecorder(client, bench.clock, "me", "me-1", lambda: str(next(numbers)))
    recording = asyncio.create_task(events.run())

    async def two_writes() -> None:
        writes = (client.create(CONFIGMAPS, "team", {}, field_manager="me") for _ in range(2))
        await asyncio.gather(*writes)

    bench.reconciler.then("one", two_writes)
    bench.reconciler.then("two", two_writes)
    nobodys = client.create(CONFIGMAPS, "team", {}, field_manager="me")
    async with running(bench), started(create(client, "other"), nobodys):
        bench.controller.enqueue(ONE)
        bench.controller.enqueue(TWO)
        events.record(ObjectReference("v1", "Pod", "team", "a", "u1"), "Normal", "Tested", "tested", "Test")
        await settle()
        assert (lane.waiting, lane.owners) == (6, 4)
        recording.cancel()
