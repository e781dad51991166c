"""The cluster in this process: an API server, controllers, a scheduler, kubelets, an ingress controller."""

import random as random_module
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiop.cli.demo.model.store import make_store
from aiop.cli.demo.opened import OpenCluster, Runs, running
from aiop.cli.demo.pods import pods
from aiop.cli.demo.undisturbed import in_thread
from aiop.runtime.kit.clock import SystemClock
from aiop.sim.cluster.cluster import SimulatedCluster
from aiop.sim.cluster.nodes import NodeSpec
from aiop.sim.metrics.scraper import Scraper
from aiop.sim.network.forwarding import Repeat
from aiop.sim.network.network import Network
from aiop.sim.server import APIServer

NODES = (
    NodeSpec("gpu-node-1", gpus=8),
    NodeSpec("gpu-node-2", gpus=8),
    NodeSpec("cpu-node-1"),
)
# A cluster looks at its pods' CPU every 15 s, and so does its autoscaler; nobody wants to watch that.
_METRICS_SECONDS = 2.0
# The parts of the loopback network in which Services can have addresses that nothing else is known to use.
_SERVICE_NETWORKS = range(128, 255)


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[OpenCluster]:
    """All of it, with the demo's models in its store; when the context ends no process is left."""
    clock = SystemClock()
    dice = random_module.Random()  # noqa: S311 - ids of a demo
    service_network = f"127.{dice.choice(_SERVICE_NETWORKS)}"
    server = await in_thread(lambda: APIServer(clock, random=dice, service_network=service_network))
    await in_thread(lambda: make_store(folder / "models"))
    await server.start()
    try:
        kubeconfig = folder / "kubeconfig"
        await in_thread(lambda: _write_private(kubeconfig, server.kubeconfig()))
        access = pods(folder, folder / "models", dice)
        scraper = Scraper(access, clock, resolution_seconds=_METRICS_SECONDS)
        server.pods, server.metrics = access, scraper
        cluster = SimulatedCluster(
            server.in_process(), clock, dice,
            nodes=NODES, lives=access, metrics=scraper, autoscaler_sync_seconds=_METRICS_SECONDS,
        )  # fmt: skip
        # A model only computes: what a pod took with it when it died may be asked of another.
        network = Network(
            server.in_process(),
            clock,
            pods=access,
            router_address=f"{service_network}.0.1",
            repeat=Repeat.EVERYTHING,
        )

        async def ready() -> None:
            await cluster.ready()
            await network.ready()

        parts: Mapping[str, Runs] = {
            "the simulated cluster": cluster,
            "its network": network,
            "its metrics server": scraper,
        }
        async with running(parts, ready):
            yield OpenCluster(kubeconfig, network.router_url, access)
    finally:
        await server.stop()


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
