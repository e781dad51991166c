"""kubectl wait and delete, and what deletion leaves behind."""

import json
from concurrent.futures import ThreadPoolExecutor

from support.kubectl import Kubectl, eventually
from support.workloads import workload
from unit.sim.server.manifests import deployment


def _say(kubectl: Kubectl, kind: str, status: str, generation: int = 1) -> None:
    condition = {
        "type": kind,
        "status": status,
        "reason": "Test",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": generation,
    }
    patch = json.dumps({"status": {"conditions": [condition]}})
    kubectl("patch", "aiworkload", "demo", "--subresource=status", "--type=merge", "-p", patch)


def test_wait_for_a_condition_ends_when_it_holds(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    _say(kubectl, "Ready", "False")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(kubectl, "wait", "aiworkload/demo", "--for=condition=Ready", "--timeout=60s")
        _say(kubectl, "Ready", "True")
        assert waiting.result() == "aiworkload.geartickler.com/demo condition met\n"


def test_wait_for_a_condition_that_does_not_hold_runs_out_of_time(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    _say(kubectl, "Ready", "False")
    told = kubectl.refusal("wait", "aiworkload/demo", "--for=condition=Ready", "--timeout=1s")
    assert "timed out waiting for the condition" in told


def test_a_condition_of_an_older_generation_does_not_end_the_wait(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    _say(kubectl, "Ready", "True")
    kubectl.apply(workload(modelVersion="v2"))
    kubectl.refusal("wait", "aiworkload/demo", "--for=condition=Ready", "--timeout=1s")
    _say(kubectl, "Ready", "True", generation=2)
    kubectl("wait", "aiworkload/demo", "--for=condition=Ready", "--timeout=60s")


def test_wait_for_a_jsonpath_ends_when_the_value_is_there(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    with ThreadPoolExecutor(1) as pool:
        words = ("wait", "aiworkload/demo", "--for=jsonpath={.spec.modelVersion}=v2", "--timeout=60s")
        waiting = pool.submit(kubectl, *words)
        kubectl.apply(workload(modelVersion="v2"))
        assert waiting.result().endswith("condition met\n")


def test_wait_for_a_deletion_ends_when_the_object_is_gone(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(kubectl, "wait", "aiworkload/demo", "--for=delete", "--timeout=60s")
        kubectl("delete", "aiworkload", "demo")
        waiting.result()
    assert kubectl.items("aiworkloads") == []


def test_an_object_with_a_finalizer_goes_when_the_finalizer_does(kubectl: Kubectl) -> None:
    manifest = workload()
    manifest["metadata"]["finalizers"] = ["geartickler.com/test"]
    kubectl.apply(manifest)
    kubectl("delete", "aiworkload", "demo", "--wait=false")
    assert kubectl.get("aiworkload", "demo")["metadata"]["deletionTimestamp"]
    kubectl("patch", "aiworkload", "demo", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    assert kubectl.items("aiworkloads") == []


def test_a_deletion_in_the_background_takes_the_children_after(kubectl: Kubectl) -> None:
    _deploy(kubectl)
    kubectl("delete", "deployment", "web", "--cascade=background")
    eventually(lambda: kubectl.items("replicasets,pods") == [], told=lambda: kubectl("get", "all"))


def test_a_deletion_in_the_foreground_takes_the_children_before(kubectl: Kubectl) -> None:
    _deploy(kubectl)
    kubectl("delete", "deployment", "web", "--cascade=foreground", "--timeout=60s")
    assert kubectl.items("deployments,replicasets") == []


def test_an_orphaning_deletion_leaves_the_children_without_an_owner(kubectl: Kubectl) -> None:
    _deploy(kubectl)
    kubectl("delete", "deployment", "web", "--cascade=orphan", "--timeout=60s")
    [replica_set] = kubectl.items("replicasets")
    assert "ownerReferences" not in replica_set["metadata"]
    assert len(kubectl.items("pods")) == 1


def test_a_deletion_by_label_spares_the_others(kubectl: Kubectl) -> None:
    for name in ("one", "two"):
        kubectl.apply({**workload(name), "metadata": {"name": name, "labels": {"team": name}}})
    kubectl("delete", "aiworkloads", "-l", "team=one")
    assert [each["metadata"]["name"] for each in kubectl.items("aiworkloads")] == ["two"]


def test_a_namespace_takes_everything_in_it_along(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    kubectl("delete", "namespace", kubectl.namespace, "--timeout=60s")
    assert kubectl.items("aiworkloads") == []


def test_deleting_what_does_not_exist_is_refused_unless_that_is_fine(kubectl: Kubectl) -> None:
    assert "not found" in kubectl.refusal("delete", "aiworkload", "ghost")
    assert kubectl("delete", "aiworkload", "ghost", "--ignore-not-found") == ""


def _deploy(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web"))
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
