"""The API server's clock, as its answers tell it."""

from datetime import UTC, datetime, timedelta

import pytest

from aiop.runtime.client.client import Client
from aiop.runtime.client.serverclock import ServerClock
from aiop.runtime.client.transport import Request, Response
from support.clock import FakeClock


def test_until_the_server_has_said_something_our_own_clock_counts() -> None:
    clock = FakeClock()
    assert ServerClock(clock).now() == clock.now()


async def test_it_goes_on_from_what_the_server_said() -> None:
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    found = ServerClock(clock)
    found.heard({"Date": "Thu, 01 Jan 2026 00:10:00 GMT"})
    await clock.advance(5.0)
    assert found.now() == datetime(2026, 1, 1, 0, 10, 5, tzinfo=UTC)
    assert found.monotonic() == clock.monotonic()


async def test_the_newest_answer_counts_and_one_of_the_same_second_does_not_turn_the_clock_back() -> None:
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    found = ServerClock(clock)
    found.heard({"Date": "Thu, 01 Jan 2026 00:00:10 GMT"})
    await clock.advance(0.9)
    found.heard({"Date": "Thu, 01 Jan 2026 00:00:10 GMT"})
    assert found.now() - clock.now() == timedelta(seconds=10)
    found.heard({"Date": "Thu, 01 Jan 2026 00:00:30 GMT"})
    assert found.now() == datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("date", ["", "soon", "Thu, 99 Jan 2026 00:10:00 GMT"])
def test_a_date_that_makes_no_sense_changes_nothing(date: str) -> None:
    clock = FakeClock()
    found = ServerClock(clock)
    found.heard({"Date": date})
    assert found.now() == clock.now()


async def test_a_client_hears_it_in_every_answer() -> None:
    class Late:
        async def send(self, request: Request) -> Response:
            return Response(200, {"Date": "Thu, 01 Jan 2026 01:00:00 GMT"}, b"{}")

        def stream(self, request: Request) -> object:
            raise NotImplementedError

        async def aclose(self) -> None: ...

    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    async with Client(Late(), clock=clock) as client:
        await client.get_path("/version")
        assert client.server_clock.now() == datetime(2026, 1, 1, 1, tzinfo=UTC)
