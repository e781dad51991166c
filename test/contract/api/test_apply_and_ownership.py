"""Server-side apply: who owns which field, conflicts, force, and what leaves with its owner."""

from typing import Any

from contract.api.widgets import COLLECTION, GROUP, config_map, deployment, widget
from support.raw_api import RawAPI


def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def owners(body: dict[str, Any]) -> dict[tuple[str, str, str], Any]:
    return {
        (entry["manager"], entry["operation"], entry.get("subresource", "")): entry["fieldsV1"]
        for entry in body["metadata"]["managedFields"]
    }


async def test_apply_creates_and_records_its_fields(api: RawAPI, namespace: str) -> None:
    answer = await api.apply(f"{maps(namespace)}/one", config_map(labels={"a": "b"}, k="v"), "me")
    assert answer.status == 201
    assert owners(answer.body) == {
        ("me", "Apply", ""): {"f:data": {"f:k": {}}, "f:metadata": {"f:labels": {"f:a": {}}}}
    }


async def test_a_post_records_an_update_with_dots_for_the_parents(api: RawAPI, namespace: str) -> None:
    answer = await api.post(maps(namespace), config_map(labels={"a": "b"}, k="v"), fieldManager="me")
    fields = {"f:data": {".": {}, "f:k": {}}, "f:metadata": {"f:labels": {".": {}, "f:a": {}}}}
    assert owners(answer.body) == {("me", "Update", ""): fields}


async def test_apply_twice_changes_nothing(api: RawAPI, namespace: str) -> None:
    first = await api.apply(f"{maps(namespace)}/one", config_map(k="v"), "me")
    second = await api.apply(f"{maps(namespace)}/one", config_map(k="v"), "me")
    assert (second.status, second.version) == (200, first.version)


async def test_a_field_left_out_goes_away(api: RawAPI, namespace: str) -> None:
    await api.apply(f"{maps(namespace)}/one", config_map(a="1", b="2"), "me")
    answer = await api.apply(f"{maps(namespace)}/one", config_map(a="1"), "me")
    assert answer.body["data"] == {"a": "1"}


async def test_a_field_left_out_stays_while_another_owns_it(api: RawAPI, namespace: str) -> None:
    await api.apply(f"{maps(namespace)}/one", config_map(a="1", b="2"), "me")
    await api.apply(f"{maps(namespace)}/one", config_map(b="2"), "you")
    answer = await api.apply(f"{maps(namespace)}/one", config_map(a="1"), "me")
    assert answer.body["data"] == {"a": "1", "b": "2"}


async def test_another_value_for_an_owned_field_is_a_conflict_that_names_the_owner(api: RawAPI, namespace: str) -> None:
    await api.apply(f"{maps(namespace)}/one", config_map(a="1"), "me")
    answer = await api.apply(f"{maps(namespace)}/one", config_map(a="2"), "you")
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert answer.body["message"] == 'Apply failed with 1 conflict: conflict with "me": .data.a'
    causes = answer.body["details"]["causes"]
    assert causes == [{"reason": "FieldManagerConflict", "message": 'conflict with "me"', "field": ".data.a"}]


async def test_force_takes_the_field_over(api: RawAPI, namespace: str) -> None:
    await api.apply(f"{maps(namespace)}/one", config_map(a="1"), "me")
    answer = await api.apply(f"{maps(namespace)}/one", config_map(a="2"), "you", force="true")
    assert answer.body["data"] == {"a": "2"}
    assert owners(answer.body) == {("you", "Apply", ""): {"f:data": {"f:a": {}}}}


async def test_an_update_of_an_applied_field_takes_it_over(api: RawAPI, namespace: str) -> None:
    await api.apply(f"{maps(namespace)}/one", config_map(a="1", b="2"), "me")
    answer = await api.patch(f"{maps(namespace)}/one", {"data": {"a": "9"}}, fieldManager="kubectl-edit")
    assert owners(answer.body) == {
        ("me", "Apply", ""): {"f:data": {"f:b": {}}},
        ("kubectl-edit", "Update", ""): {"f:data": {"f:a": {}}},
    }


async def test_apply_needs_a_manager(api: RawAPI, namespace: str) -> None:
    answer = await api.patch(f"{maps(namespace)}/one", config_map(), "application/apply-patch+yaml")
    assert answer.status == 422


async def test_apply_with_a_uid_does_not_create(api: RawAPI, namespace: str) -> None:
    body = config_map()
    body["metadata"]["uid"] = "00000000-0000-4000-8000-000000000000"
    answer = await api.apply(f"{maps(namespace)}/one", body, "me")
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")


async def test_keyed_lists_merge_by_their_keys(api: RawAPI, namespace: str) -> None:
    path = f"{COLLECTION.format(namespace=namespace)}/one"
    await api.apply(path, widget(parts=[{"name": "a", "count": 1}]), "me")
    other = widget(parts=[{"name": "b", "count": 2}])
    del other["spec"]["size"]
    both = await api.apply(path, other, "you")
    assert both.status == 200, both.body
    assert both.body["spec"]["parts"] == [{"name": "a", "count": 1}, {"name": "b", "count": 2}]
    mine = owners(both.body)[("me", "Apply", "")]["f:spec"]["f:parts"]
    assert mine == {'k:{"name":"a"}': {".": {}, "f:count": {}, "f:name": {}}}
    left = await api.apply(path, widget(), "me")
    assert left.body["spec"]["parts"] == [{"name": "b", "count": 2}]


async def test_sets_merge_and_atomic_lists_replace(api: RawAPI, namespace: str) -> None:
    path = f"{COLLECTION.format(namespace=namespace)}/one"
    await api.apply(path, widget(tags=["a"]), "me")
    other = widget(tags=["b"])
    del other["spec"]["size"]
    answer = await api.apply(path, other, "you")
    assert answer.body["spec"]["tags"] == ["a", "b"]
    assert owners(answer.body)[("me", "Apply", "")]["f:spec"]["f:tags"] == {'v:"a"': {}}


async def test_status_has_owners_of_its_own(api: RawAPI, namespace: str) -> None:
    path = f"{COLLECTION.format(namespace=namespace)}/one"
    await api.apply(path, widget(), "me")
    status = {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": "one"}, "status": {"ready": 1}}
    answer = await api.apply(f"{path}/status", status, "controller")
    assert answer.body["status"] == {"ready": 1}
    assert owners(answer.body)[("controller", "Apply", "status")] == {"f:status": {"f:ready": {}}}


async def test_a_deployments_containers_merge_by_name(api: RawAPI, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    await api.apply(path, deployment(), "me")
    env = {"name": "A", "value": "1"}
    other = deployment()
    other["spec"] = {"template": {"spec": {"containers": [{"name": "main", "env": [env]}]}}}
    answer = await api.apply(path, other, "you")
    container = answer.body["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["env"]) == ("registry.example/web:1", [env])


async def test_a_scale_records_who_owns_the_count(api: RawAPI, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    await api.apply(path, deployment(), "me")
    await api.patch(f"{path}/scale", {"spec": {"replicas": 3}}, fieldManager="autoscaler")
    answer = await api.get(path)
    assert answer.body["spec"]["replicas"] == 3
    assert owners(answer.body)[("autoscaler", "Update", "scale")] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in owners(answer.body)[("me", "Apply", "")]["f:spec"]


async def test_owners_can_be_reset(api: RawAPI, namespace: str) -> None:
    await api.apply(f"{maps(namespace)}/one", config_map(a="1"), "me")
    answer = await api.patch(f"{maps(namespace)}/one", {"metadata": {"managedFields": [{}]}})
    assert "managedFields" not in answer.body["metadata"]


async def test_managed_fields_may_not_be_applied(api: RawAPI, namespace: str) -> None:
    created = await api.apply(f"{maps(namespace)}/one", config_map(a="1"), "me")
    answer = await api.apply(f"{maps(namespace)}/one", created.body, "me")
    assert answer.status == 400
    assert "metadata.managedFields must be nil" in answer.body["message"]


async def test_applied_yaml_is_read(api: RawAPI, namespace: str) -> None:
    yaml = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  a: '1'\n"
    answer = await api.apply(f"{maps(namespace)}/one", yaml, "me")
    assert answer.body["data"] == {"a": "1"}
