"""The demo on the real control plane, as a newcomer types it."""

import os
import subprocess
import sys
from pathlib import Path

from hack.controlplane.launch import ControlPlane
from support.kubectl import Kubectl
from support.kubelets import kubelets
from support.workloads import models_volume

SAMPLES = ("bert-sent", "iris", "llama")
BOUND_SECONDS = 300


def demo(*arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", "aiop", "demo", "--once", *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=BOUND_SECONDS,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_brings_the_samples_to_ready_on_a_real_control_plane_of_its_own() -> None:
    shown = demo("--cluster", "real")
    assert all(f"default/{name}" in shown for name in SAMPLES), shown
    assert shown.count("│ True  │") == len(SAMPLES), shown


def test_the_demo_brings_the_samples_to_ready_on_the_cluster_of_the_callers_kubeconfig(tmp_path: Path) -> None:
    with ControlPlane(tmp_path) as plane, kubelets(plane.kubeconfig):
        Kubectl(plane.kubeconfig).apply(models_volume("default-models", "default"))
        shown = demo("--cluster", "current", KUBECONFIG=str(plane.kubeconfig))
        told = {event["reason"] for event in Kubectl(plane.kubeconfig, "default").items("events")}
    assert shown.count("│ True  │") == len(SAMPLES), shown
    assert "Serving" in told
    assert "NoServingRuntime" not in told, "a new cluster has its default runtimes before the first pass"


def test_the_demo_says_which_kubeconfig_is_missing() -> None:
    command = [sys.executable, "-m", "aiop", "demo", "--once", "--cluster", "current"]
    environment = {**os.environ, "KUBECONFIG": "/nonexistent/kubeconfig"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.returncode == 1
    assert "there is no kubeconfig at /nonexistent/kubeconfig" in done.stdout.replace("\n", " ")
