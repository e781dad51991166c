"""A new version where every GPU is taken: the real scheduler and quota say no, and it rolls out all the same."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from aiop.sim.cluster.nodes import NodeSpec
from support.controlplane import Cluster
from support.embedded import following
from support.kubectl import Kubectl, eventually
from support.kubelets import kubelets
from support.workloads import conditions, wait_for, workload

POOL = "aiop-test/pool"
NODES = tuple(
    NodeSpec(f"{pool}-{number}", gpus=1, labels={POOL: pool}) for pool in ("red", "blue") for number in (1, 2)
)
# A minute of the operator's patience, then a server after the other.
ROLLOUT_SECONDS = 150.0
GPU = {"limits": {"cpu": "100m", "memory": "64Mi", "nvidia.com/gpu": 1}}
_CONDITION = '.status.conditions[?(@.type=="Progressing")]'
PROGRESSING = f'{{.metadata.name}}|{{{_CONDITION}.reason}}|{{{_CONDITION}.message}}{{"\\n"}}'
SCALED = {"enabled": True, "minReplicas": 2, "maxReplicas": 4, "targetCPUUtilization": 50}


@pytest.fixture(scope="module")
def small_nodes(cluster: Cluster, admin: Kubectl, installed: None) -> Iterator[None]:
    """Two pools of two nodes with one GPU each, which nobody gets but who asks for them."""
    with kubelets(cluster.kubeconfig, NODES):
        admin("taint", "nodes", "-l", POOL, f"{POOL}=small:NoSchedule")
        yield
        admin("delete", "nodes", "-l", POOL)


def served(name: str, version: str, where: Mapping[str, str], *, replicas: int = 2, **spec: Any) -> dict[str, Any]:
    spec |= {"nodeSelector": dict(where), "tolerations": [{"key": POOL, "operator": "Exists"}]}
    return workload(name, modelVersion=version, replicas=replicas, resources=GPU, **spec)


def ready_pods(kubectl: Kubectl, name: str) -> int:
    return sum(
        each["type"] == "Ready" and each["status"] == "True" and "deletionTimestamp" not in pod["metadata"]
        for pod in kubectl.items("pods", "-l", f"geartickler.com/aiworkload={name}")
        for each in pod["status"].get("conditions", [])
    )


def roll(kubectl: Kubectl, least: int, *names: str) -> dict[str, set[tuple[str, str]]]:
    """Wait until v2 serves alone, never with fewer ready servers; what Progressing said on the way, all of it."""

    def rolled(name: str) -> bool:
        assert ready_pods(kubectl, name) >= least
        found = conditions(kubectl, name)
        status = kubectl.get("aiworkload", name)["status"]
        return bool(status["version"] == "v2" and found.get("Ready", {}).get("status") == "True")

    # A watch: what is told for a second only would be missed by looking now and then.
    with following(kubectl, "get", "aiworkloads", "--watch", "--output", f"jsonpath={PROGRESSING}") as lines:
        eventually(lambda: sum(map(rolled, names)) == len(names), seconds=ROLLOUT_SECONDS, told=lambda: lines)
    told: dict[str, set[tuple[str, str]]] = {name: set() for name in names}
    for line in lines:
        name, reason, message = line.split("|", 2)
        told[name].add((reason, message))
    return told


@pytest.mark.usefixtures("small_nodes")
def test_two_servers_on_two_gpus_get_a_new_version_one_after_the_other(kubectl: Kubectl) -> None:
    places: dict[str, dict[str, Any]] = {"red": {}, "blue": {"autoscaling": SCALED}}
    for version in ("v1", "v2"):
        for name, more in places.items():
            kubectl.apply(served(name, version, {POOL: name}, **more))
        if version == "v1":
            for name in places:
                wait_for(kubectl, "Ready", "True", name=name)
    for told in roll(kubectl, 1, *places).values():
        # Once an old server has gone there is room again: which moments the status tells is a matter of its pace.
        assert any("Insufficient nvidia.com/gpu" in words for _, words in told)
        found = [words for reason, words in told if reason == "RollingOutInPlace"]
        assert found
        assert found[0].startswith("v2 takes v1's place one server at a time without an extra one, since ")
    for name in places:
        eventually(lambda name=name: ready_pods(kubectl, name) == 2)  # type: ignore[misc]  # mypy takes no default
    for each in kubectl.items("deployments"):
        assert "geartickler.com/rollout" not in each["metadata"]["annotations"]
    autoscaler = kubectl.get("hpa", "blue")["spec"]
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == (2, 4)


@pytest.mark.usefixtures("small_nodes")
def test_the_only_server_stays_until_it_is_told_to_go_first(kubectl: Kubectl) -> None:
    where = {"kubernetes.io/hostname": "red-1"}
    kubectl.apply(served("demo", "v1", where, replicas=1))
    wait_for(kubectl, "Ready", "True")
    kubectl.apply(served("demo", "v2", where, replicas=1))
    stays = wait_for(kubectl, "Progressing", "True", "LastServerStays")
    assert "set spec.rollout.maxUnavailable: 1" in stays["message"]
    assert ready_pods(kubectl, "demo") == 1
    kubectl.apply(served("demo", "v2", where, replicas=1, rollout={"maxUnavailable": 1}))
    roll(kubectl, 0, "demo")


def test_a_full_quota_is_a_full_cluster(kubectl: Kubectl) -> None:
    hard = {"hard": {"requests.nvidia.com/gpu": "2"}}
    kubectl.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "gpus"}, "spec": hard})
    kubectl.apply(workload(replicas=2, resources=GPU))
    wait_for(kubectl, "Ready", "True")
    kubectl.apply(workload(modelVersion="v2", replicas=2, resources=GPU))
    (told,) = roll(kubectl, 1, "demo").values()
    assert any("since a quota leaves no room: gpus, requested: requests.nvidia.com/gpu=1" in words for _, words in told)
