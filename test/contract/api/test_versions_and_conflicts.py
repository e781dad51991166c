"""Resource versions, uniqueness and optimistic concurrency."""

from contract.api.widgets import COLLECTION, config_map, widget
from support.raw_api import RawAPI


def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


async def test_every_write_gets_a_larger_version(api: RawAPI, namespace: str) -> None:
    first = await api.post(maps(namespace), config_map(a="1"))
    second = await api.post(maps(namespace), config_map("two"))
    third = await api.patch(f"{maps(namespace)}/one", {"data": {"a": "2"}})
    assert first.status == second.status == 201
    assert int(first.version) < int(second.version) < int(third.version)


async def test_a_write_that_changes_nothing_keeps_the_version(api: RawAPI, namespace: str) -> None:
    created = await api.post(maps(namespace), config_map(a="1"))
    same = await api.patch(f"{maps(namespace)}/one", {"data": {"a": "1"}})
    put = await api.put(f"{maps(namespace)}/one", same.body)
    assert created.version == same.version == put.version


async def test_a_second_create_is_refused_as_already_existing(api: RawAPI, namespace: str) -> None:
    await api.post(maps(namespace), config_map())
    again = await api.post(maps(namespace), config_map())
    assert (again.status, again.body["reason"]) == (409, "AlreadyExists")
    assert again.body["message"] == 'configmaps "one" already exists'
    assert again.body["details"] == {"name": "one", "kind": "configmaps"}


async def test_an_update_from_an_old_version_is_a_conflict(api: RawAPI, namespace: str) -> None:
    created = await api.post(maps(namespace), config_map(a="1"))
    await api.patch(f"{maps(namespace)}/one", {"data": {"a": "2"}})
    stale = await api.put(f"{maps(namespace)}/one", created.body)
    assert (stale.status, stale.body["reason"]) == (409, "Conflict")
    assert "the object has been modified; please apply your changes to the latest version" in stale.body["message"]


async def test_a_patch_may_carry_a_version_as_its_precondition(api: RawAPI, namespace: str) -> None:
    created = await api.post(maps(namespace), config_map(a="1"))
    await api.patch(f"{maps(namespace)}/one", {"data": {"a": "2"}})
    stale = {"metadata": {"resourceVersion": created.version}, "data": {"a": "3"}}
    assert (await api.patch(f"{maps(namespace)}/one", stale)).status == 409


async def test_delete_honours_its_preconditions(api: RawAPI, namespace: str) -> None:
    created = await api.post(maps(namespace), config_map())
    wrong = await api.delete(f"{maps(namespace)}/one", {"preconditions": {"uid": "nobody"}})
    old = await api.delete(f"{maps(namespace)}/one", {"preconditions": {"resourceVersion": "1"}})
    uid = created.body["metadata"]["uid"]
    right = await api.delete(f"{maps(namespace)}/one", {"preconditions": {"uid": uid}})
    assert (wrong.status, old.status, right.status) == (409, 409, 200)
    assert (await api.get(f"{maps(namespace)}/one")).status == 404


async def test_a_missing_object_is_named(api: RawAPI, namespace: str) -> None:
    missing = await api.get(f"{maps(namespace)}/nobody")
    assert missing.status == 404
    assert missing.body["reason"] == "NotFound"
    assert missing.body["message"] == 'configmaps "nobody" not found'


async def test_a_missing_kind_is_a_plain_404(api: RawAPI, namespace: str) -> None:
    assert (await api.get(f"/apis/nobody.example/v1/namespaces/{namespace}/things")).status == 404


async def test_generation_moves_with_the_spec_only(api: RawAPI, namespace: str) -> None:
    path = COLLECTION.format(namespace=namespace)
    created = await api.post(path, widget())
    labelled = await api.patch(f"{path}/one", {"metadata": {"labels": {"a": "b"}}})
    resized = await api.patch(f"{path}/one", {"spec": {"size": 2}})
    generations = [answer.body["metadata"]["generation"] for answer in (created, labelled, resized)]
    assert generations == [1, 1, 2]


async def test_names_can_be_generated(api: RawAPI, namespace: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}}
    name = (await api.post(maps(namespace), body)).body["metadata"]["name"]
    assert name.startswith("made-")
    assert len(name) == len("made-") + 5


async def test_a_create_in_a_missing_namespace_is_refused(api: RawAPI) -> None:
    answer = await api.post("/api/v1/namespaces/nobody-lives-here/configmaps", config_map())
    assert answer.status == 404
    assert answer.body["message"] == 'namespaces "nobody-lives-here" not found'


async def test_a_dry_run_changes_nothing(api: RawAPI, namespace: str) -> None:
    answer = await api.post(maps(namespace), config_map(), dryRun="All")
    assert answer.status == 201
    assert (await api.get(f"{maps(namespace)}/one")).status == 404


async def test_a_body_that_is_no_json_is_a_bad_request(api: RawAPI, namespace: str) -> None:
    answer = await api.post(maps(namespace), b"{not json")
    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")


async def test_a_namespace_in_the_body_must_be_that_of_the_path(api: RawAPI, namespace: str) -> None:
    body = config_map()
    body["metadata"]["namespace"] = "elsewhere"
    assert (await api.post(maps(namespace), body)).status == 400
