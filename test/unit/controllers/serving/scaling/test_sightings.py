"""When a metric is put in, when it is taken out, and how seldom anything changes."""

from hypothesis import given
from hypothesis import strategies as st

from aiop.controllers.serving.scaling.served import NOT_LOOKED, Served, Sight
from aiop.controllers.serving.scaling.sightings import PATIENCE, Sightings

UID, METRIC = "uid", "gpu_busy"
BAD = [sight for sight in Sight if sight not in {Sight.SERVED, Sight.UNKNOWN}]


def after(*sights: Sight) -> Served:
    sightings = Sightings()
    for sight in sights:
        sightings.see(UID, METRIC, sight)
    return sightings.of(UID)


def test_what_nobody_has_looked_at_is_not_known() -> None:
    assert Sightings().of(UID) == NOT_LOOKED
    assert not Sightings().knows(UID, METRIC)


def test_one_good_look_is_enough() -> None:
    assert after(Sight.SERVED) == Served(True, Sight.SERVED, METRIC)
    assert after(*[Sight.NO_SAMPLE] * 9, Sight.SERVED).served is True


def test_a_hiccup_changes_nothing_and_an_absence_does_after_four_looks() -> None:
    for misses in range(PATIENCE):
        assert after(Sight.SERVED, *[Sight.UNREADABLE] * misses).served is True
    assert after(Sight.SERVED, *[Sight.UNREADABLE] * PATIENCE) == Served(False, Sight.UNREADABLE, METRIC)
    assert after(Sight.SERVED, *[Sight.UNREADABLE] * 3, Sight.SERVED, *[Sight.UNREADABLE] * 3).served is True


def test_what_was_never_seen_is_undecided_first_so_that_a_new_leader_takes_nothing_out() -> None:
    assert after(Sight.NO_API) == Served(None, Sight.NO_API, METRIC)
    assert after(*[Sight.NO_API] * (PATIENCE - 1)).served is None
    assert after(*[Sight.NO_API] * PATIENCE).served is False


def test_a_cause_is_told_at_once_and_another_only_when_it_lasts() -> None:
    first = [Sight.NO_API] * PATIENCE
    assert after(*first, Sight.UNREADABLE).sight is Sight.NO_API
    assert after(*first, *[Sight.UNREADABLE] * PATIENCE).sight is Sight.UNREADABLE
    assert after(*first, *[Sight.UNREADABLE, Sight.NO_API] * 20).sight is Sight.NO_API


def test_what_was_seen_of_one_metric_says_nothing_of_another() -> None:
    sightings = Sightings()
    sightings.see(UID, METRIC, Sight.SERVED)
    assert not sightings.knows(UID, "slice_busy")
    sightings.see(UID, "slice_busy", Sight.NO_SAMPLE)
    assert sightings.of(UID) == Served(None, Sight.NO_SAMPLE, "slice_busy")


def test_a_workload_that_is_gone_is_forgotten() -> None:
    sightings = Sightings()
    sightings.see(UID, METRIC, Sight.SERVED)
    sightings.see("other", METRIC, Sight.SERVED)
    sightings.keep({"other"})
    assert sightings.of(UID) == NOT_LOOKED
    assert sightings.of("other").served is True


@given(st.lists(st.sampled_from([Sight.SERVED, *BAD]), max_size=60))
def test_in_any_history_it_is_taken_out_only_after_as_many_bad_looks_in_a_row_and_each_change_is_told(
    history: list[Sight],
) -> None:
    sightings, run = Sightings(), 0
    for sight in history:
        before = sightings.of(UID)
        told = sightings.see(UID, METRIC, sight)
        now = sightings.of(UID)
        run = 0 if sight is Sight.SERVED else run + 1
        assert told == (now != before) or before == NOT_LOOKED
        assert (now.served is False) == (run >= PATIENCE)
        assert (now.served is True) >= (sight is Sight.SERVED)
        assert (now.sight is Sight.SERVED) == (now.served is True)
