"""Many servers: a lot at a time, so that no worker is held for long."""

from aiop.controllers.serving.errors import ChildRefused
from aiop.controllers.serving.resize.execution import ResizeOutcome
from aiop.controllers.serving.resize.plan import LOT
from support.resizeworld import ResizeWorld


def large_world(servers: int) -> ResizeWorld:
    world = ResizeWorld(ready_at_once=servers)
    world.change(replicas=servers)
    world.settle()
    return world


def test_a_thousand_servers_are_asked_a_lot_at_a_time() -> None:
    world = large_world(1000)
    world.change_amounts("3")
    for lot in range(1, 1000 // LOT + 1):
        plan = world.reconcile()
        assert world.resizes == lot * LOT
        assert plan.resize is not None
        assert plan.resize.more == (world.resizes < 1000)
    world.settle()
    assert world.amounts() == [("3", "4Gi")] * 1000
    assert (world.resizes, world.replaced) == (1000, 0)


def test_servers_that_get_less_come_first_since_a_full_quota_may_have_room_then() -> None:
    world = large_world(LOT + 5)
    world.change_amounts("3")
    world.reconcile()  # some have 3, some 2
    world.change_amounts("2500m")
    world.quota = True
    world.reconcile()
    assert {each.limits.cpu for each in world.asked.values()} == {"2500m", "2"}


def test_the_next_lot_follows_at_once_unless_nothing_could_be_written() -> None:
    soon = ResizeOutcome(more=True, wrote=True).look_again
    assert soon is not None
    assert 0 < soon < 1, "nothing at all would back off further with each lot"
    assert ResizeOutcome(more=False, wrote=True).look_again is None
    assert ResizeOutcome(more=True, wrote=True, refusal=ChildRefused("QuotaExceeded", "")).look_again is None
    overtaken = ResizeOutcome(more=True, overtaken=True).look_again
    assert overtaken is not None
    assert overtaken >= 1, "what was overtaken tells by its watch"
