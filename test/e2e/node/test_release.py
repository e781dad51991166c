"""The chart on a real node, as a platform engineer installs it: what runs there is what its manifests promise."""

from pathlib import Path
from typing import Any

import pytest

from hack.node.cluster import NodeCluster
from support.kubectl import Kubectl
from support.replicas import HEALTH_PORT, SYSTEM, Replicas, pod_of

pytestmark = [pytest.mark.real, pytest.mark.slow]
_NOBODY = "65532"


def process(node: NodeCluster, pod: str) -> Path:
    """The kernel's own account of the container's first process."""
    return Path("/proc") / str(node.container_pid(SYSTEM, pod))


def statuses(process: Path) -> dict[str, list[str]]:
    lines = (process / "status").read_text().splitlines()
    return {name: values.split() for name, _, values in (line.partition(":") for line in lines)}


def names(replicas: Replicas) -> list[str]:
    return [pod["metadata"]["name"] for pod in replicas.pods()]


def test_its_namespace_enforces_restricted_pods_and_both_run_there(admin: Kubectl, replicas: Replicas) -> None:
    labels = admin.get("namespace", SYSTEM)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert replicas.ready(2)


def test_its_processes_have_no_privilege_that_the_kernel_knows(node: NodeCluster, replicas: Replicas) -> None:
    for pod in names(replicas):
        found = statuses(process(node, pod))
        assert set(found["Uid"] + found["Gid"]) == {_NOBODY}
        assert {int(found[name][0], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
        assert (found["NoNewPrivs"], found["Seccomp"]) == (["1"], ["2"])


def test_nothing_can_be_written_but_the_folder_for_temporary_files(node: NodeCluster, replicas: Replicas) -> None:
    for pod in names(replicas):
        mounts = [line.split() for line in (process(node, pod) / "mountinfo").read_text().splitlines()]
        options = {line[4]: line[5].split(",") for line in mounts}
        assert "ro" in options["/"]
        assert "rw" in options["/tmp"]  # noqa: S108 - the pod's
        assert "ro" in options["/var/run/secrets/kubernetes.io/serviceaccount"]


def test_kubelet_asks_both_probes_and_hears_well_of_it(replicas: Replicas) -> None:
    for pod in replicas.pods():
        (container,) = pod["spec"]["containers"]
        for kind, path in (("livenessProbe", "healthz"), ("readinessProbe", "readyz")):
            assert container[kind]["httpGet"]["path"] == f"/{path}"
            assert replicas.fetch(pod["metadata"]["name"], HEALTH_PORT, path).strip() == "ok"
        dead = [each for each in _events(replicas, pod) if each["message"].startswith("Liveness probe failed")]
        # Before it listens for the first time kubelet may hear nothing; who was heard is not found dead later.
        assert all("connection refused" in each["message"] for each in dead)


def test_one_of_the_two_leads_and_the_lease_names_it(replicas: Replicas) -> None:
    leading = {pod: replicas.metric(pod, "leader_election_master_status") for pod in names(replicas)}
    assert leading == {pod: float(pod == pod_of(replicas.leader())) for pod in names(replicas)}


def _events(replicas: Replicas, pod: Any) -> list[Any]:
    selector = f"involvedObject.uid={pod['metadata']['uid']}"
    return replicas.kubectl.items("events", "--field-selector", selector)
