"""AIWorkloads on the real API server, scheduler and controller manager."""

import json
import threading
import time
from functools import partial
from typing import Any

import pytest

from support.kubectl import Kubectl, eventually
from support.workloads import CPU, conditions, wait_for, workload

OWNED = ("deployments", "services", "ingresses", "hpa", "pdb", "controllerrevisions")


def status_of(kubectl: Kubectl, name: str = "demo") -> dict[str, Any]:
    found: dict[str, Any] = kubectl.get("aiworkload", name).get("status", {})
    return found


def ready_endpoints(kubectl: Kubectl, service: str) -> list[str]:
    slices = kubectl.items("endpointslices", "-l", f"kubernetes.io/service-name={service}")
    return [
        endpoint["targetRef"]["name"]
        for each in slices
        for endpoint in each.get("endpoints") or []
        if endpoint["conditions"].get("ready")
    ]


def test_the_bert_manifest_to_the_letter_becomes_ready(kubectl: Kubectl, bert: str) -> None:
    kubectl.apply(bert)
    kubectl("wait", "--for=condition=Ready", "aiworkload/bert-sentiment", "--timeout=120s")
    status = status_of(kubectl, "bert-sentiment")
    assert (status["readyReplicas"], status["version"]) == (2, "v1.0.0")
    assert status["versions"][0]["modelUri"] == "pvc://models/bert-base-uncased/v1.0.0"
    assert status["versions"][0]["runtime"] == "triton"
    ingress = kubectl.get("ingress", "bert-sentiment")
    assert ingress["spec"]["rules"][0]["http"]["paths"][0]["path"] == "/api/v1/predict"
    autoscaler = kubectl.get("hpa", "bert-sentiment")["spec"]
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == (2, 5)
    assert autoscaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 75
    assert kubectl.get("pdb", "bert-sentiment")["spec"]["maxUnavailable"] == 1
    assert len(ready_endpoints(kubectl, "bert-sentiment")) == 2
    scaling = conditions(kubectl, "bert-sentiment")["ScalingActive"]
    assert "targetGPUUtilization 80 is left out" in scaling["message"]
    row = kubectl("get", "aiw", "bert-sentiment", "--no-headers").split()
    assert row[:5] == ["bert-sentiment", "True", "Serving", "v1.0.0", "2"]


@pytest.mark.security(11, 20)
def test_the_pods_are_restricted_and_carry_no_token(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    wait_for(kubectl, "Ready", "True")  # the namespace enforces the restricted level: they would not exist otherwise
    (pod,) = kubectl.items("pods")
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert not any("token" in volume["name"] or "projected" in volume for volume in pod["spec"]["volumes"])


def test_a_new_version_rolls_out_without_a_gap_and_comes_back(kubectl: Kubectl) -> None:
    kubectl.apply(workload(replicas=3))
    wait_for(kubectl, "Ready", "True")
    first = status_of(kubectl)["versions"][0]["revision"]
    gaps: list[float] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            if not ready_endpoints(kubectl, "demo"):
                gaps.append(time.monotonic())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for version in ("v2", "v1"):
            kubectl.apply(workload(replicas=3, modelVersion=version))
            wait_for(kubectl, "Ready", "True")
            eventually(partial(_version_is, kubectl, version))
            assert conditions(kubectl)["Available"]["status"] == "True"
    finally:
        stop.set()
        watcher.join()
    assert gaps == []
    assert status_of(kubectl)["versions"][0]["revision"] == first


def test_ready_is_never_true_while_a_rollout_is_under_way(kubectl: Kubectl) -> None:
    kubectl.apply(workload(replicas=2))
    wait_for(kubectl, "Ready", "True")
    kubectl.apply(workload(replicas=2, args=["--slow"], image="registry.example/starts-slowly:1"))
    seen = wait_for(kubectl, "Progressing", "True")
    assert seen["reason"] == "RollingOut"
    now = conditions(kubectl)
    assert (now["Ready"]["status"], now["Available"]["status"]) == ("False", "True")
    assert now["Reconciling"]["status"] == "True"


@pytest.mark.parametrize(
    ("image", "reason", "words"),
    [
        ("registry.example/no-such-image:1", "ImageNotFound", "registry.example/no-such-image:1"),
        ("registry.example/crashes:1", "CrashLoop", "exit code 1 (Error): panic: the model file is damaged"),
        ("registry.example/runs-as-root:1", "ImageRunsAsRoot", "numeric non-root user"),
    ],
)
def test_what_blocks_a_new_image_is_said_while_the_old_one_serves(
    kubectl: Kubectl, image: str, reason: str, words: str
) -> None:
    kubectl.apply(workload(replicas=1))
    wait_for(kubectl, "Ready", "True")
    kubectl.apply(workload(replicas=1, image=image))
    degraded = wait_for(kubectl, "Degraded", "True", reason)
    assert words in degraded["message"]
    now = conditions(kubectl)
    assert (now["Ready"]["status"], now["Available"]["status"]) == ("False", "True")
    kubectl.apply(workload(replicas=1))
    wait_for(kubectl, "Ready", "True")


def test_an_unschedulable_workload_says_so_in_the_schedulers_own_words(kubectl: Kubectl) -> None:
    kubectl.apply(workload(resources={"limits": {"cpu": "1", "nvidia.com/gpu": 64}}))
    degraded = wait_for(kubectl, "Degraded", "True", "Unschedulable")
    assert "Insufficient nvidia.com/gpu" in degraded["message"]
    assert conditions(kubectl)["Available"]["status"] == "False"


def test_a_quota_that_refuses_pods_is_named(kubectl: Kubectl) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    kubectl.apply(quota)
    eventually(lambda: kubectl.get("resourcequota", "none").get("status", {}).get("hard"))
    kubectl.apply(workload())
    degraded = wait_for(kubectl, "Degraded", "True", "QuotaExceeded")
    assert "exceeded quota" in degraded["message"]


def test_an_unknown_framework_names_what_was_asked_and_what_exists(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    wait_for(kubectl, "Ready", "True")
    kubectl.apply(workload(framework="Fortran"))
    refused = wait_for(kubectl, "Accepted", "False", "NoServingRuntime")
    assert "'Fortran'" in refused["message"]
    assert "triton (ONNX, PyTorch, TensorFlow)" in refused["message"]
    now = conditions(kubectl)
    assert (now["Available"]["status"], now["Stalled"]["status"]) == ("True", "True")
    assert ready_endpoints(kubectl, "demo")
    kubectl.apply(workload(framework="SKLearn"))
    wait_for(kubectl, "Ready", "True")


def test_framework_names_match_without_regard_to_case(kubectl: Kubectl) -> None:
    kubectl.apply(workload(framework="XGBOOST"))
    wait_for(kubectl, "Ready", "True")
    assert status_of(kubectl)["versions"][0]["runtime"] == "mlserver-xgboost"


def test_deleting_leaves_nothing_behind(kubectl: Kubectl, bert: str) -> None:
    kubectl.apply(bert)
    kubectl("wait", "--for=condition=Ready", "aiworkload/bert-sentiment", "--timeout=120s")
    kubectl("delete", "aiworkload", "bert-sentiment")

    def left() -> list[str]:
        return [
            f"{item['kind']}/{item['metadata']['name']}"
            for kind in (*OWNED, "pods", "replicasets", "endpointslices")
            for item in kubectl.items(kind)
        ]

    eventually(lambda: not left(), told=left)


@pytest.mark.parametrize("kind", ["deployments", "services", "ingresses", "hpa", "pdb"])
def test_a_child_deleted_by_hand_comes_back(kubectl: Kubectl, bert: str, kind: str) -> None:
    kubectl.apply(bert)
    kubectl("wait", "--for=condition=Ready", "aiworkload/bert-sentiment", "--timeout=120s")
    victim = kubectl.items(kind, "-l", "geartickler.com/aiworkload=bert-sentiment")[0]["metadata"]
    kubectl("delete", kind, victim["name"])
    eventually(
        lambda: (
            kubectl.run("get", kind, victim["name"]).returncode == 0
            and kubectl.get(kind, victim["name"])["metadata"]["uid"] != victim["uid"]
        )
    )
    wait_for(kubectl, "Ready", "True", name="bert-sentiment")


def test_a_child_edited_by_hand_is_repaired(kubectl: Kubectl, bert: str) -> None:
    kubectl.apply(bert)
    kubectl("wait", "--for=condition=Ready", "aiworkload/bert-sentiment", "--timeout=120s")
    edits: dict[str, dict[str, Any]] = {
        "service": {"spec": {"selector": {"nobody": "here"}, "ports": [{"name": "more", "port": 9999}]}},
        "pdb": {"spec": {"maxUnavailable": 2}},
        "hpa": {"spec": {"maxReplicas": 50}},
    }
    before = {kind: kubectl.get(kind, "bert-sentiment")["spec"] for kind in edits}
    for kind, edit in edits.items():
        kubectl("patch", kind, "bert-sentiment", "--type", "merge", "-p", json.dumps(edit))
    for kind, spec in before.items():
        eventually(partial(_spec_is, kubectl, kind, spec), told=partial(_spec, kubectl, kind))


@pytest.mark.security(10)
def test_a_foreign_object_of_a_childs_name_is_never_adopted(kubectl: Kubectl) -> None:
    ports = [{"port": 1}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "demo"}, "spec": {"ports": ports}}
    kubectl.apply(service)
    kubectl.apply(workload())
    conflict = wait_for(kubectl, "Ready", "False", "NameConflict")
    assert "Service demo" in conflict["message"]
    found = kubectl.get("service", "demo")
    assert "ownerReferences" not in found["metadata"]
    assert found["spec"]["ports"][0]["port"] == 1


def test_kubectl_scale_changes_the_count(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    wait_for(kubectl, "Ready", "True")
    kubectl("scale", "aiworkload/demo", "--replicas=3")
    eventually(lambda: status_of(kubectl)["readyReplicas"] == 3)
    wait_for(kubectl, "Ready", "True")


def test_scaled_to_zero_serves_nothing_as_asked(kubectl: Kubectl) -> None:
    kubectl.apply(workload(replicas=0))
    assert wait_for(kubectl, "Ready", "True")["reason"] == "ScaledToZero"
    assert conditions(kubectl)["Available"]["status"] == "False"


def test_the_autoscalers_count_is_left_to_it_and_kept_through_a_rollout(kubectl: Kubectl) -> None:
    scaling = {"enabled": True, "minReplicas": 1, "maxReplicas": 5, "targetCPUUtilization": 50}
    kubectl.apply(workload(replicas=1, autoscaling=scaling))
    wait_for(kubectl, "Ready", "True")
    (deployment,) = [item["metadata"]["name"] for item in kubectl.items("deployments")]
    kubectl("scale", f"deployment/{deployment}", "--replicas=4")  # as the autoscaler would: another manager's write
    eventually(lambda: status_of(kubectl)["readyReplicas"] == 4)
    eventually(lambda: len(ready_endpoints(kubectl, "demo")) == 4)  # they follow a moment later
    kubectl.apply(workload(replicas=1, autoscaling=scaling, modelVersion="v2"))
    lowest = 4

    def rolled() -> bool:
        nonlocal lowest
        lowest = min(lowest, len(ready_endpoints(kubectl, "demo")))
        status = status_of(kubectl)
        return bool(status["version"] == "v2" and conditions(kubectl).get("Ready", {}).get("status") == "True")

    eventually(rolled)
    assert lowest >= 4
    assert status_of(kubectl)["readyReplicas"] == 4
    target = kubectl.get("hpa", "demo")["spec"]["scaleTargetRef"]["name"]
    assert target != deployment


def test_a_name_of_63_characters_works(kubectl: Kubectl) -> None:
    name = "a" * 63
    kubectl.apply(workload(name))
    wait_for(kubectl, "Ready", "True", name=name)


def test_an_image_of_ones_own_is_served(kubectl: Kubectl) -> None:
    own = workload(framework=None, image="registry.example/mine:1", ports=[{"name": "web", "containerPort": 9000}])
    kubectl.apply(own)
    wait_for(kubectl, "Ready", "True")
    (pod,) = kubectl.items("pods")
    assert pod["spec"]["containers"][0]["ports"] == [{"name": "http", "containerPort": 9000, "protocol": "TCP"}]


def test_old_revisions_are_kept_for_a_while_and_then_removed(kubectl: Kubectl) -> None:
    for number in range(5):
        kubectl.apply(workload(modelVersion=f"v{number}", resources=CPU))
        wait_for(kubectl, "Ready", "True")
    eventually(lambda: len(kubectl.items("controllerrevisions")) == 3)
    eventually(lambda: len(kubectl.items("deployments")) == 3)


def _version_is(kubectl: Kubectl, version: str) -> bool:
    return bool(status_of(kubectl)["version"] == version)


def _spec(kubectl: Kubectl, kind: str) -> Any:
    return kubectl.get(kind, "bert-sentiment")["spec"]


def _spec_is(kubectl: Kubectl, kind: str, spec: Any) -> bool:
    return bool(_spec(kubectl, kind) == spec)
