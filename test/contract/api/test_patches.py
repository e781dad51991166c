"""Merge, strategic and JSON patches."""

from contract.api.widgets import COLLECTION, config_map, deployment, widget
from support.raw_api import JSON_PATCH, STRATEGIC_PATCH, RawAPI


def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def deployments(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/deployments"


async def test_a_merge_patch_sets_and_removes(api: RawAPI, namespace: str) -> None:
    await api.post(maps(namespace), config_map(a="1", b="2"))
    answer = await api.patch(f"{maps(namespace)}/one", {"data": {"a": None, "c": "3"}})
    assert answer.body["data"] == {"b": "2", "c": "3"}


async def test_a_merge_patch_replaces_lists(api: RawAPI, namespace: str) -> None:
    path = COLLECTION.format(namespace=namespace)
    await api.post(path, widget(tags=["a", "b"]))
    answer = await api.patch(f"{path}/one", {"spec": {"tags": ["c"]}})
    assert answer.body["spec"]["tags"] == ["c"]


async def test_a_json_patch_tests_and_replaces(api: RawAPI, namespace: str) -> None:
    await api.post(maps(namespace), config_map(a="1"))
    good = [{"op": "test", "path": "/data/a", "value": "1"}, {"op": "replace", "path": "/data/a", "value": "2"}]
    answer = await api.patch(f"{maps(namespace)}/one", good, JSON_PATCH)
    assert answer.body["data"] == {"a": "2"}
    stale = await api.patch(f"{maps(namespace)}/one", good, JSON_PATCH)
    assert (stale.status, stale.body["reason"]) == (422, "Invalid")


async def test_a_strategic_patch_merges_containers_and_env_by_name(api: RawAPI, namespace: str) -> None:
    await api.post(deployments(namespace), deployment())
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "env": [{"name": "A", "value": "1"}]}]}}}}
    await api.patch(f"{deployments(namespace)}/web", patch, STRATEGIC_PATCH)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "env": [{"name": "B", "value": "2"}]}]}}}}
    answer = await api.patch(f"{deployments(namespace)}/web", patch, STRATEGIC_PATCH)
    container = answer.body["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "registry.example/web:1"
    assert sorted(container["env"], key=lambda item: str(item["name"])) == [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "2"},
    ]


async def test_a_strategic_patch_deletes_by_directive(api: RawAPI, namespace: str) -> None:
    body = deployment()
    body["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "registry.example/side:1"})
    await api.post(deployments(namespace), body)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}}
    answer = await api.patch(f"{deployments(namespace)}/web", patch, STRATEGIC_PATCH)
    assert [item["name"] for item in answer.body["spec"]["template"]["spec"]["containers"]] == ["main"]


async def test_a_custom_kind_takes_no_strategic_patch(api: RawAPI, namespace: str) -> None:
    path = COLLECTION.format(namespace=namespace)
    await api.post(path, widget())
    answer = await api.patch(f"{path}/one", {"spec": {"size": 2}}, STRATEGIC_PATCH)
    assert (answer.status, answer.body["reason"]) == (415, "UnsupportedMediaType")


async def test_a_patch_cannot_rename(api: RawAPI, namespace: str) -> None:
    await api.post(maps(namespace), config_map())
    answer = await api.patch(f"{maps(namespace)}/one", {"metadata": {"name": "two"}})
    assert answer.status == 400


async def test_a_patch_of_a_missing_object_is_not_found(api: RawAPI, namespace: str) -> None:
    assert (await api.patch(f"{maps(namespace)}/nobody", {"data": {}})).status == 404
