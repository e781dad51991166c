"""No write without a permit, and none that outlives it; reads need none."""

import asyncio

import pytest
from aiohttp import web

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import RequestTimedOut, WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import HttpTransport
from support.clock import FakeClock
from support.loopback import Loopback
from support.writes import KEY, WRITES


class Until:
    """A permit until a moment, or none at all; remembers who asked."""

    def __init__(self, moment: float | None) -> None:
        self._moment = moment
        self.asked: list[ObjectKey] = []

    def permit(self, key: ObjectKey) -> float:
        self.asked.append(key)
        if self._moment is None:
            message = "no lease"
            raise WriteNotPermitted(message)
        return self._moment


@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("moment", [None, 100.0, 99.0])
async def test_without_a_permit_not_a_byte_of_a_write_is_sent(
    transport: HttpTransport, server: Loopback, moment: float | None, verb: str
) -> None:
    clock, gate = FakeClock(), Until(moment)
    await clock.advance(100.0)
    with pytest.raises(WriteNotPermitted):
        await WRITES[verb](Client(transport, clock=clock, gate=gate))
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
    assert gate.asked == [KEY, ObjectKey("team", "")]


@pytest.mark.parametrize(("moment", "told"), [(0.4, "1s"), (12.9, "12s"), (1000.0, "30s")])
async def test_the_server_is_told_to_give_up_with_the_permit_and_after_30_s_at_most(
    transport: HttpTransport, server: Loopback, moment: float, told: str
) -> None:
    await Client(transport, clock=FakeClock(), gate=Until(moment)).delete(CONFIGMAPS, KEY)
    assert server.last.query["timeout"] == told


async def test_a_write_ends_with_its_permit(transport: HttpTransport, server: Loopback) -> None:
    async def never(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    server.answer = never
    with pytest.raises(RequestTimedOut, match="DELETE"):
        await Client(transport, clock=FakeClock(), gate=Until(0.05)).delete(CONFIGMAPS, KEY)
