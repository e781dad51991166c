"""Autoscaling by the real autoscaler, with a played adapter of metrics behind the real API server's aggregator."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from support.controlplane import Cluster
from support.kubectl import Kubectl, eventually
from support.metricsadapter import CUSTOM, RESOURCE, Adapter, metrics_adapter
from support.workloads import conditions, wait_for, workload

GPU = "DCGM_FI_DEV_GPU_UTIL"
OPERATOR = "system:serviceaccount:aiop-system:aiop"
# The autoscaler looks every 15 s, and asks anew which APIs there are as often.
SCALING_SECONDS = 120.0
# Two looks of the autoscaler, and a dozen of ours.
QUIET_SECONDS = 32.0
RESOURCES = {"limits": {"cpu": "100m", "memory": "64Mi", "nvidia.com/gpu": 1}}
BEHAVIOR: dict[str, Any] = {
    "scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}]},
    "scaleDown": {"stabilizationWindowSeconds": 600, "selectPolicy": "Min"},
}


@pytest.fixture
def adapter(admin: Kubectl) -> Iterator[Adapter]:
    """Listens, serves metrics-server's part, and has no metric of its own yet."""
    with metrics_adapter(admin) as running, running.registered(RESOURCE):
        yield running


def scaled(**fields: Any) -> dict[str, Any]:
    scaling = {"enabled": True, "minReplicas": 1, "maxReplicas": 3, **fields}
    return workload(replicas=1, resources=RESOURCES, autoscaling=scaling)


def spec_of(kubectl: Kubectl) -> dict[str, Any]:
    found: dict[str, Any] = kubectl.get("hpa", "demo")["spec"]
    return found


def metrics_of(kubectl: Kubectl) -> list[str]:
    """The names of the metrics that the autoscaler aims at."""
    return [
        each["pods"]["metric"]["name"] if each["type"] == "Pods" else each["resource"]["name"]
        for each in spec_of(kubectl)["metrics"]
    ]


def message_of(kubectl: Kubectl) -> str:
    return str(conditions(kubectl).get("ScalingActive", {}).get("message", ""))


def says(kubectl: Kubectl, words: str) -> str:
    """Wait until ScalingActive has those words."""

    def found() -> str:
        message = message_of(kubectl)
        return message if words in message else ""

    return str(eventually(found, seconds=SCALING_SECONDS, told=partial(message_of, kubectl)))


def readings_of(kubectl: Kubectl) -> dict[str, dict[str, str]]:
    status = kubectl.get("aiworkload", "demo")["status"].get("autoscaling", {})
    return {each["name"]: each for each in status.get("metrics", [])}


def replicas_of(kubectl: Kubectl) -> int:
    (found,) = kubectl.items("deployments")
    return int(found["spec"]["replicas"])


def writes_of(cluster: Cluster, kubectl: Kubectl) -> list[str]:
    return [
        f"{each['verb']} {each['objectRef']['resource']}/{each['objectRef'].get('name', '')}"
        for each in cluster.writes(OPERATOR)
        if each["objectRef"].get("namespace") == kubectl.namespace
    ]


@pytest.mark.slow
def test_the_gpu_metric_is_in_the_autoscaler_while_it_is_served_and_scales(
    cluster: Cluster, kubectl: Kubectl, adapter: Adapter
) -> None:
    kubectl.apply(
        scaled(targetCPUUtilization=75, targetMemoryUtilization=60, targetGPUUtilization=80, behavior=BEHAVIOR)
    )
    says(kubectl, "targetGPUUtilization 80 is left out: this cluster has no API custom.metrics.k8s.io")
    assert metrics_of(kubectl) == ["cpu", "memory"]
    assert spec_of(kubectl)["behavior"]["scaleUp"]["policies"] == BEHAVIOR["scaleUp"]["policies"]
    assert spec_of(kubectl)["behavior"]["scaleDown"].items() >= BEHAVIOR["scaleDown"].items()

    with adapter.registered(CUSTOM):
        says(kubectl, f"custom.metrics.k8s.io serves no metric {GPU} of pods")
        adapter.values[GPU] = None
        says(kubectl, f"the metric {GPU} has no value for these pods")
        assert replicas_of(kubectl) == 1

        adapter.values[GPU] = "160"
        eventually(lambda: metrics_of(kubectl) == ["cpu", "memory", GPU], told=partial(metrics_of, kubectl))
        eventually(lambda: replicas_of(kubectl) == 3, seconds=SCALING_SECONDS, told=partial(kubectl, "describe", "hpa"))
        reached = wait_for(kubectl, "ScalingActive", "True", "AtMaximum")
        assert "CPU 75 % and memory 60 % and GPU 80 %" in reached["message"]
        wait_for(kubectl, "Ready", "True")

        adapter.values[GPU] = "80"
        wait_for(kubectl, "ScalingActive", "True", "AutoscalerActive")
        eventually(
            lambda: (
                {name: each.get("current") for name, each in readings_of(kubectl).items()}
                == {"cpu": "50%", "memory": "25%", GPU: "80%"}
            ),
            seconds=SCALING_SECONDS,
            told=partial(readings_of, kubectl),
        )
        before = writes_of(cluster, kubectl)
        ends = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < ends:
            adapter.values[GPU] = "84" if adapter.values[GPU] == "78" else "78"
            time.sleep(3.0)
        assert writes_of(cluster, kubectl)[len(before) :] == []

    eventually(lambda: metrics_of(kubectl) == ["cpu", "memory"], told=partial(metrics_of, kubectl))
    says(kubectl, "targetGPUUtilization 80 is left out: this cluster has no API custom.metrics.k8s.io")
    assert conditions(kubectl)["ScalingActive"]["status"] == "True"
    assert spec_of(kubectl)["behavior"]["scaleUp"]["policies"] == BEHAVIOR["scaleUp"]["policies"]


@pytest.mark.slow
def test_a_workload_scaled_by_its_gpus_alone_keeps_its_servers_when_the_metric_goes(
    kubectl: Kubectl, adapter: Adapter
) -> None:
    adapter.values[GPU] = None
    kubectl.apply(scaled(targetGPUUtilization=80))
    wait_for(kubectl, "ScalingActive", "False", "NoUsableMetric")
    assert kubectl.items("hpa") == []
    with adapter.registered(CUSTOM):
        adapter.values[GPU] = "160"
        eventually(lambda: kubectl.items("hpa"))
        eventually(lambda: replicas_of(kubectl) == 3, seconds=SCALING_SECONDS, told=partial(kubectl, "describe", "hpa"))
    says(kubectl, "keeps the number of servers as it is")
    assert conditions(kubectl)["ScalingActive"]["reason"] == "NoUsableMetric"
    kubectl("scale", "aiworkload/demo", "--replicas=1")
    wait_for(kubectl, "Ready", "True")
    assert replicas_of(kubectl) == 3


@pytest.mark.slow
def test_kubectl_scale_changes_nothing_under_an_autoscaler_and_the_condition_says_so(
    kubectl: Kubectl, adapter: Adapter
) -> None:
    kubectl.apply(scaled(targetCPUUtilization=75))
    wait_for(kubectl, "Ready", "True")
    eventually(lambda: wait_for(kubectl, "ScalingActive", "True"), seconds=SCALING_SECONDS)
    kubectl("scale", "aiworkload/demo", "--replicas=3")
    wait_for(kubectl, "Ready", "True")
    assert "kubectl scale changes nothing" in message_of(kubectl)
    assert replicas_of(kubectl) == 1
