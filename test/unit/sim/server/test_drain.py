"""`kubectl drain`: evictions, one by one as the budget lets them."""

from collections.abc import Iterator

import pytest

from support.kubectl import Kubectl, eventually


@pytest.fixture
def node(kubectl: Kubectl) -> Iterator[str]:
    yield "gpu-0"
    kubectl("uncordon", "gpu-0", "gpu-1", "cpu-0")


def test_a_node_is_drained_as_fast_as_the_budget_lets_it(kubectl: Kubectl, node: str) -> None:
    kubectl("create", "deployment", "web", "--image=serve:1", "--replicas=3")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    kubectl("create", "poddisruptionbudget", "web", "--selector=app=web", "--min-available=2")
    allowed = ("get", "pdb", "web", "-o", "jsonpath={.status.disruptionsAllowed}")
    eventually(lambda: kubectl(*allowed) == "1")
    for other in ("gpu-1", "cpu-0"):
        kubectl("cordon", other)
    kubectl("delete", "pods", "--all", "--wait=false")
    eventually(lambda: nodes_of(kubectl) == {node})
    for other in ("gpu-1", "cpu-0"):
        kubectl("uncordon", other)
    told = kubectl("drain", node, "--pod-selector=app=web", "--timeout=100s")
    assert told.count("evicted") == 3
    assert node not in nodes_of(kubectl)


def nodes_of(kubectl: Kubectl) -> set[str]:
    pods = [pod for pod in kubectl.items("pods") if not pod["metadata"].get("deletionTimestamp")]
    return {pod["spec"].get("nodeName", "") for pod in pods}
