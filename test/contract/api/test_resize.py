"""The resize subresource of pods: what of a pod that exists may change, in the real server's words."""

from typing import Any

import msgspec
import pytest

from aiop.runtime.kit.moments import moment_of
from aiop.runtime.views.workloads import decode_pod
from support.raw_api import STRATEGIC_PATCH, Answer, RawAPI

SMALL = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}
LARGE = {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "2", "memory": "1Gi"}}


@pytest.fixture
async def pods(api: RawAPI, namespace: str) -> str:
    """The path of pods, of which there is one."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    await api.post(f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
    made = await api.post(path, pod(SMALL))
    assert made.status == 201, made.body
    return path


def pod(resources: dict[str, Any], **container: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "server", "image": "a:1", "resources": resources, **container}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


async def patched(api: RawAPI, path: str, resources: dict[str, Any], **container: Any) -> Answer:
    body = {"spec": {"containers": [{"name": "server", "resources": resources, **container}]}}
    return await api.call("PATCH", f"{path}/p/resize", body, content_type=STRATEGIC_PATCH)


async def test_amounts_change_and_nothing_else_does(api: RawAPI, pods: str) -> None:
    answer = await patched(api, pods, LARGE, image="b:1")
    assert answer.status == 200, answer.body
    (container,) = answer.body["spec"]["containers"]
    assert (container["resources"], container["image"]) == (LARGE, "a:1")
    assert answer.body["metadata"]["generation"] == 2


async def test_a_version_that_is_old_is_a_conflict(api: RawAPI, pods: str) -> None:
    body = {"metadata": {"resourceVersion": "1"}}
    answer = await api.call("PATCH", f"{pods}/p/resize", body, content_type=STRATEGIC_PATCH)
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ({"limits": {"cpu": None}}, "resource limits cannot be removed"),
        ({"requests": {"memory": None}, "limits": {"memory": None}}, "resource requests cannot be removed"),
        ({"requests": {"cpu": "500m"}}, "Pod QOS Class may not change as a result of resizing"),
    ],
)
async def test_what_no_pod_takes_is_refused(api: RawAPI, pods: str, resources: dict[str, Any], words: str) -> None:
    answer = await patched(api, pods, resources)
    assert answer.status == 422, answer.body
    assert words in answer.body["message"]


async def test_it_is_discovered(api: RawAPI) -> None:
    names = {each["name"] for each in (await api.get("/api/v1")).body["resources"]}
    assert "pods/resize" in names


async def test_it_is_noted_when_amounts_were_changed(api: RawAPI, pods: str) -> None:
    """Of a pod that was not, there is nothing to find."""
    made = await api.get(f"{pods}/p")
    assert decode_pod(msgspec.json.encode(made.body)).resized_at == ""
    await patched(api, pods, LARGE)
    first = decode_pod(msgspec.json.encode((await api.get(f"{pods}/p")).body)).resized_at
    assert moment_of(first) is not None
    await patched(api, pods, LARGE)
    again = decode_pod(msgspec.json.encode((await api.get(f"{pods}/p")).body)).resized_at
    assert again == first, "nothing was changed"
