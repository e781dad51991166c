"""The official Python client on our own kind: custom objects and the dynamic kube.client."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.kubectl import Kubectl
from support.workloads import workload
from unit.sim.server.pyclient import connected, kube, refused

GROUP, VERSION, PLURAL = "geartickler.com", "v1alpha1", "aiworkloads"


@pytest.fixture
def api_client(kubeconfig: Path) -> Iterator[Any]:
    with connected(kubeconfig) as opened:
        yield opened


@pytest.fixture
def custom(api_client: Any) -> Any:
    return kube.client.CustomObjectsApi(api_client)


@pytest.fixture
def place(kubectl: Kubectl) -> tuple[str, str, str, str]:
    """Where the test's workloads live."""
    return GROUP, VERSION, kubectl.namespace, PLURAL


@pytest.fixture
def dynamic(api_client: Any, tmp_path: Path) -> Any:
    return kube.dynamic.DynamicClient(api_client, cache_file=str(tmp_path / "discovery.json"))


def test_a_workload_is_created_read_patched_and_deleted(custom: Any, place: tuple[str, str, str, str]) -> None:
    created = custom.create_namespaced_custom_object(*place, workload())
    assert custom.get_namespaced_custom_object(*place, "demo") == created
    patched = custom.patch_namespaced_custom_object(*place, "demo", {"spec": {"modelVersion": "v2"}})
    assert (patched["spec"]["modelVersion"], patched["metadata"]["generation"]) == ("v2", 2)
    custom.delete_namespaced_custom_object(*place, "demo")
    assert custom.list_namespaced_custom_object(*place)["items"] == []


def test_the_status_has_a_door_of_its_own(custom: Any, place: tuple[str, str, str, str]) -> None:
    created = custom.create_namespaced_custom_object(*place, {**workload(), "status": {"readyReplicas": 9}})
    assert created.get("status", {}).get("readyReplicas", 0) == 0
    custom.patch_namespaced_custom_object_status(*place, "demo", {"status": {"readyReplicas": 1}})
    live = custom.get_namespaced_custom_object_status(*place, "demo")
    assert (live["status"]["readyReplicas"], live["metadata"]["generation"]) == (1, 1)


def test_the_scale_has_a_door_of_its_own(custom: Any, place: tuple[str, str, str, str]) -> None:
    custom.create_namespaced_custom_object(*place, workload())
    custom.patch_namespaced_custom_object_scale(*place, "demo", {"spec": {"replicas": 4}})
    assert custom.get_namespaced_custom_object_scale(*place, "demo")["spec"]["replicas"] == 4
    assert custom.get_namespaced_custom_object(*place, "demo")["spec"]["replicas"] == 4


def test_an_invalid_workload_is_a_422_that_names_the_field(custom: Any, place: tuple[str, str, str, str]) -> None:
    with refused() as status:
        custom.create_namespaced_custom_object(*place, workload(modelName=None))
    assert (status["code"], status["reason"]) == (422, "Invalid")
    assert "spec.modelName" in [cause["field"] for cause in status["details"]["causes"]]


def test_workloads_are_watched(custom: Any, place: tuple[str, str, str, str]) -> None:
    version = custom.list_namespaced_custom_object(*place)["metadata"]["resourceVersion"]
    custom.create_namespaced_custom_object(*place, workload())
    stream = kube.watch.Watch()
    for event in stream.stream(
        custom.list_namespaced_custom_object, *place, resource_version=version, timeout_seconds=30
    ):
        seen = (event["type"], event["object"]["metadata"]["name"])
        stream.stop()
    assert seen == ("ADDED", "demo")


def test_the_dynamic_client_discovers_our_kind_with_its_doors(dynamic: Any) -> None:
    found = dynamic.resources.get(api_version="geartickler.com/v1alpha1", kind="AIWorkload")
    assert (found.name, found.namespaced, found.short_names) == (PLURAL, True, ["aiw"])
    assert sorted(found.subresources) == ["scale", "status"]
    assert dynamic.resources.get(short_names=["srt"]).kind == "ServingRuntime"


def test_the_dynamic_client_applies_reads_and_deletes(dynamic: Any, kubectl: Kubectl) -> None:
    workloads = dynamic.resources.get(api_version="geartickler.com/v1alpha1", kind="AIWorkload")
    workloads.server_side_apply(body=workload(), namespace=kubectl.namespace, field_manager="test")
    live = workloads.get(name="demo", namespace=kubectl.namespace)
    assert (live.spec.modelName, live.metadata.managedFields[0].operation) == ("iris", "Apply")
    workloads.delete(name="demo", namespace=kubectl.namespace)
    with pytest.raises(kube.dynamic.exceptions.NotFoundError):
        workloads.get(name="demo", namespace=kubectl.namespace)


def test_the_dynamic_client_reaches_built_in_kinds(dynamic: Any) -> None:
    nodes = dynamic.resources.get(api_version="v1", kind="Node")
    assert [node.metadata.name for node in nodes.get(label_selector="nvidia.com/gpu.present=true").items] == [
        "gpu-0",
        "gpu-1",
    ]
