"""The official Python client: built-in kinds, errors, pages and watches."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aiop.sim.server import discovery
from support.kubectl import Kubectl, eventually
from unit.sim.server.manifests import config_map, deployment
from unit.sim.server.pyclient import connected, kube, refused


@pytest.fixture
def core(kubeconfig: Path) -> Iterator[Any]:
    with connected(kubeconfig) as api_client:
        yield kube.client.CoreV1Api(api_client)


@pytest.fixture
def namespace(kubectl: Kubectl) -> str:
    return kubectl.namespace


def test_the_kubeconfig_is_loaded_as_the_default(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    settings = kube.client.Configuration()
    kube.config.load_kube_config(str(kubeconfig), client_configuration=settings)
    with kube.client.ApiClient(settings) as api_client:
        assert kube.client.VersionApi(api_client).get_code().major == "1"


def test_nodes_are_listed_with_their_gpus(core: Any) -> None:
    gpus = {node.metadata.name: node.status.capacity.get("nvidia.com/gpu") for node in core.list_node().items}
    assert gpus == {"gpu-0": "8", "gpu-1": "8", "cpu-0": None}


def test_an_object_is_created_patched_replaced_and_deleted(core: Any, namespace: str) -> None:
    meta = kube.client.V1ObjectMeta(name="settings")
    core.create_namespaced_config_map(namespace, kube.client.V1ConfigMap(metadata=meta, data={"mode": "fast"}))
    patched = core.patch_namespaced_config_map("settings", namespace, {"data": {"size": "2"}})
    assert patched.data == {"mode": "fast", "size": "2"}
    patched.data = {"mode": "slow"}
    assert core.replace_namespaced_config_map("settings", namespace, patched).data == {"mode": "slow"}
    assert core.delete_namespaced_config_map("settings", namespace)["status"] == "Success"
    names = [each.metadata.name for each in core.list_namespaced_config_map(namespace).items]
    assert "settings" not in names


def test_what_does_not_exist_is_a_404_with_its_reason(core: Any, namespace: str) -> None:
    with refused() as status:
        core.read_namespaced_config_map("ghost", namespace)
    assert (status["code"], status["reason"]) == (404, "NotFound")


def test_a_name_that_is_taken_is_a_409_with_its_reason(core: Any, namespace: str) -> None:
    core.create_namespaced_config_map(namespace, config_map("settings"))
    with refused() as status:
        core.create_namespaced_config_map(namespace, config_map("settings"))
    assert (status["code"], status["reason"]) == (409, "AlreadyExists")


def test_a_stale_version_is_a_409_with_its_reason(core: Any, namespace: str) -> None:
    stale = core.create_namespaced_config_map(namespace, config_map("settings"))
    core.patch_namespaced_config_map("settings", namespace, {"data": {"mode": "fast"}})
    with refused() as status:
        core.replace_namespaced_config_map("settings", namespace, stale)
    assert (status["code"], status["reason"]) == (409, "Conflict")


def test_a_fault_of_the_server_is_a_500_with_its_reason(core: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> dict[str, Any]:
        message = "out of order"
        raise ArithmeticError(message)

    monkeypatch.setattr(discovery, "groups", broken)
    with refused() as status:
        kube.client.ApisApi(core.api_client).get_api_versions()
    assert (status["code"], status["reason"]) == (500, "InternalError")
    assert "out of order" in status["message"]


def test_pages_show_each_object_once_and_one_moment(core: Any, namespace: str) -> None:
    for number in range(5):
        core.create_namespaced_config_map(namespace, {**config_map(f"c-{number}"), "metadata": _labelled(number)})
    page = core.list_namespaced_config_map(namespace, label_selector="paged", limit=2)
    names, left = [each.metadata.name for each in page.items], [page.metadata.remaining_item_count]
    core.create_namespaced_config_map(namespace, {**config_map("late"), "metadata": _labelled(9)})
    while page.metadata._continue:
        page = core.list_namespaced_config_map(
            namespace, label_selector="paged", limit=2, _continue=page.metadata._continue
        )
        names += [each.metadata.name for each in page.items]
        left.append(page.metadata.remaining_item_count)
    assert names == [f"c-{number}" for number in range(5)]
    assert left == [3, 1, None]


def test_a_watch_from_a_version_tells_what_happened_since(core: Any, namespace: str) -> None:
    core.create_namespaced_config_map(namespace, config_map("before"))
    version = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.create_namespaced_config_map(namespace, config_map("after"))
    core.patch_namespaced_config_map("before", namespace, {"data": {"mode": "fast"}})
    core.delete_namespaced_config_map("after", namespace)
    wanted = [("ADDED", "after"), ("MODIFIED", "before"), ("DELETED", "after")]
    seen = []
    stream = kube.watch.Watch()
    for event in stream.stream(
        core.list_namespaced_config_map, namespace, resource_version=version, timeout_seconds=30
    ):
        if event["object"].metadata.name in {"before", "after"}:
            seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == len(wanted):
            stream.stop()
    assert seen == wanted


def test_a_watch_without_a_version_begins_with_what_is_there(core: Any) -> None:
    stream = kube.watch.Watch().stream(core.list_node, timeout_seconds=1)
    added = [event["object"].metadata.name for event in stream if event["type"] == "ADDED"]
    assert added == ["cpu-0", "gpu-0", "gpu-1"]


def test_a_deployment_is_created_and_its_status_read(core: Any, namespace: str) -> None:
    apps = kube.client.AppsV1Api(core.api_client)
    created = apps.create_namespaced_deployment(namespace, deployment("web", replicas=2))
    assert created.spec.strategy.type == "RollingUpdate"
    eventually(lambda: apps.read_namespaced_deployment_status("web", namespace).status.ready_replicas == 2)
    assert apps.read_namespaced_deployment_scale("web", namespace).status.selector == "app=web"
    apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 1}})
    eventually(lambda: len(core.list_namespaced_pod(namespace, label_selector="app=web").items) == 1)


def test_a_deletion_in_the_foreground_is_asked_for_in_the_body(core: Any, namespace: str) -> None:
    apps = kube.client.AppsV1Api(core.api_client)
    apps.create_namespaced_deployment(namespace, deployment("web"))
    eventually(lambda: core.list_namespaced_pod(namespace).items)
    apps.delete_namespaced_deployment(
        "web", namespace, body=kube.client.V1DeleteOptions(propagation_policy="Foreground")
    )
    eventually(lambda: not apps.list_namespaced_deployment(namespace).items)
    assert apps.list_namespaced_replica_set(namespace).items == []


def _labelled(number: int) -> dict[str, object]:
    name = "late" if number == 9 else f"c-{number}"
    return {"name": name, "labels": {"paged": "yes"}}
