"""`aiop manager` as a process: its options reach what they steer, and it ends as it should."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.embedded import CRDS, embedded_cluster
from support.kubectl import Kubectl, eventually
from support.operator import Operator
from support.workloads import conditions, workload

BOUND_SECONDS = 60


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("manager") / "kubeconfig"
    with embedded_cluster(path):
        Kubectl(path)("apply", "-f", str(CRDS))
        yield path


def ended(*arguments: str) -> tuple[int, list[dict[str, str]]]:
    """Runs it to its end: the exit code and its log."""
    done = subprocess.run(
        [sys.executable, "-m", "aiop", "manager", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=BOUND_SECONDS,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]


def test_a_kubeconfig_that_is_not_there_ends_it_with_1_and_its_name(tmp_path: Path) -> None:
    code, log = ended("--kubeconfig", str(tmp_path / "absent"))
    assert code == 1
    assert str(tmp_path / "absent") in log[-1]["error"]


def test_an_address_that_is_taken_ends_it_with_1_and_the_address(kubeconfig: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        where = f"127.0.0.1:{port}"
        code, log = ended("--kubeconfig", str(kubeconfig), "--health-address", "", "--metrics-address", where)
    assert code == 1
    assert str(port) in log[-1]["error"]


def test_it_leads_by_a_lease_where_it_is_told_to_and_gives_it_back(kubeconfig: Path, tmp_path: Path) -> None:
    operator = Operator(kubeconfig, tmp_path / "log", "--lease-namespace", "kube-public", "--workers", "3")
    operator.start()
    lease = Kubectl(kubeconfig, namespace="kube-public")
    try:
        eventually(lambda: lease.items("leases"), told=operator.words)
        assert lease.get("lease", "aiop-manager")["spec"]["holderIdentity"]
        metrics = eventually(lambda: operator.fetch(operator.metrics), told=operator.words)
        workers = re.findall(r"^controller_runtime_max_concurrent_reconciles\{.*\} (\S+)$", metrics, re.MULTILINE)
        assert set(workers) == {"3.0"}
    finally:
        code = operator.stop()
    assert code == 0
    assert not lease.get("lease", "aiop-manager")["spec"].get("holderIdentity")


def test_killed_and_started_again_in_its_pod_it_leads_without_waiting_for_its_leases_end(
    kubeconfig: Path, tmp_path: Path
) -> None:
    operator = Operator(kubeconfig, tmp_path / "log", "--lease-name", "restarted", "--pod-uid", "of-this-pod")
    kubectl = Kubectl(kubeconfig, namespace="default")

    def holder() -> str:
        found = kubectl.run("get", "lease", "restarted", "-o", "jsonpath={.spec.holderIdentity}")
        return found.stdout.strip()

    operator.start()
    try:
        first = eventually(holder, told=operator.words)
        assert "_of-this-pod_" in first
        operator.kill()
        # Its end is out of reach: who leads now has not waited for it.
        kubectl("patch", "lease", "restarted", "--type=merge", "--patch", '{"spec": {"leaseDurationSeconds": 86400}}')
        operator.start()
        eventually(lambda: holder() not in ("", first), told=operator.words)
    finally:
        operator.stop()


def test_without_leader_election_there_is_no_lease_and_the_options_of_serving_reach_the_pods(
    kubeconfig: Path, tmp_path: Path
) -> None:
    kubectl = Kubectl(kubeconfig, namespace="wired")
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "wired"}})
    options = (
        "--model-store",
        "s3://bucket/models",
        "--fetch-image",
        "example.org/fetch:9",
        "--gpu-metric",
        "gpu_busy",
    )
    operator = Operator(kubeconfig, tmp_path / "log", "--no-leader-election", "--lease-namespace", "wired", *options)
    operator.start()
    try:
        kubectl.apply(workload(autoscaling={"enabled": True, "targetGPUUtilization": 80}))
        found = eventually(lambda: kubectl.items("deployments"), told=operator.words)
        fetcher = found[0]["spec"]["template"]["spec"]["initContainers"][0]
        assert fetcher["image"] == "example.org/fetch:9"
        assert any(argument.startswith("s3://bucket/models/") for argument in fetcher["args"])
        assert kubectl.items("leases") == []
        missing = "this cluster has no API custom.metrics.k8s.io; install an adapter that serves the metric gpu_busy"
        eventually(lambda: missing in conditions(kubectl)["ScalingActive"]["message"], told=operator.words)
        written = re.search(r"^write_lane_wait_seconds_count (\S+)$", operator.fetch(operator.metrics), re.MULTILINE)
        assert written, "the operator's writes go by the lane"
        assert float(written[1]) > 0
    finally:
        code = operator.stop()
    assert code == 0
