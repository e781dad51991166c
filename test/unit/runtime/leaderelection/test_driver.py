import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.leaderelection.driver import Driver
from aiop.runtime.leaderelection.elector import Elector, LeaseTimes
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.lease import Lease
from support.clock import FakeClock, settle
from support.leaseserver import LeaseServer, LeaseTransport

KEY = ObjectKey("aiop-system", "aiop-manager")
CHILD = ObjectKey("default", "child")


class JumpingClock(FakeClock):
    """Its wall clock jumps an hour to and fro each time it is read."""

    def __init__(self) -> None:
        super().__init__()
        self._jumps = itertools.cycle([-1, 1])

    def now(self) -> datetime:
        return super().now() + next(self._jumps) * timedelta(hours=1)


class Candidate:
    def __init__(self, name: str, server: LeaseServer) -> None:
        self.clock = server.clock
        self.transport = LeaseTransport(server)
        self.gate = LeaseGate(server.clock)
        self.changes: list[tuple[float, bool]] = []
        self.heartbeat_age = 0.0
        self.elector = Elector(name, LeaseTimes())
        self.driver = Driver(
            self.elector,
            Lease(Client(self.transport, clock=server.clock), KEY),
            clock=server.clock,
            gate=self.gate,
            heartbeat_age=lambda: self.heartbeat_age,
            changed=lambda leading: self.changes.append((self.clock.monotonic(), leading)),
            draw=lambda: 0.0,
        )

    def permitted(self) -> bool:
        try:
            return self.gate.permit(CHILD) > self.clock.monotonic()
        except WriteNotPermitted:
            return False

    @asynccontextmanager
    async def runs(self, *, release: bool = False) -> AsyncIterator["Candidate"]:
        task = asyncio.create_task(self.driver.run())
        await settle()
        try:
            yield self
            assert not task.done(), "the driver ended by itself"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.driver.let_go(release=release)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(clock: FakeClock) -> LeaseServer:
    return LeaseServer(clock)


async def test_the_first_candidate_creates_the_lease_and_opens_its_gate(server: LeaseServer) -> None:
    candidate = Candidate("a", server)
    assert not candidate.permitted()
    async with candidate.runs():
        assert candidate.changes == [(0.0, True)]
        assert candidate.gate.permit(CHILD) == 10.0
        assert server.leases["aiop-manager"]["spec"] == {
            "holderIdentity": "a",
            "leaseDurationSeconds": 15,
            "leaseTransitions": 0,
            "renewTime": "2026-01-01T00:00:00.000000Z",
            "acquireTime": "2026-01-01T00:00:00.000000Z",
        }


async def test_a_leader_renews_by_one_put_each_two_seconds_and_reads_nothing(
    clock: FakeClock, server: LeaseServer
) -> None:
    async with Candidate("a", server).runs() as leader:
        leader.transport.requests.clear()
        await clock.advance(60.0)
        assert leader.transport.requests == ["PUT aiop-manager"] * 30
        assert leader.permitted()
        assert server.leases["aiop-manager"]["spec"]["leaseTransitions"] == 0


async def test_a_standby_only_watches_and_takes_over_a_duration_after_the_last_renewal(
    clock: FakeClock, server: LeaseServer
) -> None:
    async with Candidate("a", server).runs() as leader, Candidate("b", server).runs() as standby:
        await clock.advance(7.0)
        assert standby.transport.requests == ["GET leases", "WATCH"]
        leader.transport.down = True
        await clock.advance(9.0 - 0.001)
        assert leader.permitted()
        await clock.advance(4.999)
        assert standby.changes == []
        assert not leader.permitted()
        await clock.advance(0.1)
        last_renewal = max(moment for moment, holder in server.holders if holder == "a")
        assert last_renewal == 6.0
        assert standby.changes == [(21.0, True)]
        assert server.leases["aiop-manager"]["spec"]["leaseTransitions"] == 1
        assert leader.changes == [(0.0, True), (16.0, False)]


async def test_a_hung_write_ends_the_leadership_at_the_deadline_and_not_later(
    clock: FakeClock, server: LeaseServer
) -> None:
    async with Candidate("a", server).runs() as leader:
        leader.transport.hung = True
        await clock.advance(9.999)
        assert leader.permitted()
        await clock.advance(0.001)
        assert not leader.permitted()
        assert leader.changes == [(0.0, True), (10.0, False)]
        assert leader.transport.requests.count("PUT aiop-manager") >= 2, "a hung write left no time for another"


async def test_a_leader_whose_first_try_hangs_is_saved_by_the_second(clock: FakeClock, server: LeaseServer) -> None:
    async with Candidate("a", server).runs() as leader:
        leader.transport.hung = True
        await clock.advance(5.0)
        leader.transport.hung = False
        await clock.advance(20.0)
        assert leader.changes == [(0.0, True)]


async def test_a_lost_answer_is_found_out_by_reading_once(clock: FakeClock, server: LeaseServer) -> None:
    async with Candidate("a", server).runs() as leader:
        leader.transport.mute = leader.transport.deaf = True
        await clock.advance(3.0)
        leader.transport.mute = False
        leader.transport.requests.clear()
        await clock.advance(7.0)
        assert leader.transport.requests[:3] == ["PUT aiop-manager", "GET aiop-manager", "PUT aiop-manager"]
        assert leader.changes == [(0.0, True)]


async def test_a_standby_with_a_dead_watch_does_not_fight_and_finds_the_truth(
    clock: FakeClock, server: LeaseServer
) -> None:
    async with Candidate("a", server).runs() as leader, Candidate("b", server).runs() as standby:
        standby.transport.deaf = True
        standby.transport.requests.clear()
        await clock.advance(60.0)
        assert leader.changes == [(0.0, True)]
        assert standby.changes == []
        assert "PUT aiop-manager" not in standby.transport.requests
        assert standby.transport.requests.count("WATCH") == 4


async def test_a_standby_whose_view_is_old_looks_before_it_tries_again(clock: FakeClock, server: LeaseServer) -> None:
    server.put("aiop-manager", {"holderIdentity": "", "leaseDurationSeconds": 1})
    candidate = Candidate("b", server)
    candidate.transport.deaf = True
    candidate.heartbeat_age = 6.0
    async with candidate.runs():
        server.put("aiop-manager", {"holderIdentity": "a", "leaseDurationSeconds": 15})
        candidate.heartbeat_age = 0.0
        candidate.transport.requests.clear()
        await clock.advance(10.0)
        assert candidate.transport.requests == ["PUT aiop-manager", "GET aiop-manager"]
        assert candidate.changes == []


async def test_a_wall_clock_that_jumps_an_hour_changes_nothing() -> None:
    clock = JumpingClock()
    server = LeaseServer(clock)
    async with Candidate("a", server).runs() as leader, Candidate("b", server).runs() as standby:
        await clock.advance(120.0)
        assert leader.changes == [(0.0, True)]
        assert standby.changes == []


async def test_a_stuck_operator_loses_the_lease_and_another_takes_it(clock: FakeClock, server: LeaseServer) -> None:
    async with Candidate("a", server).runs() as leader, Candidate("b", server).runs() as standby:
        await clock.advance(5.0)
        leader.heartbeat_age = 5.5
        await clock.advance(30.0)
        assert leader.changes == [(0.0, True), (14.0, False)]
        assert not leader.permitted()
        assert standby.changes == [(19.0, True)]
        leader.heartbeat_age = 0.0
        await clock.advance(30.0)
        assert leader.changes[-1] == (14.0, False), "it stands by while another leads"


async def test_a_lease_edited_by_hand_ends_the_leadership_at_once(clock: FakeClock, server: LeaseServer) -> None:
    async with Candidate("a", server).runs() as leader:
        await clock.advance(1.0)
        server.put("aiop-manager", {"holderIdentity": "a-person", "leaseDurationSeconds": 15})
        await settle()
        assert leader.changes == [(0.0, True), (1.0, False)]
        assert not leader.permitted()
        await clock.advance(14.9)
        assert len(leader.changes) == 2
        await clock.advance(0.2)
        assert leader.changes[-1] == (16.0, True)


async def test_a_deleted_lease_is_made_again_by_its_holder_and_not_snatched_by_another(
    clock: FakeClock, server: LeaseServer
) -> None:
    async with Candidate("a", server).runs() as leader, Candidate("b", server).runs() as standby:
        await clock.advance(5.0)
        server.delete("aiop-manager")
        await clock.advance(30.0)
        assert standby.changes == []
        assert leader.permitted()
        assert server.leases["aiop-manager"]["spec"]["holderIdentity"] == "a"


async def test_a_release_lets_the_next_one_lead_at_once(clock: FakeClock, server: LeaseServer) -> None:
    leader, standby = Candidate("a", server), Candidate("b", server)
    term = leader.runs(release=True)
    await term.__aenter__()
    async with standby.runs():
        await clock.advance(4.5)
        await term.__aexit__(None, None, None)
        await settle()
        assert standby.changes == [(4.5, True)]


async def test_a_clean_stop_frees_the_lease(clock: FakeClock, server: LeaseServer) -> None:
    async with Candidate("a", server).runs(release=True):
        await clock.advance(3.0)
    spec = server.leases["aiop-manager"]["spec"]
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("", 1, 0)


async def test_an_unclean_stop_leaves_the_lease_to_run_out(clock: FakeClock, server: LeaseServer) -> None:
    candidate = Candidate("a", server)
    async with candidate.runs(release=False):
        await clock.advance(3.0)
    assert server.leases["aiop-manager"]["spec"]["holderIdentity"] == "a"
    assert not candidate.permitted()


async def test_a_release_that_meets_a_renewal_of_our_own_is_tried_again(clock: FakeClock, server: LeaseServer) -> None:
    candidate = Candidate("a", server)
    async with candidate.runs(release=True):
        candidate.transport.mute = candidate.transport.deaf = True
        await clock.advance(2.5)
        candidate.transport.mute = False
    assert server.leases["aiop-manager"]["spec"]["holderIdentity"] == ""


async def test_a_release_takes_nobody_elses_lease(clock: FakeClock, server: LeaseServer) -> None:
    candidate = Candidate("a", server)
    async with candidate.runs(release=True):
        candidate.transport.deaf = True
        server.put("aiop-manager", {"holderIdentity": "b", "leaseDurationSeconds": 15})
        await settle()
    assert server.leases["aiop-manager"]["spec"]["holderIdentity"] == "b"


async def test_a_release_that_hangs_holds_up_the_stop_for_a_bounded_time(clock: FakeClock, server: LeaseServer) -> None:
    candidate = Candidate("a", server)
    async with candidate.runs():
        candidate.transport.hung = True
        letting_go = asyncio.create_task(candidate.driver.let_go(release=True))
        await clock.advance(10.0)
        assert letting_go.done()


async def test_an_api_server_that_is_away_is_asked_with_pauses_and_led_again_when_back(
    clock: FakeClock, server: LeaseServer
) -> None:
    async with Candidate("a", server).runs() as leader:
        leader.transport.down = True
        server.end_watches()
        leader.transport.requests.clear()
        await clock.advance(30.0)
        assert leader.changes == [(0.0, True), (10.0, False)]
        assert len(leader.transport.requests) <= 2 * 30 / 2 + 2
        leader.transport.down = False
        await clock.advance(2.5)
        assert leader.changes[-1][1] is True


async def test_watches_that_end_at_once_do_not_spin(clock: FakeClock, server: LeaseServer) -> None:
    async with Candidate("a", server).runs(), Candidate("b", server).runs() as standby:
        standby.transport.requests.clear()
        for _ in range(100):
            server.end_watches()
            await clock.advance(0.1)
        assert standby.transport.requests.count("WATCH") <= 6
