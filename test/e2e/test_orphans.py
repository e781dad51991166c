"""`kubectl delete --cascade=orphan`: the AIWorkload goes, and what was made for it goes on serving."""

from typing import Any

from support.kubectl import Kubectl, eventually
from support.workloads import wait_for, workload

CHILDREN = "controllerrevisions,deployments,services,poddisruptionbudgets,ingresses"
MINE = ("-l", "geartickler.com/aiworkload=demo")
EXPOSED = {"inferenceEndpoint": "/predict"}


def children(kubectl: Kubectl) -> list[tuple[str, str, list[Any]]]:
    """Kind, UID and owners of all that was made."""
    found = (each["metadata"] | {"kind": each["kind"]} for each in kubectl.items(CHILDREN, *MINE))
    return sorted((each["kind"], each["uid"], each.get("ownerReferences", [])) for each in found)


def orphaned(kubectl: Kubectl) -> list[str]:
    """Delete the ready workload alone; the UIDs of what it leaves."""
    kubectl.apply(workload(**EXPOSED))
    wait_for(kubectl, "Ready", "True")
    made = children(kubectl)
    kubectl("delete", "aiworkload", "demo", "--cascade=orphan", "--timeout=120s")
    left = children(kubectl)
    assert [each[:2] for each in left] == [each[:2] for each in made]
    assert {kind for kind, *_ in left} == {
        "ControllerRevision", "Deployment", "Ingress", "PodDisruptionBudget", "Service",
    }  # fmt: skip
    assert not any(owners for *_, owners in left)
    return [uid for _, uid, _ in left]


def test_what_an_orphaning_deletion_leaves_serves_on_and_is_left_alone(kubectl: Kubectl) -> None:
    uids = orphaned(kubectl)
    # The operator has seen the deletion when it has made what was asked for after it.
    kubectl.apply(workload("later"))
    wait_for(kubectl, "Ready", "True", name="later")
    assert [uid for _, uid, _ in children(kubectl)] == uids
    slices = kubectl.items("endpointslices", "-l", "kubernetes.io/service-name=demo")
    assert [point["conditions"]["ready"] for each in slices for point in each["endpoints"]] == [True]


def test_a_new_workload_of_that_name_names_what_is_in_its_way_and_follows_once_it_is_gone(kubectl: Kubectl) -> None:
    uids = orphaned(kubectl)
    kubectl.apply(workload(**EXPOSED))
    message = wait_for(kubectl, "Ready", "False", "NameConflict")["message"]
    assert "ControllerRevision demo-" in message
    assert [uid for _, uid, _ in children(kubectl)] == uids
    assert not any(owners for *_, owners in children(kubectl))
    kubectl("delete", CHILDREN, *MINE, "--timeout=120s")
    wait_for(kubectl, "Ready", "True")
    assert not {uid for _, uid, _ in children(kubectl)} & set(uids)
    eventually(lambda: all(owners for *_, owners in children(kubectl)))
