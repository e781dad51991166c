"""Ends and restarts, as a kubelet reports them."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.processes.errors import ProcessPodError
from aiop.sim.processes.restarts import RestartPolicy
from support.processpods import ProcessBench, container_status, process_pods, ready, running, state

Object = dict[str, Any]


def shell(script: str, **rest: Any) -> Object:
    return {"name": "main", "image": "shell:1", "args": [script], **rest}


async def test_a_crash_is_told_with_exit_code_and_last_words_and_is_backed_off_after_the_first_restart(
    tmp_path: Path,
) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod(
            "crashes", shell("echo the disk is full; exit 3", terminationMessagePolicy="FallbackToLogsOnError")
        )
        pod = await bench.seen("crashes", lambda pod: state(pod, "waiting").get("reason") == "CrashLoopBackOff")
        last = container_status(pod)["lastState"]["terminated"]
        assert (last["exitCode"], last["reason"], last["message"]) == (3, "Error", "the disk is full\n")
        assert container_status(pod)["restartCount"] == 1
        assert "back-off 10s restarting failed container=main pod=crashes_team(" in state(pod, "waiting")["message"]
        assert pod["status"]["phase"] == "Running"
        assert any(reason == "BackOff" for reason, _ in await bench.events("crashes"))
        began = bench.bench.clock.monotonic()
        await bench.seen("crashes", lambda pod: container_status(pod).get("restartCount") == 2)
        assert bench.bench.clock.monotonic() - began > 9
        pod = await bench.seen("crashes", lambda pod: "back-off 20s" in state(pod, "waiting").get("message", ""))


async def test_a_signal_counts_as_128_and_its_number_and_nobody_claims_that_memory_ran_out(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("killed", shell("kill -9 $$$$"), restartPolicy="Never")
        pod = await bench.seen("killed", lambda pod: pod["status"]["phase"] == "Failed")
        ended = state(pod, "terminated")
        assert (ended["exitCode"], ended["reason"]) == (137, "Error")


async def test_a_pod_that_does_not_restart_succeeds_or_fails_once_all_its_containers_have_ended(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        other = shell("exit 1") | {"name": "other"}
        await bench.pod("well", shell("exit 0"), restartPolicy="Never")
        await bench.pod("badly", shell("exit 0"), other, restartPolicy="Never")
        well = await bench.seen("well", lambda pod: pod["status"]["phase"] == "Succeeded")
        assert state(well, "terminated")["reason"] == "Completed"
        badly = await bench.seen("badly", lambda pod: pod["status"]["phase"] == "Failed")
        assert state(badly, "terminated", "other")["exitCode"] == 1
        assert container_status(badly)["restartCount"] == 0


async def test_on_failure_restarts_until_it_succeeds(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        script = "test -e once && exit 0; touch once; exit 5"
        await bench.pod("retries", shell(script), restartPolicy="OnFailure")
        pod = await bench.seen("retries", lambda pod: pod["status"]["phase"] == "Succeeded")
        assert container_status(pod)["restartCount"] == 1
        assert container_status(pod)["lastState"]["terminated"]["exitCode"] == 5


async def test_a_message_file_is_what_the_container_leaves(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("says", shell("echo no more > /dev/termination-log; exit 1"), restartPolicy="Never")
        pod = await bench.seen("says", lambda pod: pod["status"]["phase"] == "Failed")
        assert state(pod, "terminated")["message"] == "no more\n"


async def test_a_command_that_is_not_there_cannot_start_and_says_which(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod(
            "missing", {"name": "main", "image": "shell:1", "command": ["no-such-server"]}, restartPolicy="Never"
        )
        pod = await bench.seen("missing", lambda pod: pod["status"]["phase"] == "Failed")
        ended = state(pod, "terminated")
        assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
        assert 'exec: "no-such-server"' in ended["message"]


async def test_a_container_without_probes_is_ready_when_it_runs(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("plain", shell("sleep 1000"))
        pod = await bench.seen("plain", ready)
        assert running(pod)
        assert pod["status"]["startTime"]


async def test_a_restart_of_one_container_leaves_its_neighbour_alone(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("two", shell("exit 1"), shell("sleep 1000") | {"name": "other"})
        pod = await bench.seen("two", lambda pod: container_status(pod).get("restartCount") == 2)
        assert container_status(pod, "other")["restartCount"] == 0
        assert running(pod, "other")


async def test_a_container_whose_supervisor_is_killed_counts_as_killed_and_starts_again(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", shell("sleep 1000 & echo up $$$$ $!; wait; sleep 1000"))
        await bench.until(lambda: logged(bench, "up"))
        pids = (await bench.log("pod")).split()[1:]
        present = bench.pods._lives[ObjectKey("team", "pod")].containers["main"].present
        assert present is not None
        os.kill(present.process.supervisor_pid, signal.SIGKILL)
        pod = await bench.seen("pod", lambda pod: container_status(pod).get("restartCount"))
        assert container_status(pod)["lastState"]["terminated"]["exitCode"] == 137
        if sys.platform == "linux":
            await bench.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


async def logged(bench: ProcessBench, text: str) -> bool:
    try:
        return text in await bench.log("pod")
    except ProcessPodError:
        return False


def test_the_back_off_grows_to_five_minutes_and_is_forgotten_after_ten_good_ones() -> None:
    policy = RestartPolicy("Always")
    delays = []
    for _ in range(8):
        delays.append(policy.delay())
        policy.crashes += 1
    assert delays == [0, 10, 20, 40, 80, 160, 300, 300]
    policy.ran_for(599)
    assert policy.delay() == 300
    policy.ran_for(600)
    assert policy.delay() == 0


def test_who_starts_again_is_the_pods_decision_the_containers_own_or_that_of_its_kind() -> None:
    def again(pod_policy: str, code: int, *, is_init: bool = False, own: str = "") -> bool:
        container = {"name": "x", **({"restartPolicy": own} if own else {})}
        return RestartPolicy.of({"spec": {"restartPolicy": pod_policy}}, container, is_init=is_init).restarts_after(
            code
        )

    assert again("Always", 0)
    assert not again("OnFailure", 0)
    assert again("OnFailure", 1)
    assert not again("Never", 1)
    assert not again("Always", 0, is_init=True)
    assert again("Always", 1, is_init=True)
    assert not again("Never", 1, is_init=True)
    assert again("Never", 0, is_init=True, own="Always"), "a sidecar"
    assert not again("Always", 1, own="Never")
