"""Status and scale, finalizers, and what the garbage collector takes along."""

import asyncio
from typing import Any

from contract.api.widgets import COLLECTION, config_map, widget
from support.raw_api import RawAPI

# The garbage collector of a real cluster works on its own time; this bounds how long a test waits for it.
_GARBAGE_SECONDS = 120.0


def widgets(namespace: str) -> str:
    return COLLECTION.format(namespace=namespace)


def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


async def gone(api: RawAPI, path: str) -> bool:
    deadline = asyncio.get_running_loop().time() + _GARBAGE_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        if (await api.get(path)).status == 404:
            return True
        await asyncio.sleep(0.1)
    return False


async def test_status_is_written_by_its_own_door_only(api: RawAPI, namespace: str) -> None:
    created = await api.post(widgets(namespace), widget() | {"status": {"ready": 9}})
    assert "status" not in created.body
    through_main = await api.patch(f"{widgets(namespace)}/one", {"status": {"ready": 9}})
    assert "status" not in through_main.body
    through_status = await api.patch(f"{widgets(namespace)}/one/status", {"status": {"ready": 1}, "spec": {"size": 50}})
    assert through_status.body["status"] == {"ready": 1}
    assert through_status.body["spec"]["size"] == 1
    assert through_status.body["metadata"]["generation"] == 1


async def test_scale_reads_and_writes_the_count(api: RawAPI, namespace: str) -> None:
    await api.post(widgets(namespace), widget(size=2))
    path = f"{widgets(namespace)}/one"
    await api.patch(f"{path}/status", {"status": {"replicas": 1, "selector": "a=b"}})
    scale = await api.get(f"{path}/scale")
    assert scale.body["kind"] == "Scale"
    assert scale.body["spec"] == {"replicas": 2}
    assert scale.body["status"] == {"replicas": 1, "selector": "a=b"}
    await api.patch(f"{path}/scale", {"spec": {"replicas": 5}})
    assert (await api.get(path)).body["spec"]["size"] == 5


async def test_a_finalizer_holds_the_object_until_it_is_removed(api: RawAPI, namespace: str) -> None:
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await api.post(maps(namespace), body)
    deleted = await api.delete(f"{maps(namespace)}/one")
    assert deleted.body["metadata"]["deletionTimestamp"]
    assert (await api.get(f"{maps(namespace)}/one")).status == 200
    released = await api.patch(f"{maps(namespace)}/one", {"metadata": {"finalizers": None}})
    assert released.status == 200
    assert (await api.get(f"{maps(namespace)}/one")).status == 404


async def test_a_dying_object_takes_no_new_finalizer(api: RawAPI, namespace: str) -> None:
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await api.post(maps(namespace), body)
    await api.delete(f"{maps(namespace)}/one")
    answer = await api.patch(
        f"{maps(namespace)}/one", {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}}
    )
    assert answer.status == 422
    await api.patch(f"{maps(namespace)}/one", {"metadata": {"finalizers": None}})


async def owner_and_child(api: RawAPI, namespace: str) -> dict[str, Any]:
    owner = (await api.post(maps(namespace), config_map("owner"))).body
    child = config_map("child")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    child["metadata"]["ownerReferences"] = [reference]
    await api.post(maps(namespace), child)
    return dict(reference)


async def test_children_go_with_their_owner(api: RawAPI, namespace: str) -> None:
    await owner_and_child(api, namespace)
    await api.delete(f"{maps(namespace)}/owner")
    assert await gone(api, f"{maps(namespace)}/child")


async def test_an_owner_deleted_in_the_foreground_goes_last(api: RawAPI, namespace: str) -> None:
    await owner_and_child(api, namespace)
    await api.delete(f"{maps(namespace)}/owner", {"propagationPolicy": "Foreground"})
    assert await gone(api, f"{maps(namespace)}/owner")
    assert (await api.get(f"{maps(namespace)}/child")).status == 404


async def test_orphans_stay(api: RawAPI, namespace: str) -> None:
    await owner_and_child(api, namespace)
    await api.delete(f"{maps(namespace)}/owner", {"propagationPolicy": "Orphan"})
    assert await gone(api, f"{maps(namespace)}/owner")
    child = await api.get(f"{maps(namespace)}/child")
    assert child.status == 200
    assert "ownerReferences" not in child.body["metadata"]


async def test_a_child_of_nobody_is_collected(api: RawAPI, namespace: str) -> None:
    child = config_map("child")
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "never",
        "uid": "00000000-0000-4000-8000-000000000000",
    }
    child["metadata"]["ownerReferences"] = [reference]
    await api.post(maps(namespace), child)
    assert await gone(api, f"{maps(namespace)}/child")


async def test_a_collection_is_deleted_by_selector(api: RawAPI, namespace: str) -> None:
    await api.post(maps(namespace), config_map("a", labels={"x": "1"}))
    await api.post(maps(namespace), config_map("b", labels={"x": "2"}))
    await api.delete(maps(namespace), labelSelector="x=1")
    assert (await api.get(f"{maps(namespace)}/a")).status == 404
    assert (await api.get(f"{maps(namespace)}/b")).status == 200
