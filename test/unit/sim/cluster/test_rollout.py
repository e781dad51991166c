"""Sizes of ReplicaSets: the promises of maxSurge and maxUnavailable, whatever the numbers."""

from hypothesis import given
from hypothesis import strategies as st

from aiop.sim.cluster import rollout
from support.simulated import Object


def deployment(replicas: int, surge: int | str = "25%", unavailable: int | str = "25%") -> Object:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}


def replica_set(name: str, size: int, available: int, most: int | None = None) -> Object:
    notes = {} if most is None else {rollout.MAXIMUM: str(most)}
    return {
        "metadata": {"name": name, "creationTimestamp": name, "annotations": notes},
        "spec": {"replicas": size},
        "status": {"replicas": size, "availableReplicas": available},
    }


def test_surge_rounds_up_and_unavailability_down() -> None:
    assert rollout.bounds_of(deployment(5)) == rollout.Bounds(2, 1)


def test_a_rollout_can_always_move() -> None:
    assert rollout.bounds_of(deployment(1, "0%", "25%")) == rollout.Bounds(0, 1)
    assert rollout.bounds_of(deployment(3, 0, 0)) == rollout.Bounds(0, 1)


def test_unhealthy_pods_of_old_sets_go_first() -> None:
    old, sick = replica_set("a", 3, 3), replica_set("b", 2, 0)
    sizes = rollout.old_sizes(deployment(4, 1, 1), replica_set("new", 0, 0), [old, sick])
    assert sizes == {"a": 3, "b": 0}


sizes = st.integers(0, 12)
bounds = st.one_of(st.integers(0, 5), st.integers(0, 100).map(lambda share: f"{share}%"))


@given(
    st.integers(1, 12),
    bounds,
    bounds,
    st.lists(st.tuples(sizes, sizes), min_size=1, max_size=4),
    st.tuples(sizes, sizes),
)
def test_no_step_makes_too_many_pods_or_takes_available_ones_that_are_needed(
    replicas: int, surge: int | str, unavailable: int | str, olds: list[tuple[int, int]], new: tuple[int, int]
) -> None:
    wanted = deployment(replicas, surge, unavailable)
    limit = rollout.bounds_of(wanted)
    old_sets = [replica_set(f"old-{n}", size, min(size, there)) for n, (size, there) in enumerate(olds)]
    new_set = replica_set("new", min(new[0], replicas), min(new[0], new[1], replicas))
    everyone = [new_set, *old_sets]
    before = sum(map(rollout.replicas_of, everyone))
    grown = rollout.new_size(wanted, new_set, everyone)
    assert grown <= replicas
    assert before - rollout.replicas_of(new_set) + grown <= max(before, replicas + limit.surge)
    after = rollout.old_sizes(wanted, new_set, old_sets)
    assert all(0 <= after[each["metadata"]["name"]] <= rollout.replicas_of(each) for each in old_sets)
    # An unhealthy pod costs nothing; of a shrunk set at worst the available ones beyond its new size are lost.
    available = sum(rollout.count(each, "availableReplicas") for each in everyone)
    kept = rollout.count(new_set, "availableReplicas") + sum(
        min(after[each["metadata"]["name"]], rollout.count(each, "availableReplicas")) for each in old_sets
    )
    assert kept >= min(available, replicas - limit.unavailable)


@given(st.integers(0, 20), st.lists(st.integers(1, 10), min_size=2, max_size=4))
def test_scaling_in_the_middle_of_a_rollout_shares_out_exactly_what_is_allowed(
    replicas: int, before: list[int]
) -> None:
    sets = [replica_set(f"rs-{n}", size, size, most=sum(before)) for n, size in enumerate(before)]
    wanted = deployment(replicas, 0, 1)
    shared = rollout.proportional(wanted, sets)
    assert sum(shared.values()) == replicas
    assert min(shared.values()) >= 0
