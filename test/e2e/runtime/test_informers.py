"""Informers on the real API server: how they list, and a kind that comes and goes under them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aiop.runtime.client.builtin import CONFIGMAPS, CUSTOMRESOURCEDEFINITIONS, NAMESPACES, PODS
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.client.transport import HttpStream, HttpTransport, Request, Response
from aiop.runtime.informer.source import ClientListWatch
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.views.custom import decode_custom
from aiop.runtime.views.partial import decode_partial
from aiop.runtime.views.workloads import decode_pod
from support.controlplane import Cluster
from support.informerbench import said

pytestmark = pytest.mark.real

TIDES = Resource("informers.example.com", "v1", "Tide", "tides")
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "tides.informers.example.com"},
    "spec": {
        "group": TIDES.group,
        "scope": "Namespaced",
        "names": {"kind": TIDES.kind, "plural": TIDES.plural},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
        ],
    },
}
_PATIENCE_SECONDS = 60.0


class Recorded(HttpTransport):
    """Remembers what was asked for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request)
        return await super().send(request)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[HttpStream]:
        self.asked.append(request)
        async with super().stream(request) as stream:
            yield stream

    def reads(self, resource: Resource) -> list[str]:
        """How that kind was asked for: list, initial or watch."""
        queries = [dict(each.query) for each in self.asked if each.method == "GET" and each.path == resource.path()]
        return [_read(query) for query in queries]


def _read(query: dict[str, str]) -> str:
    if "watch" not in query:
        return "list"
    return "initial" if "sendInitialEvents" in query else "watch"


@pytest.fixture
async def transport(cluster: Cluster) -> AsyncIterator[Recorded]:
    made = Recorded(await load_connection(str(cluster.kubeconfig)))
    yield made
    await made.aclose()


@asynccontextmanager
async def running(*informers: StreamInformer[Any]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(informer.run()) for informer in informers]
    try:
        yield
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not check():  # noqa: ASYNC110 - the server changes it, not this loop
            await asyncio.sleep(0.05)


@pytest.mark.promise(10, "S2")
async def test_lists_come_by_watch_whatever_is_asked_to_be_left_out(transport: Recorded) -> None:
    client, clock = Client(transport, clock=SystemClock()), SystemClock()
    lean = ClientListWatch(client, NAMESPACES, metadata_only=True, managed_fields=False)
    informers: list[StreamInformer[Any]] = [
        StreamInformer("pods", ClientListWatch(client, PODS, managed_fields=False), decode_pod, clock=clock),
        StreamInformer(
            "config maps", ClientListWatch(client, CONFIGMAPS, metadata_only=True), decode_partial, clock=clock
        ),
        StreamInformer("namespaces", lean, decode_partial, clock=clock),
    ]
    async with running(*informers):
        await until(lambda: all(informer.has_synced() for informer in informers))
        assert informers[2].store.get(ObjectKey("", "kube-system")) is not None
        root = ObjectKey("kube-system", "kube-root-ca.crt")  # a controller makes it, a moment after the start
        await until(lambda: informers[1].store.get(root) is not None)
        assert [transport.reads(resource) for resource in (PODS, CONFIGMAPS, NAMESPACES)] == [["initial"]] * 3


@pytest.mark.promise(10, 24)
async def test_a_kind_comes_goes_and_comes_again_under_a_running_informer(transport: Recorded) -> None:
    client = Client(transport, clock=SystemClock())
    told: list[str] = []
    tides = StreamInformer("tides", ClientListWatch(client, TIDES), decode_custom, clock=SystemClock(), optional=True)
    tides.add_handler(lambda event: told.append(said(event).split(" ")[0]))
    tides.on_availability(lambda available: told.append("served" if available else "absent"))
    async with running(tides):
        await until(tides.has_synced)
        for _ in range(2):
            assert told == ["absent"]
            await client.create(CUSTOMRESOURCEDEFINITIONS, "", CRD, field_manager="test")
            await until(lambda: tides.available)
            tide = {"apiVersion": TIDES.api_version, "kind": TIDES.kind, "metadata": {"name": "ebb"}}
            await client.create(TIDES, "default", tide, field_manager="test")
            await until(lambda: len(tides.store) == 1)
            await client.delete(CUSTOMRESOURCEDEFINITIONS, ObjectKey("", CRD["metadata"]["name"]))  # type: ignore[index]
            await until(lambda: not tides.available)
            assert told == ["absent", "served", "ADDED", "DELETED", "absent"]
            del told[:-1]
    assert "list" not in transport.reads(TIDES)
