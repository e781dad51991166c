"""Many pods at once, and kubelets that come back."""

from pathlib import Path
from typing import Any

from aiop.runtime.client.builtin import DEPLOYMENTS, PODS
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.lives import Desk
from aiop.sim.processes.board import Board
from support.processpods import container_status, process_pods, ready

NUMBER = 24
Object = dict[str, Any]
POD: Object = {
    "metadata": {"name": "pod", "namespace": "team", "uid": "1", "resourceVersion": "1"},
    "spec": {"containers": [{"name": "main", "image": "shell:1"}]},
}


async def test_two_dozen_pods_run_side_by_side_and_go(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        pod = {"containers": [{"name": "main", "image": "shell:1"}], "terminationGracePeriodSeconds": 5}
        await bench.bench.deploy("many", NUMBER, pod=pod)

        async def all_ready() -> bool:
            return sum(ready(each) for each in await bench.bench.all(PODS)) == NUMBER

        await bench.until(all_ready)
        assert len({each.address for each in bench.pods.running()}) == NUMBER
        await bench.bench.delete(DEPLOYMENTS, "many")
        await bench.until(lambda: not bench.pods.running())


async def test_a_readiness_gate_that_nobody_opens_keeps_the_pod_from_being_ready(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", {"name": "main", "image": "shell:1"}, readinessGates=[{"conditionType": "team/open"}])
        pod = await bench.seen("pod", lambda pod: container_status(pod).get("ready"))
        assert not ready(pod)
        [why] = [each for each in pod["status"]["conditions"] if each["type"] == "Ready"]
        assert why["reason"] == "ReadinessGatesNotReady"
        opened = {"type": "team/open", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        status = {"status": {"conditions": [*pod["status"]["conditions"], opened]}}
        await bench.api.patch(PODS, ObjectKey("team", "pod"), status, subresource="status")
        await bench.seen("pod", ready)


async def test_what_somebody_else_writes_into_a_pods_status_does_not_stay(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", {"name": "main", "image": "shell:1"})
        pod = await bench.seen("pod", ready)
        wrong = [{**each, "status": "False"} for each in pod["status"]["conditions"] if each["type"] == "Ready"]
        status = {"status": {"conditions": wrong}}
        await bench.api.patch(PODS, ObjectKey("team", "pod"), status, subresource="status")
        await bench.seen("pod", ready)


async def test_a_pod_of_a_kubelet_that_is_gone_starts_again_and_its_former_run_is_lost(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", {"name": "main", "image": "shell:1"})
        pod = await bench.seen("pod", ready)
        board = Board(pod, _desk())
        board.begin()
        assert board.views["main"].restarts == 1
        assert board.views["main"].last["terminated"]["reason"] == "ContainerStatusUnknown"


async def test_a_status_that_the_pod_has_already_is_not_written_again() -> None:
    written: list[Object] = []

    async def write(status: Object) -> Object:
        written.append(status)
        return {**POD, "status": status}

    board = Board(POD, _desk(write))
    board.begin()
    await board.flush()
    await board.flush()
    assert len(written) == 1
    board.put("main", state={"running": {"startedAt": "2026-01-01T00:00:00Z"}})
    await board.flush()
    assert len(written) == 2


async def test_a_quiet_pod_causes_no_writes(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        probe = {"exec": {"command": ["true"]}, "periodSeconds": 1, "timeoutSeconds": 60}
        await bench.pod("pod", {"name": "main", "image": "shell:1", "readinessProbe": probe})
        pod = await bench.seen("pod", ready)
        end = bench.bench.clock.monotonic() + 20
        await bench.until(lambda: bench.bench.clock.monotonic() > end)
        after = await bench.bench.get(PODS, "pod")
        assert after["metadata"]["resourceVersion"] == pod["metadata"]["resourceVersion"]


def _desk(write: Any = None) -> Desk:
    return Desk(
        api=None,  # type: ignore[arg-type]  # nothing here asks it
        moment=lambda: "2026-01-01T00:00:00Z",
        monotonic=lambda: 0.0,
        sleep=None,  # type: ignore[arg-type]
        write=write,
        say=None,  # type: ignore[arg-type]
    )
