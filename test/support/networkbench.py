"""The embedded cluster's network with servers of the test's own in the place of pods."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from aiop.runtime.client.builtin import ENDPOINTSLICES, INGRESSES, SERVICES
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.kit.clock import SystemClock
from aiop.sim.cluster.api import Object
from aiop.sim.network.forwarding import Repeat
from aiop.sim.network.network import Network
from aiop.sim.server import APIServer
from aiop.sim.server.inprocess import InProcessAPI

NAMESPACE = "default"
PATIENCE_SECONDS = 20.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Pod:
    """A server that stands for a pod; it answers with its name unless it has a ``handler`` of its own."""

    name: str
    port: int = 0
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    runner: web.AppRunner | None = None

    def endpoint(self, **conditions: bool) -> Object:
        found = {"ready": True, "serving": True, "terminating": False, **conditions}
        target = {"kind": "Pod", "namespace": NAMESPACE, "name": self.name, "uid": f"uid-{self.name}"}
        return {"addresses": ["127.0.0.1"], "conditions": found, "targetRef": target}

    async def stop(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()


@dataclass(slots=True)
class Bench:
    api: InProcessAPI
    network: Network
    client: aiohttp.ClientSession
    pods: list[Pod] = field(default_factory=list)

    async def pod(self, name: str, handler: Handler | None = None) -> Pod:
        """Start a server."""
        pod = Pod(name)

        async def answer(request: web.Request) -> web.StreamResponse:
            pod.asked.append(request)
            pod.bodies.append(await request.read())
            return web.Response(text=pod.name)

        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", handler or answer)
        pod.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await pod.runner.setup()
        await web.TCPSite(pod.runner, "127.0.0.1", 0).start()
        pod.port = pod.runner.addresses[0][1]
        self.pods.append(pod)
        return pod

    async def service(self, name: str, **spec: Any) -> Object:
        return await self.make(SERVICES, name, spec={"ports": [{"name": "http", "port": 80}], **spec})

    async def behind(self, service: str, *pods: Pod, **conditions: bool) -> None:
        """Say that these pods stand behind the Service: a slice for each, as their ports differ."""
        for pod in pods:
            name = f"{service}-{pod.name}"
            slice_ = {
                "apiVersion": ENDPOINTSLICES.api_version,
                "kind": ENDPOINTSLICES.kind,
                "metadata": {
                    "name": name,
                    "namespace": NAMESPACE,
                    "labels": {"kubernetes.io/service-name": service},
                },
                "addressType": "IPv4",
                "ports": [{"name": "http", "port": pod.port, "protocol": "TCP"}],
                "endpoints": [pod.endpoint(**conditions)],
            }
            try:
                known = await self.api.get(ENDPOINTSLICES, ObjectKey(NAMESPACE, name))
            except Exception:  # noqa: BLE001 - it is not there yet
                await self.api.create(ENDPOINTSLICES, NAMESPACE, slice_)
            else:
                await self.api.update(ENDPOINTSLICES, {**known, "endpoints": slice_["endpoints"]})

    async def ingress(self, name: str, path: str, service: str, **more: Any) -> Object:
        """An Ingress with one path. ``kind``, ``host``, ``rewrite``, ``class_name`` as wanted."""
        backend = {"service": {"name": service, "port": {"number": 80}}}
        rule = {"http": {"paths": [{"path": path, "pathType": more.get("kind", "Exact"), "backend": backend}]}}
        if "host" in more:
            rule["host"] = more["host"]
        rewrite = {"nginx.ingress.kubernetes.io/rewrite-target": more["rewrite"]} if "rewrite" in more else {}
        spec = {"ingressClassName": more.get("class_name", "embedded"), "rules": [rule]}
        return await self.make(INGRESSES, name, spec=spec, annotations=rewrite)

    async def make(self, resource: Resource, name: str, *, spec: Object, annotations: Object | None = None) -> Object:
        obj = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": name, "namespace": NAMESPACE, "annotations": annotations or {}},
            "spec": spec,
        }
        return await self.api.create(resource, NAMESPACE, obj)

    async def ask(self, path: str, *, method: str = "GET", **more: Any) -> tuple[int, str]:
        """What the router answers: the code and the text."""
        async with self.client.request(method, f"{self.network.router_url}{path}", **more) as answer:
            return answer.status, await answer.text()

    async def until_answers(self, path: str, wanted: int = 200, **more: Any) -> str:
        """Ask until the router answers so."""
        seen: list[tuple[int, str]] = []

        async def answers() -> bool:
            seen.append(await self.ask(path, **more))
            return seen[-1][0] == wanted

        await until(answers, told=lambda: seen[-1:])
        return seen[-1][1]


async def until(check: Callable[[], Awaitable[bool]], *, told: Callable[[], Any] = str) -> None:
    """Wait until it is true; fails when patience is over."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await check():  # noqa: ASYNC110 - what is waited for lies in other tasks
                await asyncio.sleep(0.01)
    except TimeoutError:
        message = f"not true after {PATIENCE_SECONDS:.0f} s: {told()}"
        raise AssertionError(message) from None


@asynccontextmanager
async def network_bench(
    *, repeat: Repeat = Repeat.IDEMPOTENT, service_network: str = "127.201", router_address: str = ""
) -> AsyncIterator[Bench]:
    """A server without controllers, so that the test alone says what stands behind a Service, and the network."""
    clock = SystemClock()
    server = await asyncio.to_thread(APIServer, clock, random=random.Random(1), service_network=service_network)
    api = server.in_process()
    network = Network(api, clock, repeat=repeat, router_address=router_address)
    running = asyncio.create_task(network.run())
    async with aiohttp.ClientSession() as client:
        bench = Bench(api, network, client)
        try:
            await network.ready()
            yield bench
            assert not running.done(), running.exception()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await asyncio.gather(*(pod.stop() for pod in bench.pods))
