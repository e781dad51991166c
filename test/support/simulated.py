"""A simulated cluster on the embedded server, in process, on a clock that a test moves by hand."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiop.runtime.client.builtin import DEPLOYMENTS, NAMESPACES
from aiop.runtime.client.errors import NotFound
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.sim.cluster.api import ClusterAPI
from aiop.sim.cluster.cluster import SimulatedCluster
from aiop.sim.cluster.lives import Lives
from aiop.sim.cluster.nodes import NodeSpec
from aiop.sim.cluster.outcomes import Script, by_image
from aiop.sim.metrics.podmetrics import ResourceMetrics
from aiop.sim.server import APIServer
from support.clock import FakeClock, settle

Object = dict[str, Any]
TEAM = "team"
NODES = (NodeSpec("cpu-0", cpu="8", memory="16Gi"), NodeSpec("gpu-0", gpus=8))


class Bench:
    """The API with the few verbs that tests use, and the clock."""

    def __init__(self, api: ClusterAPI, clock: FakeClock) -> None:
        self.api = api
        self.clock = clock

    async def make(self, resource: Resource, name: str, namespace: str = TEAM, **content: Any) -> Object:
        """Create it; ``labels`` and ``annotations`` go into its metadata, the rest is content."""
        known: Object = {
            field: content.pop(field)
            for field in ("labels", "annotations", "ownerReferences", "finalizers")
            if field in content
        }
        meta: Object = {"name": name, **known}
        if resource.namespaced:
            meta["namespace"] = namespace
        kinds = {"apiVersion": resource.api_version, "kind": resource.kind}
        return await self.api.create(resource, meta.get("namespace", ""), {**kinds, "metadata": meta, **content})

    async def get(self, resource: Resource, name: str, namespace: str = TEAM) -> Object:
        return await self.api.get(resource, ObjectKey(namespace if resource.namespaced else "", name))

    async def gone(self, resource: Resource, name: str, namespace: str = TEAM) -> bool:
        try:
            await self.get(resource, name, namespace)
        except NotFound:
            return True
        return False

    async def all(self, resource: Resource, namespace: str = TEAM, label_selector: str = "") -> list[Object]:
        space = namespace if resource.namespaced else ""
        return (await self.api.list(resource, namespace=space, label_selector=label_selector))[0]

    async def change(self, resource: Resource, name: str, patch: Object, namespace: str = TEAM) -> Object:
        return await self.api.patch(resource, ObjectKey(namespace if resource.namespaced else "", name), patch)

    async def delete(self, resource: Resource, name: str, namespace: str = TEAM) -> None:
        await self.api.delete(resource, ObjectKey(namespace if resource.namespaced else "", name))

    async def deploy(self, name: str, replicas: int = 1, *, image: str = "serve:1", **spec: Any) -> Object:
        """A Deployment whose pods are labelled app=name."""
        pod = spec.pop("pod", {})
        content = {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container(image)], **pod}},
            **spec,
        }
        return await self.make(DEPLOYMENTS, name, spec=content)


def container(image: str = "serve:1", **rest: Any) -> Object:
    return {"name": "main", "image": image, "ports": [{"name": "http", "containerPort": 8080}], **rest}


def condition(obj: Mapping[str, Any], kind: str) -> Object:
    found: Object = next((each for each in obj["status"].get("conditions", []) if each["type"] == kind), {})
    return found


@asynccontextmanager
async def simulated(
    nodes: Sequence[NodeSpec] = NODES,
    script: Script = by_image,
    lives: Lives | None = None,
    metrics: ResourceMetrics | None = None,
) -> AsyncIterator[Bench]:
    """A running cluster with the namespace `team`; fails if the cluster dies."""
    clock = FakeClock()
    dice = random.Random(1)
    api = (await asyncio.to_thread(APIServer, clock, random=dice)).in_process()
    cluster = SimulatedCluster(api, clock, dice, nodes=nodes, script=script, lives=lives, metrics=metrics)
    task = asyncio.create_task(cluster.run())
    try:
        await cluster.ready()
        bench = Bench(api, clock)
        await bench.make(NAMESPACES, TEAM)
        await settle()
        yield bench
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
