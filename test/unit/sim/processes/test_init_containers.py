"""Init containers and sidecars."""

from pathlib import Path
from typing import Any

from aiop.runtime.client.builtin import PODS
from support.processpods import container_status, process_pods, ready, running, state

Object = dict[str, Any]
SHARED = [{"name": "shared", "emptyDir": {}}]
MOUNT = [{"name": "shared", "mountPath": "/shared"}]


def shell(name: str, script: str, **rest: Any) -> Object:
    return {"name": name, "image": "shell:1", "args": [script], "volumeMounts": MOUNT, **rest}


async def test_init_containers_run_one_after_the_other_before_the_containers(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod(
            "in-order",
            shell("main", "echo main >> /shared/order; cat /shared/order; sleep 1000"),
            initContainers=[
                shell("one", "sleep 0.1; echo one >> /shared/order"),
                shell("two", "echo two >> /shared/order"),
            ],
            volumes=SHARED,
        )
        pod = await bench.seen("in-order", ready)
        await bench.until(lambda: logged(bench, "in-order", "one\ntwo\nmain\n"))
        assert state(pod, "terminated", "one")["reason"] == "Completed"
        assert container_status(pod, "one")["ready"]


async def logged(bench: Any, name: str, text: str) -> bool:
    return bool(await bench.log(name) == text)


async def test_a_failed_init_container_is_tried_again_and_the_containers_wait(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("waits", shell("main", "sleep 1000"), initContainers=[shell("one", "exit 4")], volumes=SHARED)
        pod = await bench.seen("waits", lambda pod: container_status(pod, "one").get("restartCount") == 2)
        assert pod["status"]["phase"] == "Pending"
        assert state(pod, "waiting")["reason"] == "PodInitializing"
        assert container_status(pod, "one")["lastState"]["terminated"]["exitCode"] == 4


async def test_a_failed_init_container_of_a_pod_that_does_not_restart_fails_the_pod(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod(
            "fails",
            shell("main", "sleep 1000"),
            initContainers=[shell("one", "exit 4")],
            volumes=SHARED,
            restartPolicy="Never",
        )
        pod = await bench.seen("fails", lambda pod: pod["status"]["phase"] == "Failed")
        assert not running(pod)


async def test_a_sidecar_starts_before_restarts_always_and_ends_after_the_containers(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        sidecar = shell(
            "sidecar", "trap 'echo done; exit 0' TERM; while :; do sleep 0.02; done", restartPolicy="Always"
        )
        await bench.pod(
            "job", shell("main", "sleep 0.2"), initContainers=[sidecar], volumes=SHARED, restartPolicy="Never"
        )
        pod = await bench.seen("job", lambda pod: pod["status"]["phase"] == "Succeeded")
        assert state(pod, "terminated", "sidecar")["exitCode"] == 0
        assert state(pod, "terminated", "sidecar")["finishedAt"] >= state(pod, "terminated")["finishedAt"]


async def test_the_containers_wait_for_a_sidecars_startup_probe(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        probe = {
            "exec": {"command": ["test", "-e", "/shared/up"]},
            "periodSeconds": 1,
            "timeoutSeconds": 60,
            "failureThreshold": 1000,
        }
        sidecar = shell("sidecar", "sleep 1000", restartPolicy="Always", startupProbe=probe)
        await bench.pod("gated", shell("main", "sleep 1000"), initContainers=[sidecar], volumes=SHARED)
        pod = await bench.seen("gated", lambda pod: running(pod, "sidecar"))
        await bench.until(lambda: said_unhealthy(bench))
        pod = await bench.bench.get(PODS, "gated")
        assert state(pod, "waiting")["reason"] == "PodInitializing"
        assert container_status(pod, "sidecar")["started"] is False
        (bench.pods.folder / pod["metadata"]["uid"] / "volumes" / "shared" / "up").touch()
        pod = await bench.seen("gated", ready)
        assert container_status(pod, "sidecar")["started"] is True


async def said_unhealthy(bench: Any) -> bool:
    return any(reason == "Unhealthy" for reason, _ in await bench.events("gated"))
