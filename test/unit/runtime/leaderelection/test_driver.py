import asyncio

import pytest

from support.candidate import CHILD, Candidate
from support.clock import FakeClock, settle
from support.leaseserver import LeaseServer


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


async def test_a_leader_whose_first_try_hangs_is_saved_by_the_second(clock: FakeClock, server: LeaseServer) -> None:
    async with Candidate("a", server).runs() as leader:
        leader.transport.hung = True
        await clock.advance(5.0)
        leader.transport.hung = False
        await clock.advance(20.0)
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


async def test_an_unclean_stop_leaves_the_lease_to_run_out(clock: FakeClock, server: LeaseServer) -> None:
    candidate = Candidate("a", server)
    async with candidate.runs(release=False):
        await clock.advance(3.0)
    assert server.leases["aiop-manager"]["spec"]["holderIdentity"] == "a"
    assert not candidate.permitted()


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
