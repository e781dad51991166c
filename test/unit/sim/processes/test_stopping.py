"""How a pod goes: hook, signal, grace, end; and nothing stays behind."""

import asyncio
import os
from pathlib import Path
from typing import Any

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.resource import ObjectKey
from support.processpods import ProcessBench, container_status, process_pods, ready, running

Object = dict[str, Any]
WAITS = "while :; do sleep 0.02; done"


def shell(script: str, **rest: Any) -> Object:
    return {"name": "main", "image": "shell:1", "args": [script], **rest}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def logged(bench: ProcessBench, name: str, text: str) -> bool:
    return text in await bench.log(name)


async def up(bench: ProcessBench, name: str) -> None:
    await bench.seen(name, running)
    await bench.until(lambda: logged(bench, name, "up"))


async def test_a_deleted_pod_gets_its_signal_and_goes_with_its_files(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        keep = tmp_path / "kept"
        keep.mkdir()
        bench.table.host_paths["/kept"] = keep
        mount = {"volumeMounts": [{"name": "kept", "mountPath": "/kept"}]}
        await bench.pod(
            "goes",
            shell(f"trap 'echo bye > /kept/word; exit 0' TERM; echo up; {WAITS}", **mount),
            volumes=[{"name": "kept", "hostPath": {"path": "/kept"}}],
        )
        await up(bench, "goes")
        await bench.bench.delete(PODS, "goes")
        await bench.gone("goes")
        assert (keep / "word").read_text() == "bye\n"
        await bench.until(lambda: not list(bench.pods.folder.iterdir()))
        assert bench.pods.running() == []
        assert ("Killing", "Stopping container main") in await bench.events("goes")


async def test_a_container_that_ignores_its_signal_is_killed_after_its_grace_and_its_children_too(
    tmp_path: Path,
) -> None:
    async with process_pods(tmp_path) as bench:
        script = f"trap '' TERM; setsid sleep 1000 & echo up $!; {WAITS}"
        await bench.pod("deaf", shell(script), terminationGracePeriodSeconds=20)
        await up(bench, "deaf")
        child = int((await bench.log("deaf")).split()[1])
        began = bench.bench.clock.monotonic()
        await bench.bench.delete(PODS, "deaf")
        await bench.gone("deaf")
        assert bench.bench.clock.monotonic() - began >= 20
        assert not alive(child)


async def test_the_hook_before_the_end_runs_before_the_signal_and_within_the_grace(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo hook >> /kept/order"]}}}
        bench.table.host_paths["/kept"] = tmp_path / "kept"
        (tmp_path / "kept").mkdir()
        mount = {"volumeMounts": [{"name": "kept", "mountPath": "/kept"}]}
        script = f"trap 'echo signal >> /kept/order; exit 0' TERM; echo up; {WAITS}"
        await bench.pod(
            "hooked",
            shell(script, lifecycle=hook, **mount),
            volumes=[{"name": "kept", "hostPath": {"path": "/kept"}}],
        )
        await up(bench, "hooked")
        await bench.bench.delete(PODS, "hooked")
        await bench.gone("hooked")
        assert (tmp_path / "kept" / "order").read_text() == "hook\nsignal\n"


async def test_a_sleep_before_the_end_keeps_the_container_running_meanwhile(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("sleeps", shell(f"echo up; {WAITS}", lifecycle={"preStop": {"sleep": {"seconds": 15}}}))
        await up(bench, "sleeps")
        began = bench.bench.clock.monotonic()
        await bench.bench.delete(PODS, "sleeps")
        await bench.gone("sleeps")
        assert 15 <= bench.bench.clock.monotonic() - began < 30


async def test_a_container_may_choose_its_signal(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        script = f"trap '' TERM; trap 'exit 0' USR1; echo up; {WAITS}"
        await bench.pod(
            "chooses", shell(script, lifecycle={"stopSignal": "SIGUSR1"}), terminationGracePeriodSeconds=600
        )
        await up(bench, "chooses")
        began = bench.bench.clock.monotonic()
        await bench.bench.delete(PODS, "chooses")
        await bench.gone("chooses")
        assert bench.bench.clock.monotonic() - began < 600


async def test_a_failed_hook_after_the_start_ends_the_container(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("hook-fails", shell(WAITS, lifecycle={"postStart": {"exec": {"command": ["false"]}}}))
        await bench.seen("hook-fails", lambda pod: container_status(pod).get("restartCount"))
        assert ("FailedPostStartHook", "PostStartHook failed") in await bench.events("hook-fails")


async def test_a_pod_that_waits_for_its_image_can_be_deleted_at_once(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("no-image", {"name": "main", "image": "nobody/has:1"})
        await bench.seen("no-image", lambda pod: "containerStatuses" in pod["status"])
        await bench.bench.delete(PODS, "no-image")
        await bench.gone("no-image")


async def test_a_pod_deleted_by_force_leaves_no_process(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("forced", shell("echo up $$$$; trap '' TERM; sleep 1000; sleep 1000"))
        await up(bench, "forced")
        pid = int((await bench.log("forced")).split()[1])
        await bench.api.delete(PODS, ObjectKey("team", "forced"), grace_seconds=0)
        await bench.until(lambda: not alive(pid))


async def test_the_end_of_the_cluster_is_the_end_of_every_process(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        for number in range(3):
            await bench.pod(
                f"pod-{number}", shell("trap '' TERM; setsid sleep 1000 & echo up $$$$ $!; wait; sleep 1000")
            )
        pids = []
        for number in range(3):
            await up(bench, f"pod-{number}")
            pids += [int(word) for word in (await bench.log(f"pod-{number}")).split()[1:]]
        assert all(alive(pid) for pid in pids)
    assert not any(alive(pid) for pid in pids)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - as good, and not mistaken for slow
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_a_ready_pod_goes_on_being_probed_while_it_ends(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        probe = {
            "exec": {"command": ["sh", "-c", "test ! -e /scratch/closed"]},
            "periodSeconds": 1,
            "timeoutSeconds": 60,
            "failureThreshold": 1,
        }
        hook = {"preStop": {"exec": {"command": ["sh", "-c", "touch /scratch/closed; sleep 1000"]}}}
        await bench.pod(
            "draining",
            shell(
                f"echo up; {WAITS}",
                readinessProbe=probe,
                lifecycle=hook,
                volumeMounts=[{"name": "work", "mountPath": "/scratch"}],
            ),
            volumes=[{"name": "work", "emptyDir": {}}],
            terminationGracePeriodSeconds=60,
        )
        await bench.seen("draining", ready)
        await bench.bench.delete(PODS, "draining")
        pod = await bench.seen("draining", lambda pod: not ready(pod))
        assert running(pod)
