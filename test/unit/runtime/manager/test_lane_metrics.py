"""The write lane's metrics, as they are scraped."""

import asyncio

from aiop.runtime.client.concurrency import AdaptiveLimit
from aiop.runtime.client.lane import WriteLane
from aiop.runtime.manager.metrics import Metrics
from support.clock import FakeClock, settle

NAMES = ("in_flight", "limit", "waiting")


async def test_the_lane_shows_what_is_under_way_what_may_be_and_what_waits_for_how_long() -> None:
    clock, metrics = FakeClock(), Metrics()
    lane = WriteLane(clock, limit=AdaptiveLimit(start=2, most=2), metrics=metrics.write_lane)

    async def write() -> None:
        async with lane.slot():
            await clock.sleep(3.0)

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(write())
        await settle()
        values = {name: metrics.registry.get_sample_value(f"write_lane_{name}") for name in NAMES}
        assert values == {"in_flight": 2, "limit": 2, "waiting": 1}
        await clock.advance(6.0)
    assert metrics.registry.get_sample_value("write_lane_in_flight") == 0
    assert metrics.registry.get_sample_value("write_lane_wait_seconds_count") == 3
    assert metrics.registry.get_sample_value("write_lane_wait_seconds_sum") == 3.0
