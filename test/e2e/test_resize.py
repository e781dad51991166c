"""New amounts of cpu and memory on a real control plane, whose Deployment controller replaces no server for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from support.embedded import following
from support.kubectl import Kubectl, eventually
from support.operator import Operator
from support.workloads import conditions, wait_for, workload

SMALL = {"cpu": "1", "memory": "1Gi"}
LARGE = {"cpu": "2", "memory": "2Gi"}
PROGRESSING = 'jsonpath={.status.conditions[?(@.type=="Progressing")].message}{"\\n"}'


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
    pods = [pod for pod in kubectl.items("pods") if "deletionTimestamp" not in pod["metadata"]]
    return [pod["status"]["containerStatuses"][0]["resources"]["limits"] for pod in pods]


@contextmanager
def told(kubectl: Kubectl, words: str) -> Iterator[None]:
    """Progressing says so at some time between here and the end, be it for a moment only: so it is watched."""
    with following(kubectl, "get", "aiworkloads", "--watch", "--output", PROGRESSING) as lines:
        eventually(lambda: lines)
        yield
        eventually(lambda: any(words in line for line in lines), told=lambda: lines)


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
    with told(kubectl, words):
        kubectl.apply(manifest)
    assert conditions(kubectl)["Available"]["status"] == "True"
    if "allocatable" not in words:
        wait_for(kubectl, "Ready", "True")
        assert not before & uids(kubectl)


@pytest.fixture
def frozen(admin: Kubectl, kubectl: Kubectl) -> Iterator[Kubectl]:
    """Nobody may change what the ReplicaSets of the namespace make their pods from."""
    name = f"frozen-{kubectl.namespace}"
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["replicasets"]}
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": kubectl.namespace}}}
    checks = [{"expression": "object.spec.template == oldObject.spec.template", "message": "templates stay"}]
    policy = {"matchConstraints": {"resourceRules": [rule]}, "validations": checks}
    binding = {"policyName": name, "matchResources": where, "validationActions": ["Deny"]}
    admin.apply({**head, "kind": "ValidatingAdmissionPolicy", "spec": policy})
    admin.apply({**head, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding})
    yield kubectl
    admin("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", name)


def test_where_replica_sets_may_not_change_a_rollout_brings_the_amounts(frozen: Kubectl) -> None:
    before = served(frozen, limits(SMALL))
    (replica_set,) = frozen.items("replicasets")
    name, change = replica_set["metadata"]["name"], '{"spec":{"template":{"metadata":{"annotations":{"a":"b"}}}}}'
    # A policy counts a moment after it was made.
    eventually(lambda: frozen.run("patch", "replicaset", name, "-p", change, "--dry-run=server").returncode != 0)
    with told(frozen, "templates stay"):
        frozen.apply(limits(LARGE))
    wait_for(frozen, "Ready", "True")
    assert not before & uids(frozen)
    assert amounts(frozen) == [LARGE, LARGE]
    deployments = frozen.items("deployments")
    assert [each["spec"].get("paused") for each in deployments] == [None, None]
    sets = {each["metadata"]["uid"] for each in frozen.items("replicasets")}
    assert replica_set["metadata"]["uid"] in sets, "the old Deployment's controller has replaced nothing"
    assert len(sets) == 2


def test_the_count_is_the_autoscalers_all_through(kubectl: Kubectl) -> None:
    manifest = limits(SMALL)
    manifest["spec"] |= {"replicas": 1, "autoscaling": {"enabled": True, "minReplicas": 1, "maxReplicas": 5}}
    served(kubectl, manifest)
    (deployment,) = kubectl.items("deployments")
    # No metrics are served here: so this is the count until somebody else changes it.
    kubectl("scale", "deployment", deployment["metadata"]["name"], "--replicas=3")
    eventually(lambda: len(uids(kubectl)) == 3)
    wait_for(kubectl, "Ready", "True")
    before = uids(kubectl)
    manifest["spec"]["resources"] = {"limits": LARGE}
    assert served(kubectl, manifest) == before
    assert amounts(kubectl) == [LARGE] * 3
    (deployment,) = kubectl.items("deployments")
    assert deployment["spec"]["replicas"] == 3
    assert "paused" not in deployment["spec"]
