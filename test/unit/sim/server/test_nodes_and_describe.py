"""Nodes with GPUs, and what kubectl describe tells of them, of pods and of our own kind."""

import json

from support.kubectl import Kubectl
from support.workloads import workload
from unit.sim.server.manifests import deployment


def test_nodes_have_gpus_and_the_labels_of_gpu_feature_discovery(kubectl: Kubectl) -> None:
    node = kubectl.get("node", "gpu-0")
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "8"
    assert node["metadata"]["labels"]["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3"
    assert kubectl("get", "nodes", "-l", "nvidia.com/gpu.present=true", "-o", "name").split() == [
        "node/gpu-0",
        "node/gpu-1",
    ]


def test_the_table_of_nodes_says_which_are_ready_and_what_they_run(kubectl: Kubectl) -> None:
    head, row = kubectl("get", "node", "gpu-0").splitlines()
    assert head.split() == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert row.split()[:3] == ["gpu-0", "Ready", "<none>"]
    assert row.split()[-1].startswith("v1.")


def test_a_cordoned_node_says_that_nothing_is_scheduled_there(kubectl: Kubectl) -> None:
    kubectl("cordon", "cpu-0")
    try:
        assert "Ready,SchedulingDisabled" in kubectl("get", "node", "cpu-0")
    finally:
        kubectl("uncordon", "cpu-0")
    assert "SchedulingDisabled" not in kubectl("get", "node", "cpu-0")


def test_describe_node_adds_up_what_its_pods_ask_for(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", gpus=2))
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    [pod] = kubectl.items("pods")
    told = kubectl("describe", "node", pod["spec"]["nodeName"])
    assert "nvidia.com/gpu:     8" in told
    assert pod["metadata"]["name"] in told
    allocated = [line.split() for line in told.partition("Allocated resources")[2].splitlines()]
    assert [int(words[1]) >= 2 for words in allocated if words[:1] == ["nvidia.com/gpu"]] == [True]


def test_describe_pod_tells_its_state_and_its_events(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web"))
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    told = kubectl("describe", "pods")
    assert "Controlled By:  ReplicaSet/web-" in told
    assert "Status:           Running" in told
    assert "Normal  Scheduled" in told


def test_describe_tells_our_spec_and_the_events_about_it(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    kubectl("create", "-f", "-", stdin=json.dumps(_event(kubectl)))
    told = kubectl("describe", "aiworkload", "demo")
    assert "Model Name:     iris" in told
    assert "Warning  NoCapacity" in told


def test_events_are_listed_with_what_they_are_about(kubectl: Kubectl) -> None:
    kubectl.apply(workload())
    kubectl("create", "-f", "-", stdin=json.dumps(_event(kubectl)))
    head, row = kubectl("get", "events").splitlines()
    assert head.split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert row.split(maxsplit=4)[1:] == ["Warning", "NoCapacity", "aiworkload/demo", "no node has a free GPU"]
    assert "AIWorkload/demo" in kubectl("events", "--for", "aiworkload/demo")


def _event(kubectl: Kubectl) -> dict[str, object]:
    live = kubectl.get("aiworkload", "demo")
    about = {field: live["metadata"][field] for field in ("name", "namespace", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "demo.1"},
        "involvedObject": {"apiVersion": live["apiVersion"], "kind": live["kind"], **about},
        "type": "Warning",
        "reason": "NoCapacity",
        "message": "no node has a free GPU",
        "lastTimestamp": live["metadata"]["creationTimestamp"],
    }
