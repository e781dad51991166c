"""New amounts of cpu and memory on a real control plane, whose Deployment controller replaces no server for them."""

from typing import Any

import pytest

from support.kubectl import Kubectl, eventually
from support.operator import Operator
from support.workloads import conditions, wait_for, workload

SMALL = {"cpu": "1", "memory": "1Gi"}
LARGE = {"cpu": "2", "memory": "2Gi"}


def limits(amounts: dict[str, str]) -> dict[str, Any]:
    """With arguments that the API server writes otherwise than we do."""
    return workload(replicas=2, resources={"limits": amounts}, args=["--less=a<b", "--more=a>b&c"])


def served(kubectl: Kubectl, manifest: dict[str, Any]) -> set[str]:
    """The UIDs of its servers, once all is rolled out."""
    kubectl.apply(manifest)
    wait_for(kubectl, "Ready", "True")
    return uids(kubectl)


def uids(kubectl: Kubectl) -> set[str]:
    return {pod["metadata"]["uid"] for pod in kubectl.items("pods") if "deletionTimestamp" not in pod["metadata"]}


def amounts(kubectl: Kubectl) -> list[dict[str, str]]:
    """What every server has, by its kubelet."""
    return [pod["status"]["containerStatuses"][0]["resources"]["limits"] for pod in kubectl.items("pods")]


def test_more_memory_comes_to_the_servers_that_run_and_to_new_ones(kubectl: Kubectl) -> None:
    before = served(kubectl, limits(SMALL))
    assert served(kubectl, limits(LARGE)) == before
    assert amounts(kubectl) == [LARGE, LARGE]
    (deployment,) = kubectl.items("deployments")
    assert "paused" not in deployment["spec"]
    assert len(kubectl.items("replicasets")) == 1
    manifest = limits(LARGE)
    manifest["spec"]["replicas"] = 3
    kubectl.apply(manifest)
    wait_for(kubectl, "Ready", "True")
    assert amounts(kubectl) == [LARGE] * 3
    assert before < uids(kubectl)


def test_what_was_given_can_be_taken_back(kubectl: Kubectl) -> None:
    before = served(kubectl, limits(SMALL))
    assert served(kubectl, limits(LARGE)) == before
    assert served(kubectl, limits(SMALL)) == before
    assert amounts(kubectl) == [SMALL, SMALL]


def test_a_change_overtaken_by_another_ends_with_the_last_one(kubectl: Kubectl) -> None:
    before = served(kubectl, limits(SMALL))
    kubectl.apply(limits({"cpu": "3", "memory": "3Gi"}))
    assert served(kubectl, limits(LARGE)) == before
    assert amounts(kubectl) == [LARGE, LARGE]


def test_an_operator_killed_in_the_middle_goes_on_where_it_was(kubectl: Kubectl, operator: Operator) -> None:
    before = served(kubectl, limits(SMALL))
    kubectl.apply(limits(LARGE))
    eventually(
        lambda: any(pod["spec"]["containers"][0]["resources"]["limits"] == LARGE for pod in kubectl.items("pods"))
    )
    operator.kill()
    operator.start()
    wait_for(kubectl, "Ready", "True")
    assert uids(kubectl) == before
    assert amounts(kubectl) == [LARGE, LARGE]


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ({"limits": {"cpu": "64", "memory": "1Gi"}}, "enough allocatable resources: cpu"),
        ({"limits": {"cpu": "2", "memory": "2Gi"}, "requests": {"cpu": "1"}}, "quality of service"),
    ],
)
def test_what_needs_a_restart_says_so(kubectl: Kubectl, resources: dict[str, Any], words: str) -> None:
    before = served(kubectl, limits(SMALL))
    manifest = limits(SMALL)
    manifest["spec"]["resources"] = resources
    kubectl.apply(manifest)
    eventually(lambda: words in conditions(kubectl).get("Progressing", {}).get("message", ""))
    assert conditions(kubectl)["Available"]["status"] == "True"
    if "allocatable" not in words:
        wait_for(kubectl, "Ready", "True")
        assert not before & uids(kubectl)
