"""What an AIWorkload says of its servers reaches the pods of a real cluster, and what it names is used."""

import base64
import json
from typing import Any

import pytest

from support.kubectl import Kubectl, eventually
from support.workloads import wait_for, workload

PRODUCT = "NVIDIA-H100-80GB-HBM3"  # what the simulated nodes carry


def pod_of(kubectl: Kubectl, name: str = "demo") -> Any:
    """The one pod of a workload, once there is one."""
    selector = f"geartickler.com/aiworkload={name}"
    return eventually(lambda: kubectl.items("pods", "-l", selector))[0]


def server_of(pod: Any) -> Any:
    return pod["spec"]["containers"][0]


def secret(name: str, **keys: str) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in keys.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def test_environment_out_of_secrets_and_config_maps_is_a_reference_to_them(kubectl: Kubectl) -> None:
    kubectl.apply(secret("api", token="canary"))
    kubectl("create", "configmap", "settings", "--from-literal=level=debug")
    env: list[dict[str, Any]] = [
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "api", "key": "token"}}},
        {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "level"}}},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "PLAIN", "value": "x"},
    ]
    whole = [{"secretRef": {"name": "api"}, "prefix": "A_"}, {"configMapRef": {"name": "settings", "optional": True}}]
    kubectl.apply(workload(env=env, envFrom=whole))
    wait_for(kubectl, "Ready", "True")
    container = server_of(pod_of(kubectl))
    given = {each["name"]: each for each in container["env"]}
    assert [given[each["name"]].get("valueFrom", {}).keys() for each in env[:2]] == [
        {"secretKeyRef"},
        {"configMapKeyRef"},
    ]
    assert given["POD"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert given["PLAIN"]["value"] == "x"
    assert container["envFrom"] == whole
    assert "canary" not in json.dumps(kubectl.get("deployments,controllerrevisions,aiworkloads,events"))


def test_the_probes_of_all_four_kinds_are_made(kubectl: Kubectl) -> None:
    probes = {
        "startup": {"type": "TCP", "failureThreshold": 99},
        "readiness": {"type": "GRPC", "port": "grpc", "service": "ready"},
        "liveness": {"type": "Exec", "command": ["test", "-e", "/tmp/alive"], "initialDelaySeconds": 7},  # noqa: S108
    }
    kubectl.apply(workload(probes=probes))
    container = server_of(pod_of(kubectl))
    assert container["startupProbe"]["tcpSocket"] == {"port": "http"}
    assert container["startupProbe"]["failureThreshold"] == 99
    assert container["readinessProbe"]["grpc"] == {"port": 8081, "service": "ready"}
    assert container["livenessProbe"]["exec"]["command"][0] == "test"
    assert container["livenessProbe"]["initialDelaySeconds"] == 7


@pytest.mark.parametrize(
    ("gpu", "resources"),
    [
        ({"product": [PRODUCT]}, {"nvidia.com/gpu": "1"}),
        ({"memory": "80Gi"}, {"nvidia.com/gpu": "1"}),
        ({"product": [PRODUCT, "NVIDIA-L4"], "memory": "40Gi"}, {"nvidia.com/gpu": "1"}),
    ],
)
def test_a_kind_of_gpu_is_found_by_the_scheduler(kubectl: Kubectl, gpu: Any, resources: Any) -> None:
    kubectl.apply(workload(gpu=gpu))
    wait_for(kubectl, "Ready", "True")
    pod = pod_of(kubectl)
    assert pod["spec"]["nodeName"].startswith("gpu-")
    assert resources.items() <= server_of(pod)["resources"]["limits"].items()


@pytest.mark.parametrize(
    ("gpu", "short"),
    [
        ({"product": ["NVIDIA-B300"]}, "affinity"),
        ({"memory": "200Gi"}, "affinity"),
        ({"mig": "1g.10gb"}, "mig-1g.10gb"),
    ],
)
def test_a_kind_of_gpu_that_no_node_has_is_said_in_the_schedulers_words(kubectl: Kubectl, gpu: Any, short: str) -> None:
    kubectl.apply(workload(gpu=gpu))
    assert short in wait_for(kubectl, "Ready", "False", "Unschedulable")["message"]


def test_scheduling_fields_arrive_as_they_were_written(kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "reader")
    near = {"weight": 3, "podAffinityTerm": {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "zone"}}
    asked: dict[str, Any] = {
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [near]}},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "priorityClassName": "serving-high",
        "serviceAccountName": "reader",
        "imagePullSecrets": [{"name": "registry"}],
        "terminationGracePeriodSeconds": 90,
    }
    kubectl.apply(
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "serving-high"},
            "value": 1000,
        }
    )
    try:
        kubectl.apply(workload(**asked, topologySpreadConstraints=[{"topologyKey": "kubernetes.io/hostname"}]))
        wait_for(kubectl, "Ready", "True")
        spec = pod_of(kubectl)["spec"]
    finally:
        kubectl("delete", "priorityclass", "serving-high")
    assert spec["affinity"] == asked["affinity"]
    assert asked["nodeSelector"].items() <= spec["nodeSelector"].items()
    assert asked["tolerations"][0] in spec["tolerations"]
    assert spec["priorityClassName"] == "serving-high"
    assert (spec["serviceAccountName"], spec["automountServiceAccountToken"]) == ("reader", False)
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["terminationGracePeriodSeconds"] == 90
    (spread,) = spec["topologySpreadConstraints"]
    assert spread["matchLabelKeys"] == ["geartickler.com/revision"]
    assert not [volume for volume in spec["volumes"] if "projected" in volume]


def test_the_model_is_measured_and_fetched_with_the_namespaces_own_credentials(kubectl: Kubectl) -> None:
    kubectl.apply(secret("storage", AWS_ACCESS_KEY_ID="canary"))
    kubectl.apply(workload(modelUri="s3://bucket/iris", credentials={"secretName": "storage"}))
    spec = pod_of(kubectl)["spec"]
    assert [each["args"][:2] for each in spec["initContainers"]] == [
        ["measure", "s3://bucket/iris"],
        ["fetch", "s3://bucket/iris"],
    ]
    assert {each["envFrom"][0]["secretRef"]["name"] for each in spec["initContainers"]} == {"storage"}
    assert "envFrom" not in spec["containers"][0]


def test_a_model_in_a_claim_is_mounted_read_only(kubectl: Kubectl) -> None:
    kubectl.apply(workload(modelUri="pvc://models/iris/v1"))
    wait_for(kubectl, "Ready", "True")
    spec = pod_of(kubectl)["spec"]
    (volume,) = [each for each in spec["volumes"] if "persistentVolumeClaim" in each]
    assert volume["persistentVolumeClaim"] == {"claimName": "models", "readOnly": True}
    (mount,) = [each for each in spec["containers"][0]["volumeMounts"] if each["name"] == volume["name"]]
    assert (mount["readOnly"], mount["subPath"]) == (True, "iris/v1")


def test_the_settings_of_a_version_are_taken_with_it_and_left_with_it(kubectl: Kubectl) -> None:
    versions = [{"name": "v2", "args": ["--two"], "env": [{"name": "LEVEL", "value": "2"}]}]
    kubectl.apply(workload(args=["--one"], versions=versions))
    wait_for(kubectl, "Ready", "True")
    assert server_of(pod_of(kubectl))["args"] == ["--one"]
    for version, argument in (("v2", "--two"), ("v1", "--one")):
        kubectl.apply(workload(args=["--one"], versions=versions, modelVersion=version))
        wait_for(kubectl, "Ready", "True")
        running = [pod for pod in kubectl.items("pods") if not pod["metadata"].get("deletionTimestamp")]
        assert [server_of(pod)["args"] for pod in running] == [[argument]]
