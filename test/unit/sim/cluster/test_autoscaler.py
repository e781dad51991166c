"""The autoscaler on a clock of the test's own: CPU rises, replicas follow, and back."""

from typing import Any

import pytest

from aiop.runtime.client.builtin import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, PODS
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.events import CORE_EVENTS
from aiop.sim.metrics.podmetrics import PodMetrics
from support.clock import FakeClock
from support.podmeasures import MadeUpMetrics
from support.simulated import Bench, condition, container, simulated

ASKS: dict[str, Any] = {"resources": {"requests": {"cpu": "1"}}}
CPU_75 = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 75}}}
GPU = {"type": "Pods", "pods": {"metric": {"name": "gpu"}, "target": {"type": "AverageValue", "averageValue": "80"}}}


class Load(MadeUpMetrics):
    """So many thousandths of a core, shared by all pods that are."""

    def __init__(self) -> None:
        super().__init__(FakeClock().now())
        self.clock = FakeClock()
        self.total = 0
        self.pods = 1

    def of(self, pod: ObjectKey) -> PodMetrics | None:
        self.now = self.clock.now()
        self.use = {pod: self.total // self.pods}
        return super().of(pod)


async def scaled(bench: Bench, load: Load, metrics: list[dict[str, Any]], **spec: Any) -> None:
    load.clock = bench.clock
    await bench.deploy("web", 1, pod={"containers": [container(**ASKS)]})
    await bench.clock.advance(5)
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    content = {"scaleTargetRef": reference, "minReplicas": 1, "maxReplicas": 3, "metrics": metrics, **spec}
    await bench.make(HORIZONTALPODAUTOSCALERS, "web", spec=content)


async def pass_time(bench: Bench, load: Load, seconds: int) -> int:
    """Let it go by, the load shared among the pods that there are; returns how many there should be at the end."""
    for _ in range(seconds // 5):
        load.pods = max(1, len(await bench.all(PODS)))
        await bench.clock.advance(5)
    return int((await bench.get(DEPLOYMENTS, "web"))["spec"]["replicas"])


async def hpa(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = await bench.get(HORIZONTALPODAUTOSCALERS, "web")
    return found


async def test_load_makes_three_of_one_and_its_end_one_of_three_after_the_window() -> None:
    load = Load()
    async with simulated(metrics=load) as bench:
        await scaled(bench, load, [CPU_75])
        assert await pass_time(bench, load, 40) == 1
        load.total = 1900
        assert await pass_time(bench, load, 40) == 3
        found = await hpa(bench)
        assert condition(found, "ScalingActive")["reason"] == "ValidMetricFound"
        assert found["status"]["currentMetrics"][0]["resource"]["current"]["averageUtilization"] == 63
        load.total = 30
        assert await pass_time(bench, load, 280) == 3
        assert condition(await hpa(bench), "AbleToScale")["reason"] == "ScaleDownStabilized"
        assert await pass_time(bench, load, 40) == 1
        assert (await hpa(bench))["status"]["desiredReplicas"] == 1


async def test_a_window_of_the_spec_makes_the_way_back_shorter() -> None:
    load = Load()
    async with simulated(metrics=load) as bench:
        await scaled(bench, load, [CPU_75], behavior={"scaleDown": {"stabilizationWindowSeconds": 30}})
        load.total = 3000
        assert await pass_time(bench, load, 60) == 3
        load.total = 30
        assert await pass_time(bench, load, 50) == 1


async def test_a_metric_that_is_not_served_holds_the_way_down_and_not_the_way_up() -> None:
    load = Load()
    async with simulated(metrics=load) as bench:
        await scaled(bench, load, [CPU_75, GPU], behavior={"scaleDown": {"stabilizationWindowSeconds": 0}})
        load.total = 1900
        assert await pass_time(bench, load, 40) == 3
        load.total = 30
        assert await pass_time(bench, load, 60) == 3
        said = condition(await hpa(bench), "ScalingActive")
        assert (said["status"], said["reason"]) == ("False", "FailedGetPodsMetric")


async def test_pods_without_requests_are_named() -> None:
    load = Load()
    async with simulated(metrics=load) as bench:
        await scaled(bench, load, [CPU_75])
        patch = {"spec": {"template": {"spec": {"containers": [container()]}}}}
        await bench.change(DEPLOYMENTS, "web", patch)
        assert await pass_time(bench, load, 40) == 1
        said = condition(await hpa(bench), "ScalingActive")
        assert said["reason"] == "FailedGetResourceMetric"
        assert "missing request for cpu in container main of Pod web-" in said["message"]


@pytest.mark.parametrize("replicas", [0, 7])
async def test_bounds_and_zero_come_before_metrics(replicas: int) -> None:
    load = Load()
    async with simulated(metrics=load) as bench:
        await scaled(bench, load, [CPU_75])
        await bench.change(DEPLOYMENTS, "web", {"spec": {"replicas": replicas}})
        assert await pass_time(bench, load, 20) == (0 if not replicas else 3)


async def test_an_autoscaler_that_makes_no_sense_stops_no_other() -> None:
    load = Load()
    async with simulated(metrics=load) as bench:
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
        nonsense = {"scaleUp": {"tolerance": "much"}}
        spec = {"scaleTargetRef": reference, "maxReplicas": 3, "metrics": [CPU_75], "behavior": nonsense}
        await bench.make(HORIZONTALPODAUTOSCALERS, "bad", spec=spec)
        await scaled(bench, load, [CPU_75], behavior={"scaleUp": {"tolerance": "50m"}})
        load.total = 1900
        assert await pass_time(bench, load, 40) == 3
        events = await bench.all(CORE_EVENTS)
        assert "InvalidSpec" in {each["reason"] for each in events if each["involvedObject"]["name"] == "bad"}
