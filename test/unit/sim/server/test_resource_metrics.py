"""metrics.k8s.io over HTTP, as `kubectl top` asks for it."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest

from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import SystemClock
from aiop.sim.server import APIServer
from support.podmeasures import MadeUpMetrics
from support.raw_api import RawAPI

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BASE = "/apis/metrics.k8s.io/v1beta1"


@pytest.fixture
async def server() -> AsyncIterator[APIServer]:
    server = await asyncio.to_thread(APIServer, SystemClock(), random=random.Random(1))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def api(server: APIServer) -> AsyncIterator[RawAPI]:
    headers = {"Authorization": f"Bearer {server.token}"}
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cadata=server.certificate_authority))
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        yield RawAPI(session, server.url)


async def make_pod(api: RawAPI, name: str) -> None:
    spec = {"nodeName": "node", "containers": [{"name": "main", "image": "serve:1"}]}
    meta = {"name": name, "labels": {"app": name}}
    answer = await api.post(
        "/api/v1/namespaces/default/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    )
    assert answer.status == 201, answer.body


async def test_without_somebody_who_measures_there_is_no_such_group(api: RawAPI) -> None:
    assert (await api.get(f"{BASE}/pods")).status == 404
    assert (await api.get("/apis/metrics.k8s.io")).status == 404
    assert "metrics.k8s.io" not in str((await api.get("/apis")).body)


async def test_pods_that_are_measured_are_told_of_by_label_and_name(server: APIServer, api: RawAPI) -> None:
    for name in ("a", "b", "unmeasured"):
        await make_pod(api, name)
    server.metrics = MadeUpMetrics(NOON, {ObjectKey("default", "a"): 250, ObjectKey("default", "b"): 0})
    assert "metrics.k8s.io" in [group["name"] for group in (await api.get("/apis")).body["groups"]]
    found = (await api.get(f"{BASE}/namespaces/default/pods", labelSelector="app=a")).body
    assert found["kind"] == "PodMetricsList"
    [item] = found["items"]
    assert item == {
        "kind": "PodMetrics",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {"name": "a", "namespace": "default", "labels": {"app": "a"}},
        "timestamp": "2026-01-01T12:00:00Z",
        "window": "15.000s",
        "containers": [{"name": "main", "usage": {"cpu": "250000000n", "memory": "102400Ki"}}],
    }
    assert len((await api.get(f"{BASE}/pods")).body["items"]) == 2
    one = (await api.get(f"{BASE}/namespaces/default/pods/b")).body
    assert one["containers"][0]["usage"]["cpu"] == "0"
    missing = await api.get(f"{BASE}/namespaces/default/pods/unmeasured")
    assert (missing.status, missing.body["message"]) == (404, 'pods.metrics.k8s.io "unmeasured" not found')


async def test_a_node_uses_what_its_pods_use(server: APIServer, api: RawAPI) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}}
    assert (await api.post("/api/v1/nodes", node)).status == 201
    server.metrics = MadeUpMetrics(NOON, {ObjectKey("default", "a"): 250, ObjectKey("team", "b"): 500})
    [item] = (await api.get(f"{BASE}/nodes")).body["items"]
    assert item["usage"] == {"cpu": "750000000n", "memory": "204800Ki"}
    assert (await api.get(f"{BASE}/nodes/node")).body["usage"] == item["usage"]
    assert (await api.get(f"{BASE}/nodes/other")).status == 404
