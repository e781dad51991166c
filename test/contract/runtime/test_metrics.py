"""Metrics: controller-runtime's names, types and labels, all there from the start, and exact."""

import asyncio

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.controller import Controller, Result
from aiop.runtime.controller.errors import TerminalError
from aiop.runtime.manager.metrics import Metrics
from support.clock import FakeClock, settle
from support.listwatch import ScriptedSource, page
from support.managerbench import ManagerBench

QUEUE = {"name", "controller"}
NAMES: dict[str, tuple[str, set[str]]] = {
    "controller_runtime_reconcile_total": ("counter", {"controller", "result"}),
    "controller_runtime_reconcile_errors_total": ("counter", {"controller"}),
    "controller_runtime_terminal_reconcile_errors_total": ("counter", {"controller"}),
    "controller_runtime_reconcile_panics_total": ("counter", {"controller"}),
    "controller_runtime_reconcile_timeouts_total": ("counter", {"controller"}),
    "controller_runtime_reconcile_time_seconds": ("histogram", {"controller"}),
    "controller_runtime_max_concurrent_reconciles": ("gauge", {"controller"}),
    "controller_runtime_active_workers": ("gauge", {"controller"}),
    "workqueue_depth": ("gauge", QUEUE | {"priority"}),
    "workqueue_adds_total": ("counter", QUEUE),
    "workqueue_queue_duration_seconds": ("histogram", QUEUE),
    "workqueue_work_duration_seconds": ("histogram", QUEUE),
    "workqueue_unfinished_work_seconds": ("gauge", QUEUE),
    "workqueue_longest_running_processor_seconds": ("gauge", QUEUE),
    "workqueue_retries_total": ("counter", QUEUE),
    "leader_election_master_status": ("gauge", {"name"}),
    "rest_client_requests_total": ("counter", {"code", "method", "host"}),
}
# What cannot be known before it happens.
LATER = {"leader_election_master_status", "rest_client_requests_total", "controller_runtime_max_concurrent_reconciles"}


async def families(metrics: Metrics) -> dict[str, Metric]:
    """By the name that stands in the text: counters with their _total."""
    found = text_string_to_metric_families((await metrics.exposition()).decode())
    return {f"{each.name}_total" if each.type == "counter" else each.name: each for each in found}


def value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


@pytest.mark.promise("S38")
@pytest.mark.parametrize("name", NAMES)
async def test_a_metric_has_the_name_type_and_labels_of_controller_runtime(name: str) -> None:
    this = ManagerBench(ScriptedSource([page(1)]))
    this.metrics.leads("aiop-manager", leading=True)
    this.metrics.requested("GET", "https://10.0.0.1:6443/api", 200)
    kind, labels = NAMES[name]
    family = (await families(this.metrics))[name]
    assert family.type == kind
    assert family.documentation
    assert {frozenset(sample.labels) - {"le"} for sample in family.samples} == {frozenset(labels)}


@pytest.mark.promise("S38")
@pytest.mark.parametrize("name", sorted(NAMES.keys() - LATER))
async def test_a_metric_shows_as_zero_before_anything_happened(name: str) -> None:
    this = ManagerBench(ScriptedSource([page(1)]))
    samples = (await families(this.metrics))[name].samples
    assert samples
    assert [sample.value for sample in samples if sample.value] == []


@pytest.mark.promise("S38")
async def test_all_results_and_the_usual_priorities_are_there_from_the_start() -> None:
    found = await families(ManagerBench(ScriptedSource([page(1)])).metrics)
    results = {sample.labels["result"] for sample in found["controller_runtime_reconcile_total"].samples}
    assert results == {"success", "error", "requeue", "requeue_after"}
    assert {sample.labels["priority"] for sample in found["workqueue_depth"].samples} == {"0", "-100"}
    assert value_of_workers(found) == 2


def value_of_workers(found: dict[str, Metric]) -> float:
    (sample,) = found["controller_runtime_max_concurrent_reconciles"].samples
    return float(sample.value)


@pytest.mark.promise("S38", 67)
async def test_the_depth_shows_by_priority() -> None:
    metrics = Metrics()
    controller = Controller(
        "widgets", Once(None), clock=FakeClock(), new_id=str, workers=2, queue_metrics=metrics.queues
    )
    for number, priority in enumerate([-100, -100, 0, 50, 50, 50]):
        controller.enqueue(ObjectKey("default", f"w{number}"), priority)

    async def depths() -> dict[str, float]:
        samples = (await families(metrics))["workqueue_depth"].samples
        assert {(each.labels["name"], each.labels["controller"]) for each in samples} == {("widgets", "widgets")}
        return {each.labels["priority"]: each.value for each in samples}

    assert await depths() == {"-100": 2, "0": 1, "50": 3}
    run = asyncio.create_task(controller.run())
    await settle()
    assert await depths() == {"-100": 2, "0": 1, "50": 1}
    controller.stop_taking()
    assert await depths() == {"-100": 0, "0": 0, "50": 0}
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


class Panic(BaseException):
    """What no `except Exception` sees."""


class Once:
    """One pass that ends so; None never ends."""

    def __init__(self, outcome: Result | BaseException | None) -> None:
        self.outcome = outcome

    async def reconcile(self, _key: ObjectKey) -> Result:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        if self.outcome is None:
            await asyncio.get_running_loop().create_future()
        return self.outcome or Result()


FAILURES = ("reconcile_errors", "terminal_reconcile_errors", "reconcile_panics", "reconcile_timeouts")


@pytest.mark.promise("S38", "S25")
@pytest.mark.parametrize(
    ("outcome", "result", "failures"),
    [
        (Result(), "success", set()),
        (Result(requeue_after=900.0), "requeue_after", set()),
        (ValueError(), "error", {"reconcile_errors"}),
        (TerminalError(), "error", {"reconcile_errors", "terminal_reconcile_errors"}),
        (Panic(), "error", {"reconcile_errors", "reconcile_panics"}),
        (None, "error", {"reconcile_errors", "reconcile_timeouts"}),
    ],
)
async def test_each_outcome_counts_as_controller_runtime_counts_it(
    outcome: Result | BaseException | None, result: str, failures: set[str]
) -> None:
    clock, metrics = FakeClock(), Metrics()
    controller = Controller(
        "widgets", Once(outcome), clock=clock, new_id=str, timeout=10.0, metrics=metrics.controllers
    )
    run = asyncio.create_task(controller.run())
    controller.enqueue(ObjectKey("default", "one"))
    await settle()
    if outcome is None:
        await clock.advance(10.0)
    for each in ("success", "error", "requeue", "requeue_after"):
        found = value(metrics, "controller_runtime_reconcile_total", controller="widgets", result=each)
        assert found == (each == result)
    for each in FAILURES:
        assert value(metrics, f"controller_runtime_{each}_total", controller="widgets") == (each in failures)
    assert value(metrics, "controller_runtime_reconcile_time_seconds_count", controller="widgets") == 1
    assert value(metrics, "controller_runtime_active_workers", controller="widgets") == 0
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
