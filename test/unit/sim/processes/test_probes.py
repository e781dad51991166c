"""Probes that are really made."""

import os
from pathlib import Path
from typing import Any

import pytest

from aiop.sim.processes.thresholds import Thresholds
from support.processpods import ProcessBench, container_status, process_pods, ready, running

Object = dict[str, Any]
PORTS = [{"name": "http", "containerPort": 8080}]


def web(**rest: Any) -> Object:
    return {"name": "main", "image": "web:1", "ports": PORTS, **rest}


def get(path: str, **rest: Any) -> Object:
    return {"httpGet": {"path": path, "port": "http", **rest}, "periodSeconds": 1, "timeoutSeconds": 10}


async def said(bench: ProcessBench, reason: str, words: str) -> None:
    async def look() -> bool:
        return any(each == reason and words in message for each, message in await bench.events("pod"))

    await bench.until(look)


@pytest.mark.parametrize(
    "probe",
    [
        get("/anything"),
        get("/status/302"),
        get("/redirect//other"),
        get("//192.0.2.1/status/200?a=b c"),
        {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        {"exec": {"command": ["sh", "-c", "exit 0"]}, "periodSeconds": 1, "timeoutSeconds": 60},
    ],
    ids=["http", "redirect without location", "redirect on the host", "two slashes", "tcp", "exec"],
)
async def test_what_answers_is_ready(tmp_path: Path, probe: Object) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", web(readinessProbe=probe))
        await bench.seen("pod", ready)


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        (get("/status/500"), "Readiness probe failed: HTTP probe failed with statuscode: 500"),
        (get("/redirect//status/404"), "Readiness probe failed: HTTP probe failed with statuscode: 404"),
        (get("/slow"), "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
        (get("/", port=1), "connect: connection refused"),
        (get("/", port="nothing"), "couldn't find port: nothing"),
        ({"tcpSocket": {"port": 1}, "periodSeconds": 1}, "connect: connection refused"),
        ({"exec": {"command": ["sh", "-c", "echo no; exit 1"]}, "timeoutSeconds": 60}, "Readiness probe failed: no\n"),
        ({"exec": {"command": ["sleep", "1000"]}, "periodSeconds": 1}, "timed out after 1s"),
        ({"exec": {"command": ["no-such-command"]}, "timeoutSeconds": 60}, "executable file not found in $PATH"),
        ({"grpc": {"port": 8080}, "periodSeconds": 1}, "probes of the kind grpc are not made"),
    ],
    ids=["status", "redirect", "slow", "refused", "no port", "tcp", "exec", "exec slow", "exec missing", "grpc"],
)
async def test_what_does_not_answer_is_not_ready_and_the_event_says_why(
    tmp_path: Path, probe: Object, words: str
) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", web(readinessProbe=probe))
        pod = await bench.seen("pod", running)
        await said(bench, "Unhealthy", words)
        assert not ready(pod)


async def test_what_a_probes_command_leaves_behind_goes_with_it_and_does_not_hold_it_up(tmp_path: Path) -> None:
    # It keeps the probe's own output open, in a session of its own.
    script = "setsid sleep 1000 & echo $! > /scratch/new; mv /scratch/new /scratch/left"
    probe = {"exec": {"command": ["sh", "-c", script]}, "periodSeconds": 1000, "timeoutSeconds": 60}
    mount = {"volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", web(readinessProbe=probe, **mount), volumes=[{"name": "scratch", "emptyDir": {}}])
        await bench.seen("pod", ready)
        [left] = tmp_path.rglob("scratch/left")  # noqa: ASYNC240 - a handful of files
        with pytest.raises(ProcessLookupError):
            os.kill(int(left.read_text()), 0)


async def test_a_redirect_to_another_host_is_not_followed_and_counts_as_an_answer(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", web(readinessProbe=get("/redirect/http://192.0.2.1/")))
        await bench.seen("pod", ready)
        await said(bench, "ProbeWarning", "Readiness probe warning: Probe terminated redirects")


async def test_a_probe_sends_the_headers_it_was_told(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        headers = [{"name": "X-Team", "value": "vision"}]
        await bench.pod("pod", web(readinessProbe=get("/header/X-Team", httpHeaders=headers)))
        await bench.seen("pod", ready)
        assert "X-Team: vision" in await bench.log("pod")


async def test_a_container_that_fails_its_liveness_probe_is_restarted(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        probe = get("/status/500") | {"failureThreshold": 2, "terminationGracePeriodSeconds": 5}
        await bench.pod("pod", web(livenessProbe=probe))
        pod = await bench.seen("pod", lambda pod: container_status(pod).get("restartCount"))
        assert container_status(pod)["lastState"]["terminated"]["exitCode"] == 143
        await said(bench, "Killing", "Container main failed liveness probe, will be restarted")


async def test_no_other_probe_is_made_before_the_startup_probe_has_succeeded(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        flag = tmp_path / "flag"
        startup = {
            "exec": {"command": ["test", "-e", str(flag)]},
            "periodSeconds": 1,
            "timeoutSeconds": 60,
            "failureThreshold": 10000,
        }
        await bench.pod("pod", web(startupProbe=startup, readinessProbe=get("/"), livenessProbe=get("/status/500")))
        pod = await bench.seen("pod", running)
        await said(bench, "Unhealthy", "Startup probe failed")
        assert container_status(pod)["started"] is False
        assert not ready(pod)
        assert container_status(pod)["restartCount"] == 0
        flag.touch()
        await said(bench, "Unhealthy", "Liveness probe failed")


async def test_a_container_that_never_starts_up_is_restarted(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", web(startupProbe=get("/status/500")))
        await bench.seen("pod", lambda pod: container_status(pod).get("restartCount"))
        await said(bench, "Killing", "Container main failed startup probe, will be restarted")


async def test_a_probe_waits_its_initial_delay(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("pod", web(readinessProbe=get("/") | {"initialDelaySeconds": 10}))
        await bench.seen("pod", running)
        began = bench.bench.clock.monotonic()
        await bench.seen("pod", ready)
        assert bench.bench.clock.monotonic() - began >= 9


def test_results_change_what_holds_only_after_enough_of_them_in_a_row() -> None:
    thresholds = Thresholds(success=2, failure=3)
    results = [True, True, False, False, True, False, False, False]
    assert [thresholds.after(each) for each in results] == [None, True, None, None, None, None, None, False]
