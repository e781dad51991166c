"""New amounts for servers that run, on a real kubelet: no restart, no lost request, another limit in the kernel."""

from pathlib import Path
from typing import Any

import pytest

from hack.images import ensure_image
from hack.node.cluster import NodeCluster
from support.asking import answers, asked_all_through
from support.kubectl import Kubectl, eventually
from support.workloads import conditions, wait_for, workload

SMALL = {"cpu": "100m", "memory": "32Mi"}
LARGE = {"cpu": "200m", "memory": "64Mi"}
HOST = "resize.test"


@pytest.fixture(scope="module")
def image(node: NodeCluster) -> str:
    made = ensure_image("busybox")
    node.load(made.archive)
    return made.reference


def server(image: str, limits: dict[str, str], replicas: int = 2, **spec: Any) -> dict[str, Any]:
    """A workload whose servers answer at /, and outside at the host `resize.test`."""
    return workload(
        framework=None,
        image=image,
        replicas=replicas,
        command=["sh", "-c", "echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"],
        ports=[{"name": "web", "containerPort": 8080}],
        resources={"limits": limits},
        inferenceEndpoint="/",
        terminationGracePeriodSeconds=10,
        ingress={"host": HOST, "className": "traefik"},
        **spec,
    )


def uids(team: Kubectl) -> set[str]:
    return {pod["metadata"]["uid"] for pod in team.items("pods")}


def limit_in_bytes(node: NodeCluster, team: Kubectl, pod: str) -> int:
    """The memory limit of the server's cgroup, by the kernel."""
    pid = node.container_pid(team.namespace, pod)
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return int((Path("/sys/fs/cgroup/memory") / path.lstrip("/") / "memory.limit_in_bytes").read_text())
        if not controllers and (limit := Path("/sys/fs/cgroup") / path.lstrip("/") / "memory.max").exists():
            return int(limit.read_text())
    raise AssertionError(pid)


@pytest.mark.usefixtures("released")
def test_servers_get_more_while_they_run_and_answer_all_through(node: NodeCluster, team: Kubectl, image: str) -> None:
    team.apply(server(image, SMALL))
    wait_for(team, "Ready", "True")
    before = uids(team)
    eventually(lambda: answers(node.address, HOST))
    with asked_all_through(node.address, HOST) as asked:
        team.apply(server(image, LARGE))
        wait_for(team, "Ready", "True")
        team.apply(server(image, LARGE, replicas=3))
        wait_for(team, "Ready", "True")
    assert asked.failures == []
    assert asked.answers > 0
    assert before < uids(team)
    pods = team.items("pods")
    assert [each["status"]["containerStatuses"][0]["restartCount"] for each in pods] == [0, 0, 0]
    assert [limit_in_bytes(node, team, each["metadata"]["name"]) for each in pods] == [64 * 1024 * 1024] * 3
    (replica_set,) = team.items("replicasets")
    assert replica_set["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] == LARGE


@pytest.mark.usefixtures("released")
def test_what_no_node_has_is_named_and_the_servers_go_on(node: NodeCluster, team: Kubectl, image: str) -> None:
    team.apply(server(image, SMALL, replicas=1))
    wait_for(team, "Ready", "True")
    before = uids(team)
    eventually(lambda: answers(node.address, HOST))
    with asked_all_through(node.address, HOST) as asked:
        team.apply(server(image, {"cpu": "1000", "memory": "32Mi"}, replicas=1))
        eventually(lambda: "new amounts need new servers" in progressing(team), told=lambda: progressing(team))
        assert "cpu" in progressing(team)
        assert before <= uids(team)
        team.apply(server(image, SMALL, replicas=1))
        wait_for(team, "Ready", "True")
    assert asked.failures == []
    assert uids(team) >= before


def progressing(team: Kubectl) -> str:
    return str(conditions(team).get("Progressing", {}).get("message", ""))


@pytest.mark.usefixtures("released")
def test_a_kubelet_that_is_away_is_named_and_its_servers_have_the_amounts_once_it_is_back(
    node: NodeCluster, team: Kubectl, image: str
) -> None:
    team.apply(server(image, SMALL, replicas=1))
    wait_for(team, "Ready", "True")
    before = uids(team)
    node.stop_kubelet()
    try:
        team.apply(server(image, LARGE, replicas=1))
        # It is named after a minute.
        eventually(lambda: "has not given pod" in progressing(team), told=lambda: progressing(team))
        (pod,) = team.items("pods")
        assert pod["metadata"]["name"] in progressing(team)
        assert "servers are replaced instead" in progressing(team)
    finally:
        node.start_kubelet()
    wait_for(team, "Ready", "True")
    assert uids(team) == before
    assert limit_in_bytes(node, team, pod["metadata"]["name"]) == 64 * 1024 * 1024
