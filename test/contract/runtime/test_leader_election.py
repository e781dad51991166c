"""The contract's promises on the lease: who may hold it, until when, and what it costs to know."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.runtime.leaderelection.elector import Elector, LeaseTimes, Wait, Write
from aiop.runtime.leaderelection.record import LeaseRecord
from support.candidate import Candidate, JumpingClock
from support.clock import FakeClock
from support.electionworld import World
from support.electors import FOREIGN, TIMES, decide, leader
from support.leaseserver import LeaseServer


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(clock: FakeClock) -> LeaseServer:
    return LeaseServer(clock)


@pytest.mark.promise(85)
@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_only_one_of_many_leads_whatever_is_delayed_lost_or_stopped(seed: int) -> None:
    world = World(seed, harsh=True)
    world.run(600.0)
    assert world.terms, "nobody ever led"


@pytest.mark.promise(85)
@given(st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_on_a_quiet_network_the_first_leader_stays(seed: int) -> None:
    world = World(seed, harsh=False)
    world.run(600.0)
    assert len(world.terms) == 1


@pytest.mark.promise(86)
@given(st.integers(0, 2**32), st.floats(20.0, 100.0))
@settings(max_examples=50, deadline=None)
def test_a_stopped_leader_is_followed_after_its_duration_of_silence_and_not_before(seed: int, moment: float) -> None:
    world = World(seed, harsh=False)
    world.run(moment)
    ((_, first),) = world.terms
    leader = next(each for each in world.candidates if each.elector.identity == first)
    leader.paused_until = 1e9
    world.run(moment + 60.0)
    taken_at, second = world.terms[1]
    assert second != first
    silence = taken_at - world.written_at[first]
    assert TIMES.duration <= silence < TIMES.duration + 0.5


@pytest.mark.promise(86)
@given(st.integers(0, 2**32), st.floats(20.0, 100.0), st.floats(0.0, 30.0))
@settings(max_examples=50, deadline=None)
def test_a_leader_that_is_killed_is_followed_by_who_starts_in_its_pod_or_by_another_once_its_duration_has_passed(
    seed: int, moment: float, away: float
) -> None:
    world = World(seed, harsh=False)
    world.run(moment)
    ((_, first),) = world.terms
    killed_at = world.now
    heir = world.kill(next(each for each in world.candidates if each.elector.identity == first), away)
    world.run(moment + 60.0)
    taken_at, second = world.terms[1]
    # A renewal that was under way may arrive once the heir has looked, who then waits as everybody does.
    if world.written_at[first] <= killed_at and away < TIMES.duration - 3 * TIMES.retry - 1.0:
        assert second == heir.elector.identity
        assert 2 * TIMES.retry <= taken_at - killed_at - away < 2 * TIMES.retry + 0.5
    assert taken_at - world.written_at[first] < TIMES.duration + 0.5
    assert len(world.terms) == 2


@pytest.mark.promise("S29")
@given(st.integers(0, 2**32), st.floats(20.0, 100.0))
@settings(max_examples=50, deadline=None)
def test_a_released_lease_is_taken_at_once(seed: int, moment: float) -> None:
    world = World(seed, harsh=False)
    world.run(moment)
    ((_, first),) = world.terms
    next(each for each in world.candidates if each.elector.identity == first).release()
    world.run(moment + 30.0)
    taken_at = world.terms[1][0] if len(world.terms) > 1 else pytest.fail("nobody followed")
    # A renewal that was under way may make the release fail; then it ends by itself.
    assert taken_at - moment < 0.5 or not world.released


@pytest.mark.promise(86, "S29")
async def test_a_standby_only_watches_and_takes_over_a_duration_after_the_last_renewal(
    clock: FakeClock, server: LeaseServer
) -> None:
    async with Candidate("a", server).runs() as leading, Candidate("b", server).runs() as standby:
        await clock.advance(7.0)
        assert standby.transport.requests == ["GET leases", "WATCH"]
        leading.transport.down = True
        await clock.advance(9.0 - 0.001)
        assert leading.permitted()
        await clock.advance(4.999)
        assert standby.changes == []
        assert not leading.permitted()
        await clock.advance(0.1)
        last_renewal = max(moment for moment, holder in server.holders if holder == "a")
        assert last_renewal == 6.0
        assert standby.changes == [(21.0, True)]
        assert server.leases["aiop-manager"]["spec"]["leaseTransitions"] == 1
        assert leading.changes == [(0.0, True), (16.0, False)]


@pytest.mark.promise(86, "S29")
def test_silence_is_counted_from_the_last_change_and_not_from_the_last_look() -> None:
    elector = Elector("me", TIMES)
    elector.observe(FOREIGN, 100.0)
    elector.observe(FOREIGN, 110.0)
    assert decide(elector, 110.0) == Wait(115.0)
    elector.observe(msgspec.structs.replace(FOREIGN, renewed="t2", version="101"), 112.0)
    assert decide(elector, 112.0) == Wait(127.0)


@pytest.mark.promise(87, "S29")
async def test_a_leader_renews_by_one_put_each_two_seconds_and_reads_nothing(
    clock: FakeClock, server: LeaseServer
) -> None:
    async with Candidate("a", server).runs() as leading:
        leading.transport.requests.clear()
        await clock.advance(60.0)
        assert leading.transport.requests == ["PUT aiop-manager"] * 30
        assert leading.permitted()
        assert server.leases["aiop-manager"]["spec"]["leaseTransitions"] == 0


@pytest.mark.promise(87)
async def test_a_lost_answer_is_found_out_by_reading_once(clock: FakeClock, server: LeaseServer) -> None:
    async with Candidate("a", server).runs() as leading:
        leading.transport.mute = leading.transport.deaf = True
        await clock.advance(3.0)
        leading.transport.mute = False
        leading.transport.requests.clear()
        await clock.advance(7.0)
        assert leading.transport.requests[:3] == ["PUT aiop-manager", "GET aiop-manager", "PUT aiop-manager"]
        assert leading.changes == [(0.0, True)]


@pytest.mark.promise(88)
async def test_a_hung_write_ends_the_leadership_at_the_deadline_and_not_later(
    clock: FakeClock, server: LeaseServer
) -> None:
    async with Candidate("a", server).runs() as leading:
        leading.transport.hung = True
        await clock.advance(9.999)
        assert leading.permitted()
        await clock.advance(0.001)
        assert not leading.permitted()
        assert leading.changes == [(0.0, True), (10.0, False)]
        assert leading.transport.requests.count("PUT aiop-manager") >= 2, "a hung write left no time for another"


@pytest.mark.promise(88, "S29")
def test_a_write_leaves_time_for_a_second_try_and_never_outlives_the_lease() -> None:
    elector = leader()
    assert elector.write_limit(2.0) == 5.0
    assert elector.write_limit(8.0) == 2.0
    elector.stepped_down()
    assert elector.write_limit(8.0) == 5.0


@pytest.mark.promise("S29")
async def test_a_clean_stop_frees_the_lease(clock: FakeClock, server: LeaseServer) -> None:
    async with Candidate("a", server).runs(release=True):
        await clock.advance(3.0)
    spec = server.leases["aiop-manager"]["spec"]
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("", 1, 0)


@pytest.mark.promise("S29")
def test_a_release_says_so_for_a_second_and_only_a_holder_releases() -> None:
    elector = leader()
    assert elector.release("now") == Write(LeaseRecord("", 1.0, "now", "now", 0, "200"), create=False)
    elector.stepped_down()
    assert elector.release("now") is None


@pytest.mark.promise(90)
async def test_a_release_that_meets_a_renewal_of_our_own_is_tried_again(clock: FakeClock, server: LeaseServer) -> None:
    candidate = Candidate("a", server)
    async with candidate.runs(release=True):
        candidate.transport.mute = candidate.transport.deaf = True
        await clock.advance(2.5)
        candidate.transport.mute = False
    assert server.leases["aiop-manager"]["spec"]["holderIdentity"] == ""


@pytest.mark.promise(91)
async def test_a_wall_clock_that_jumps_an_hour_changes_nothing() -> None:
    clock = JumpingClock()
    server = LeaseServer(clock)
    async with Candidate("a", server).runs() as leading, Candidate("b", server).runs() as standby:
        await clock.advance(120.0)
        assert leading.changes == [(0.0, True)]
        assert standby.changes == []


@pytest.mark.promise(91)
@pytest.mark.parametrize("renewed", ["1970-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z", "", "nonsense"])
def test_what_a_holders_wall_clock_says_means_nothing(renewed: str) -> None:
    elector = Elector("me", TIMES)
    elector.observe(msgspec.structs.replace(FOREIGN, renewed=renewed, acquired=renewed), 0.0)
    assert decide(elector, 14.9) == Wait(15.0)
    assert isinstance(decide(elector, 15.0), Write)


@pytest.mark.promise("S29")
@pytest.mark.parametrize(("duration", "deadline", "retry"), [(10.0, 10.0, 2.0), (15.0, 2.4, 2.0), (15.0, 20.0, 2.0)])
def test_times_that_leave_no_room_are_refused_by_name(duration: float, deadline: float, retry: float) -> None:
    with pytest.raises(ValueError, match=f"duration {duration} must exceed renew deadline {deadline}"):
        LeaseTimes(duration, deadline, retry)
