"""Rates from two weighings."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.metrics.podmetrics import ContainerUse
from aiop.sim.metrics.scraper import Scraper
from aiop.sim.processes.errors import PodNotFound
from aiop.sim.processes.podaccess import PodAccess, RunningPod, Usage
from support.clock import FakeClock

KEY = ObjectKey("team", "a")


class Scales:
    def __init__(self) -> None:
        self.uid = "1"
        self.use: dict[str, Usage] | None = {"main": Usage(1.0, 100)}
        self.containers: tuple[str, ...] = ("main",)

    def running(self) -> Sequence[RunningPod]:
        return [RunningPod(KEY, self.uid, "node", "127.0.0.1", self.containers)]

    async def usage(self, pod: ObjectKey) -> Mapping[str, Usage]:
        if self.use is None:
            raise PodNotFound
        return self.use


def scraper(scales: Any, clock: FakeClock) -> Scraper:
    return Scraper(cast("PodAccess", scales), clock)


async def test_a_pod_is_told_of_after_its_second_weighing() -> None:
    scales, clock = Scales(), FakeClock()
    scraped = scraper(scales, clock)
    await scraped.weigh()
    assert scraped.everything() == []
    await clock.advance(10)
    scales.use = {"main": Usage(3.5, 200)}
    await scraped.weigh()
    [found] = scraped.everything()
    assert found == scraped.of(KEY)
    assert found.containers == {"main": ContainerUse(250_000_000, 200)}
    assert (found.window_seconds, found.taken_at, found.node) == (10, clock.now(), "node")


async def test_a_restarted_container_another_pod_and_one_that_is_not_weighed_start_anew() -> None:
    scales, clock = Scales(), FakeClock()
    scraped = scraper(scales, clock)
    for use, uid, containers in (
        ({"main": Usage(0.5, 100)}, "1", ("main",)),
        ({"main": Usage(9.0, 100)}, "2", ("main",)),
        ({"main": Usage(6.9, 100)}, "2", ("main", "second")),
        ({"main": Usage(7.9, 100), "second": Usage(0.1, 1)}, "2", ("main", "second")),
        (None, "2", ("main",)),
    ):
        await scraped.weigh()
        await clock.advance(10)
        scales.use, scales.uid, scales.containers = use, uid, containers
        await scraped.weigh()
        assert scraped.of(KEY) is None, (use, uid)
        scales.use = {"main": Usage(5.0, 100)} if use else None


async def test_it_weighs_at_its_pace() -> None:
    scales, clock = Scales(), FakeClock()
    scraped = scraper(scales, clock)
    task = asyncio.create_task(scraped.run())
    await clock.advance(14)
    assert scraped.of(KEY) is None
    await clock.advance(2)
    assert scraped.of(KEY) is not None
    task.cancel()
