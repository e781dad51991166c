"""The watcher of the GPU metric: what it asks, when, and whom it wakes."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest

from aiop.controllers.serving.errors import MetricsUnreadable
from aiop.controllers.serving.scaling.custommetrics import CustomMetrics, Values
from aiop.controllers.serving.scaling.served import Served, Sight
from aiop.controllers.serving.scaling.sightings import PATIENCE, Sightings
from aiop.controllers.serving.scaling.watcher import GpuMetricWatcher, Wanted
from aiop.runtime.client.resource import ObjectKey
from support.clock import FakeClock, settle

GPU, SLICE = "gpu_busy", "slice_busy"
SECONDS = 30.0
LOOK = 1.2 * SECONDS


@dataclass
class Adapter:
    """Pods with values by namespace and metric; ``broken`` is what is seen instead."""

    clock: FakeClock
    values_of: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    blanks: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    broken: Sight | None = None
    broken_places: set[str] = field(default_factory=set)
    hanging: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def version(self) -> str:
        self.asked.append("version")
        if self.broken is not None:
            raise MetricsUnreadable(self.broken)
        return "v1beta1"

    async def lists(self, version: str, metric: str) -> bool:
        self.asked.append(f"list {metric}")
        if "list" in self.broken_places:
            raise MetricsUnreadable(Sight.UNREADABLE)
        return metric in self.listed

    async def values(self, version: str, namespace: str, metric: str) -> Values:
        self.asked.append(f"{namespace} {metric}")
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.clock.sleep(10.0 if namespace in self.hanging else 0.0)
        self.at_once -= 1
        if namespace in self.broken_places | self.hanging:
            raise MetricsUnreadable(Sight.UNREADABLE)
        found = self.values_of.get((namespace, metric), set())
        return Values(frozenset(found - self.blanks), frozenset(found & self.blanks))


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.adapter = Adapter(self.clock)
        self.sightings = Sightings()
        self.wanted: list[Wanted] = []
        self.woken: list[str] = []
        self.watcher = GpuMetricWatcher(
            cast("CustomMetrics", self.adapter),
            self.sightings,
            wanted=lambda: self.wanted,
            pods=lambda key: [f"{key.name}-0", f"{key.name}-1"],
            wake=lambda key: self.woken.append(key.name),
            clock=self.clock,
            random=random.Random(1),
            seconds=SECONDS,
        )

    def want(self, name: str, namespace: str = "team", metric: str = GPU) -> None:
        self.wanted.append(Wanted(name, ObjectKey(namespace, name), metric))

    def serve(self, name: str, namespace: str = "team", metric: str = GPU) -> None:
        self.adapter.listed.add(metric)
        self.adapter.values_of.setdefault((namespace, metric), set()).add(f"{name}-0")

    async def looks(self, number: int = 1) -> None:
        for _ in range(number):
            await self.clock.advance(LOOK)


@asynccontextmanager
async def watching(bench: Bench) -> AsyncIterator[Bench]:
    task = asyncio.create_task(bench.watcher.run())
    await settle()
    try:
        yield bench
    finally:
        assert not task.done(), "the watcher ended by itself"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_nothing_is_asked_while_no_workload_has_a_gpu_target(bench: Bench) -> None:
    async with watching(bench):
        await bench.clock.advance(3600)
        assert bench.adapter.asked == []
        bench.want("one")
        bench.watcher.call()
        await bench.looks()
        assert bench.adapter.asked
        bench.wanted.clear()
        await bench.looks(2)
        bench.adapter.asked.clear()
        await bench.clock.advance(3600)
        assert bench.adapter.asked == []
        assert bench.sightings.of("one") == Served()


async def test_a_metric_with_a_value_for_one_pod_is_served_and_its_workload_woken_once(bench: Bench) -> None:
    bench.want("one")
    bench.serve("one")
    async with watching(bench):
        await bench.looks(10)
        assert bench.sightings.of("one") == Served(True, Sight.SERVED, GPU)
        assert bench.woken == ["one"]


async def test_a_namespace_is_asked_for_once_however_many_workloads_it_has(bench: Bench) -> None:
    for name in ("one", "two", "three"):
        bench.want(name)
        bench.serve(name)
    bench.want("four", namespace="other")
    bench.serve("four", namespace="other")
    bench.want("five", metric=SLICE)
    bench.serve("five", metric=SLICE)
    async with watching(bench):
        assert sorted(bench.adapter.asked) == sorted(["version", f"team {GPU}", f"other {GPU}", f"team {SLICE}"])


async def test_looks_are_as_far_apart_as_was_asked_and_up_to_a_fifth_more(bench: Bench) -> None:
    bench.want("one")
    bench.serve("one")
    async with watching(bench):
        await bench.clock.advance(SECONDS * 100)
        assert 84 <= bench.adapter.asked.count("version") <= 101


async def test_each_cause_is_told_from_the_others(bench: Bench) -> None:
    bench.want("one")
    async with watching(bench):
        assert bench.sightings.of("one").sight is Sight.NO_METRIC
    bench.adapter.listed.add(GPU)
    async with watching(bench):
        assert bench.sightings.of("one").sight is Sight.NO_SAMPLE
    bench.serve("somebody-else")
    async with watching(bench):
        assert bench.sightings.of("one").sight is Sight.NO_SAMPLE
    bench.serve("one")
    bench.adapter.blanks = {"one-0"}
    async with watching(bench):
        assert bench.sightings.of("one").sight is Sight.BLANK
    for broken in (Sight.NO_API, Sight.FORBIDDEN, Sight.UNREADABLE):
        bench.adapter.broken = broken
        async with watching(bench):
            assert bench.sightings.of("one").sight is broken


async def test_one_pod_with_a_blank_value_is_enough_to_leave_the_metric_out(bench: Bench) -> None:
    bench.want("one")
    bench.adapter.values_of["team", GPU] = {"one-0", "one-1"}
    bench.adapter.blanks = {"one-1"}
    async with watching(bench):
        assert bench.sightings.of("one").served is None


async def test_a_metric_that_is_served_though_no_list_names_it_is_served(bench: Bench) -> None:
    bench.want("one")
    bench.serve("one")
    bench.adapter.listed.clear()
    async with watching(bench):
        assert bench.sightings.of("one").served is True
        assert f"list {GPU}" not in bench.adapter.asked


async def test_the_list_of_metrics_is_asked_for_once_in_ten_looks_and_only_where_values_are_missing(
    bench: Bench,
) -> None:
    for name in ("one", "two"):
        bench.want(name)
        bench.want(f"{name}-elsewhere", namespace=name)
    async with watching(bench):
        await bench.clock.advance(SECONDS * 40)
        looks, lists = (bench.adapter.asked.count(each) for each in ("version", f"list {GPU}"))
        assert looks / 10 <= lists <= looks / 10 + 1


async def test_a_list_that_cannot_be_read_says_nothing_against_the_metric(bench: Bench) -> None:
    bench.want("one")
    bench.adapter.broken_places.add("list")
    async with watching(bench):
        assert bench.sightings.of("one").sight is Sight.NO_SAMPLE


async def test_an_api_that_is_away_for_a_minute_wakes_nobody_and_one_that_stays_away_does(bench: Bench) -> None:
    bench.want("one")
    bench.serve("one")
    async with watching(bench):
        bench.woken.clear()
        bench.adapter.broken = Sight.UNREADABLE
        await bench.clock.advance(60)
        bench.adapter.broken = None
        await bench.looks()
        assert bench.woken == []
        bench.adapter.broken = Sight.UNREADABLE
        await bench.looks(PATIENCE + 10)
        assert bench.sightings.of("one") == Served(False, Sight.UNREADABLE, GPU)
        assert bench.woken == ["one"]
        bench.adapter.broken = None
        await bench.looks()
        assert bench.sightings.of("one").served is True


async def test_only_those_whom_it_concerns_are_woken(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.want(name)
        bench.serve(name)
    async with watching(bench):
        bench.woken.clear()
        bench.adapter.values_of["team", GPU].remove("two-0")
        await bench.looks(PATIENCE + 1)
        assert bench.woken == ["two"]


async def test_a_namespace_that_hangs_or_fails_does_not_hold_up_the_others(bench: Bench) -> None:
    for number in range(12):
        bench.want(f"w{number}", namespace=f"n{number}")
        bench.serve(f"w{number}", namespace=f"n{number}")
    bench.adapter.hanging, bench.adapter.broken_places = {"n0"}, {"n1"}
    async with watching(bench):
        await bench.clock.advance(11)
        seen = [bench.sightings.of(f"w{number}").sight for number in range(12)]
        assert seen == [Sight.UNREADABLE, Sight.UNREADABLE, *[Sight.SERVED] * 10]
        assert bench.adapter.most_at_once == 4


async def test_a_new_workload_is_looked_at_within_moments_and_the_others_are_left_alone(bench: Bench) -> None:
    bench.want("one")
    bench.serve("one")
    async with watching(bench):
        await bench.clock.advance(5)
        bench.adapter.asked.clear()
        bench.want("two", namespace="other")
        bench.serve("two", namespace="other")
        for _ in range(100):
            bench.watcher.call()
        await bench.clock.advance(2)
        assert bench.adapter.asked == ["version", f"other {GPU}"]
        assert bench.sightings.of("two").served is True


async def test_looks_at_new_workloads_do_not_use_up_the_patience_with_the_others(bench: Bench) -> None:
    bench.want("one")
    bench.serve("one")
    async with watching(bench):
        bench.adapter.broken = Sight.UNREADABLE
        for number in range(8):
            bench.want(f"new{number}")
            bench.watcher.call()
            await bench.clock.advance(2)
        assert bench.sightings.of("one").served is True


async def test_a_workload_whose_metric_became_another_is_new(bench: Bench) -> None:
    bench.want("one")
    bench.serve("one")
    async with watching(bench):
        bench.wanted = [Wanted("one", ObjectKey("team", "one"), SLICE)]
        bench.watcher.call()
        await bench.clock.advance(2)
        assert bench.sightings.of("one").metric == SLICE
        assert bench.sightings.of("one").served is None


async def test_a_new_term_begins_without_what_an_earlier_one_saw(bench: Bench) -> None:
    bench.want("one")
    bench.serve("one")
    async with watching(bench):
        pass
    bench.adapter.broken = Sight.UNREADABLE
    async with watching(bench):
        assert bench.sightings.of("one") == Served(None, Sight.UNREADABLE, GPU)
