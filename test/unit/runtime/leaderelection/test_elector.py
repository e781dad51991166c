import math

import msgspec
import pytest

from aiop.runtime.leaderelection.elector import Elector, StepDown, Wait, Write
from aiop.runtime.leaderelection.record import LeaseRecord
from support.electors import FOREIGN, TIMES, decide, leader, write


def test_a_candidate_that_knows_nothing_yet_waits() -> None:
    assert decide(Elector("me", TIMES), 5.0) == Wait(7.0)


def test_a_lease_that_nobody_made_is_created() -> None:
    elector = Elector("me", TIMES)
    elector.observe(None, 0.0)
    assert decide(elector, 3.0) == Write(LeaseRecord("me", 15.0, "stamp-3", "stamp-3", 0), create=True)


def test_a_released_lease_is_taken_at_once_and_the_transition_is_counted() -> None:
    elector = Elector("me", TIMES)
    elector.observe(LeaseRecord("", 1.0, "t0", "t1", 4, "100", "u1"), 0.0)
    assert decide(elector, 0.0) == Write(LeaseRecord("me", 15.0, "stamp-0", "stamp-0", 5, "100"), create=False)


def test_anothers_lease_is_left_until_its_whole_duration_has_passed_in_silence() -> None:
    elector = Elector("me", TIMES)
    elector.observe(FOREIGN, 100.0)
    assert decide(elector, 100.0) == Wait(115.0)
    assert decide(elector, 114.999) == Wait(115.0)
    assert decide(elector, 115.0) == Write(LeaseRecord("me", 15.0, "stamp-115", "stamp-115", 5, "100"), create=False)


EARLIER = msgspec.structs.replace(FOREIGN, holder="aiop-1_uid_first")


def restarted(record: LeaseRecord, pod: str = "aiop-1_uid_") -> Elector:
    elector = Elector(f"{pod or 'aiop-1_'}second", TIMES, pod=pod)
    elector.observe(record, 100.0)
    return elector


def test_what_an_earlier_process_of_the_pod_left_behind_is_taken_once_two_renewals_are_missing() -> None:
    elector = restarted(EARLIER)
    assert decide(elector, 100.0) == Wait(104.0)
    elector.observe(EARLIER, 103.0)
    assert decide(elector, 104.0) == Write(
        LeaseRecord("aiop-1_uid_second", 15.0, "stamp-104", "stamp-104", 5, "100"), create=False
    )


def test_a_process_of_the_same_pod_that_still_renews_is_alive_and_keeps_its_lease() -> None:
    elector = restarted(EARLIER)
    elector.observe(msgspec.structs.replace(EARLIER, renewed="t2", version="101"), 103.9)
    assert decide(elector, 104.0) == Wait(118.9)


def test_a_process_that_takes_the_lease_later_in_the_same_pod_is_nobodys_earlier_one() -> None:
    elector = restarted(FOREIGN)
    elector.observe(msgspec.structs.replace(EARLIER, version="101"), 101.0)
    assert decide(elector, 105.0) == Wait(116.0)


def test_a_lease_left_behind_for_less_than_two_renewals_is_free_when_it_ends() -> None:
    assert decide(restarted(msgspec.structs.replace(EARLIER, duration=1.0)), 100.0) == Wait(101.0)


@pytest.mark.parametrize("holder", ["aiop-1_other_first", "aiop-12_uid_first", "aiop-1"])
def test_anothers_lease_is_not_taken_for_that_of_the_own_pod(holder: str) -> None:
    elector = restarted(msgspec.structs.replace(EARLIER, holder=holder))
    assert decide(elector, 105.0) == Wait(115.0)


def test_who_does_not_know_its_pod_waits_for_its_earlier_process_as_for_anybody() -> None:
    assert decide(restarted(EARLIER, pod=""), 105.0) == Wait(115.0)


def test_a_holder_that_promised_a_longer_duration_gets_it() -> None:
    elector = Elector("me", TIMES)
    elector.observe(msgspec.structs.replace(FOREIGN, duration=60.0), 0.0)
    assert decide(elector, 15.0) == Wait(60.0)


def test_a_record_without_a_duration_is_no_free_lease() -> None:
    elector = Elector("me", TIMES)
    elector.observe(msgspec.structs.replace(FOREIGN, duration=0.0), 0.0)
    assert decide(elector, 0.0) == Wait(15.0)


def test_a_lease_deleted_by_hand_is_not_free_before_its_holders_time_is_up() -> None:
    elector = Elector("me", TIMES)
    elector.observe(FOREIGN, 0.0)
    elector.observe(None, 4.0, version="101")
    assert decide(elector, 4.0) == Wait(15.0)
    elector.observe(None, 6.0, version="102")
    action = decide(elector, 15.0)
    assert isinstance(action, Write)
    assert action.create


def test_leadership_counts_from_before_the_write_was_sent() -> None:
    elector = Elector("me", TIMES)
    elector.observe(None, 0.0)
    write(elector, 1.0, took=3.0)
    assert elector.leading
    assert elector.valid_until == 11.0
    assert decide(elector, 4.0) != Wait(4.0)


def test_a_leader_renews_by_one_write_each_retry_period() -> None:
    elector = leader()
    assert decide(elector, 0.0) == Wait(2.0)
    assert decide(elector, 1.9) == Wait(2.0)
    assert decide(elector, 2.0) == Write(LeaseRecord("me", 15.0, "stamp-0", "stamp-2", 0, "200"), create=False)


def test_a_leader_whose_writes_fail_tries_again_and_steps_down_at_the_deadline() -> None:
    elector = leader()
    elector.failed(2.0, 0.5)
    assert decide(elector, 2.0) == Wait(4.2)
    elector.failed(9.0, 1.0)
    assert decide(elector, 9.0) == Wait(10.0)
    assert decide(elector, 10.0) == StepDown()


def test_a_leader_that_sees_another_in_its_place_steps_down_at_once() -> None:
    elector = leader()
    elector.observe(msgspec.structs.replace(FOREIGN, version="201"), 1.0)
    assert decide(elector, 1.0) == StepDown()
    elector.stepped_down()
    assert not elector.leading
    assert elector.valid_until == -math.inf
    assert decide(elector, 1.0) == Wait(16.0)


def test_a_leader_whose_lease_was_deleted_steps_down_and_may_take_it_again() -> None:
    elector = leader()
    elector.observe(None, 1.0, version="201")
    assert decide(elector, 1.0) == StepDown()
    elector.stepped_down()
    action = decide(elector, 2.0)
    assert isinstance(action, Write)
    assert action.create


def test_a_watch_that_lags_behind_our_own_writes_is_old_news() -> None:
    elector = leader()
    first = write(elector, 2.0)
    write(elector, 4.0)
    elector.observe(first, 4.1)
    elector.observe(msgspec.structs.replace(FOREIGN, version="150"), 4.2)
    elector.observe(None, 4.3, version="199")
    assert decide(elector, 4.3) == Wait(6.0)
    write(elector, 6.0)


def test_a_stuck_operator_is_not_renewed_and_loses_its_lease() -> None:
    elector = leader()
    assert decide(elector, 3.0, heartbeat_age=5.1) == Wait(5.0)
    assert decide(elector, 9.0, heartbeat_age=11.0) == Wait(10.0)
    assert decide(elector, 10.0, heartbeat_age=12.0) == StepDown()


def test_a_stuck_operator_does_not_take_a_lease_either() -> None:
    elector = Elector("me", TIMES)
    elector.observe(None, 0.0)
    assert decide(elector, 0.0, heartbeat_age=5.1) == Wait(2.0)
    assert isinstance(decide(elector, 2.0, heartbeat_age=5.0), Write)


def test_a_lease_that_is_still_ours_is_taken_again_without_a_transition() -> None:
    elector = leader()
    elector.observe(LeaseRecord("me", 15.0, "t0", "t1", 7, "300", "u1"), 1.0)
    elector.stepped_down()
    action = decide(elector, 20.0)
    assert isinstance(action, Write)
    assert (action.record.transitions, action.record.version) == (7, "300")
