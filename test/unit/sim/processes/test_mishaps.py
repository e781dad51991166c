"""What nobody foresaw: the pod tells of it and goes on, and a fault of the program is seen."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from aiop.runtime.client.builtin import PODS
from aiop.sim.processes import container as container_module
from aiop.sim.processes.life import ProcessLife
from aiop.sim.processes.probes import Probes
from aiop.sim.processes.probing import Prober
from aiop.sim.processes.supervised import Supervised, start
from aiop.sim.processes.volumes import Volumes
from support.processpods import ProcessBench, container_status, process_pods, ready, running, state

Object = dict[str, Any]
SLEEPS: Object = {"name": "main", "image": "shell:1"}
WORDS = "the cluster could not run it: KeyError: 'nobody thought of it'"


def failing_once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, error: Exception) -> None:
    """The first call of it raises ``error``."""
    original = getattr(owner, name)
    failed: list[bool] = []

    async def once(*arguments: Any, **more: Any) -> Any:
        if not failed:
            failed.append(True)
            raise error
        return await original(*arguments, **more)

    monkeypatch.setattr(owner, name, once)


def fault() -> KeyError:
    return KeyError("nobody thought of it")


def seen_by_the_loop(bench: ProcessBench) -> bool:
    """The one fault, which is then forgiven."""
    faults = list(bench.faults)
    bench.faults.clear()
    return len(faults) == 1 and "nobody thought of it" in faults[0]


async def test_a_container_that_fails_by_a_fault_says_so_and_starts_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_once(monkeypatch, container_module, "recipe_of", fault())
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", SLEEPS)
        pod = await bench.seen("pod", lambda pod: state(pod, "waiting").get("reason") == "RunContainerError")
        assert state(pod, "waiting")["message"] == WORDS
        assert ("Failed", f"Error: {WORDS}") in await bench.events("pod")
        assert container_status(await bench.seen("pod", ready))["restartCount"] == 0
        assert seen_by_the_loop(bench)


async def test_a_run_that_is_no_longer_watched_is_ended_and_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_once(monkeypatch, Probes, "run", fault())
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", SLEEPS)
        status = container_status(await bench.seen("pod", ready))
        last = status["lastState"]["terminated"]
        assert (last["exitCode"], last["reason"], last["message"]) == (137, "ContainerStatusUnknown", WORDS)
        assert status["restartCount"] == 1
        assert seen_by_the_loop(bench)


async def test_a_run_that_is_no_longer_watched_fails_a_pod_that_does_not_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_once(monkeypatch, Probes, "run", fault())
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", SLEEPS, restartPolicy="Never")
        pod = await bench.seen("pod", lambda pod: pod["status"]["phase"] == "Failed")
        assert state(pod, "terminated")["message"] == WORDS
        assert seen_by_the_loop(bench)


async def test_one_containers_fault_does_not_hold_up_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_once(monkeypatch, container_module, "recipe_of", fault())
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", SLEEPS, SLEEPS | {"name": "other"})
        await bench.seen("pod", lambda pod: running(pod) != running(pod, "other"))
        await bench.seen("pod", ready)
        assert seen_by_the_loop(bench)


async def test_a_machine_that_has_no_room_for_a_process_is_told_and_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    failing_once(monkeypatch, container_module, "start", full)
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", SLEEPS)
        await bench.seen("pod", ready)
        assert any("Too many open files" in message for _, message in await bench.events("pod"))
        assert not bench.faults, "it is none of the program's"


async def test_a_probe_that_the_machine_has_no_room_for_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    failing_once(monkeypatch, Prober, "_exec", full)
    async with process_pods(tmp_path) as bench:
        probe = {"exec": {"command": ["true"]}, "periodSeconds": 1}
        await bench.pod("pod", {**SLEEPS, "readinessProbe": probe})
        status = container_status(await bench.seen("pod", ready))
        assert status["restartCount"] == 0
        assert any("Too many open files" in message for _, message in await bench.events("pod"))


async def test_files_that_fail_by_a_fault_are_told_and_made_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_once(monkeypatch, Volumes, "mount", fault())
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", SLEEPS)
        await bench.seen("pod", ready)
        assert ("FailedSync", "error syncing pod: KeyError: 'nobody thought of it'") in await bench.events("pod")
        assert seen_by_the_loop(bench)


async def test_a_fault_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_once(monkeypatch, Probes, "run", fault())
    begun: list[Supervised] = []

    async def counted(*arguments: Any) -> Supervised:
        begun.append(await start(*arguments))
        return begun[-1]

    monkeypatch.setattr(container_module, "start", counted)
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", SLEEPS)
        await bench.seen("pod", ready)
        assert [each.over for each in begun] == [True, False]
        assert seen_by_the_loop(bench)


async def test_a_pod_whose_end_fails_by_a_fault_goes_all_the_same_with_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_once(monkeypatch, ProcessLife, "end", fault())
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", SLEEPS | {"args": ["echo $$$$; sleep 1000"]})
        await bench.seen("pod", ready)
        await bench.until(lambda: said(bench))
        pid = int(await bench.log("pod"))
        await bench.bench.delete(PODS, "pod")
        await bench.gone("pod")
        await bench.until(lambda: not Path(f"/proc/{pid}").exists())
        assert seen_by_the_loop(bench)


async def said(bench: ProcessBench) -> bool:
    return await bench.log("pod") != ""
