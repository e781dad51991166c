import asyncio
import socket

import aiohttp
import pytest
from structlog.testing import capture_logs

from aiop.runtime.client.resource import ObjectKey
from support.listwatch import ScriptedSource, page, widget
from support.managerbench import ManagerBench
from support.managerweb import free_address, serving

NAMES = {
    "controller_runtime_active_workers",
    "controller_runtime_max_concurrent_reconciles",
    "controller_runtime_reconcile_errors_total",
    "controller_runtime_reconcile_panics_total",
    "controller_runtime_reconcile_time_seconds_count",
    "controller_runtime_reconcile_timeouts_total",
    "controller_runtime_reconcile_total",
    "controller_runtime_terminal_reconcile_errors_total",
    "leader_election_master_status",
    "workqueue_adds_total",
    "workqueue_depth",
    "workqueue_longest_running_processor_seconds",
    "workqueue_queue_duration_seconds_count",
    "workqueue_retries_total",
    "workqueue_unfinished_work_seconds",
    "workqueue_work_duration_seconds_count",
}


async def test_every_metric_of_controller_runtime_is_there_from_the_start() -> None:
    async with serving(ScriptedSource()) as web:
        samples = await web.metrics()
        names = {sample.partition("{")[0] for sample in samples}
        assert names.issuperset(NAMES)
        for result in ("success", "error", "requeue", "requeue_after"):
            assert samples[f'controller_runtime_reconcile_total{{controller="widgets",result="{result}"}}'] == 0.0
        assert samples['controller_runtime_max_concurrent_reconciles{controller="widgets"}'] == 2.0
        assert samples['leader_election_master_status{name="aiop-manager"}'] == 0.0


async def test_work_is_counted_while_it_runs_and_when_it_is_done() -> None:
    queue = '{controller="widgets",name="widgets"}'
    async with serving(ScriptedSource([page(1, widget("one", 1))])) as web:
        web.bench.work = lambda _key: web.bench.clock.sleep(10.0)
        web.bench.controller.enqueue(ObjectKey("default", "one"))
        await web.bench.clock.advance(4.0)
        samples = await web.metrics()
        assert samples['controller_runtime_active_workers{controller="widgets"}'] == 1.0
        assert samples[f"workqueue_unfinished_work_seconds{queue}"] == 4.0
        assert samples[f"workqueue_longest_running_processor_seconds{queue}"] == 4.0
        assert samples['leader_election_master_status{name="aiop-manager"}'] == 1.0
        await web.bench.clock.advance(6.0)
        samples = await web.metrics()
        assert samples['controller_runtime_reconcile_total{controller="widgets",result="success"}'] == 2.0
        assert samples['controller_runtime_reconcile_time_seconds_sum{controller="widgets"}'] == 10.0
        assert samples[f"workqueue_unfinished_work_seconds{queue}"] == 0.0
        assert samples['controller_runtime_active_workers{controller="widgets"}'] == 0.0


async def test_requests_are_counted_by_code_method_and_host_without_the_scheme() -> None:
    async with serving(ScriptedSource()) as web:
        web.bench.metrics.requested("GET", "https://10.0.0.1:443", 200)
        samples = await web.metrics()
        assert samples['rest_client_requests_total{code="200",host="10.0.0.1:443",method="GET"}'] == 1.0


@pytest.mark.parametrize(
    ("result", "counter"),
    [
        ("error", "controller_runtime_reconcile_errors_total"),
        ("terminal", "controller_runtime_terminal_reconcile_errors_total"),
        ("panic", "controller_runtime_reconcile_panics_total"),
        ("timeout", "controller_runtime_reconcile_timeouts_total"),
    ],
)
async def test_every_failure_has_a_counter_of_its_own_and_is_an_error_too(result: str, counter: str) -> None:
    async with serving(ScriptedSource()) as web:
        web.bench.metrics.controllers.reconciled("widgets", result, 0.1)
        samples = await web.metrics()
        assert samples[f'{counter}{{controller="widgets"}}'] == 1.0
        assert samples['controller_runtime_reconcile_errors_total{controller="widgets"}'] == 1.0
        assert samples['controller_runtime_reconcile_total{controller="widgets",result="error"}'] == 1.0


async def test_where_each_server_listens_is_logged_with_the_port_that_the_system_chose() -> None:
    bench = ManagerBench(ScriptedSource(), health_address="127.0.0.1:0", metrics_address="localhost:0")
    with capture_logs() as logs:
        task = asyncio.create_task(bench.manager.run(bench.stop))
        async with asyncio.timeout(10.0):
            while len(told := [each for each in logs if each["event"] == "the operator listens"]) < 2:  # noqa: ASYNC110 - another task logs
                await asyncio.sleep(0.01)
        async with aiohttp.ClientSession() as session:
            for each in told:
                for path in each["paths"]:
                    async with session.get(f"http://{each['address']}{path}") as answer:
                        assert answer.status in {200, 503}
        bench.stop.set()
        await task
    assert [each["paths"] for each in told] == [["/healthz", "/readyz"], ["/metrics"]]


async def test_a_taken_address_is_an_error_and_leaves_no_server_behind() -> None:
    health = free_address()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        bench = ManagerBench(
            ScriptedSource(),
            health_address=health,
            metrics_address=f"127.0.0.1:{taken.getsockname()[1]}",
        )
        with pytest.raises(OSError, match="address already in use"):
            await bench.manager.run(bench.stop)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://{health}/healthz")
