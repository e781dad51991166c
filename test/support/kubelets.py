"""Simulated kubelets for a real control plane, in a thread with an event loop of its own."""

import asyncio
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aiop.cli.demo.remote import RemoteClusterAPI
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.transport import HttpTransport
from aiop.runtime.kit.clock import SystemClock
from aiop.sim.cluster.cluster import Parts, SimulatedCluster
from aiop.sim.cluster.nodes import NodeSpec

NODES = (NodeSpec("gpu-1", gpus=8), NodeSpec("gpu-2", gpus=8))
_START_SECONDS = 60.0


@contextmanager
def kubelets(kubeconfig: Path, nodes: Sequence[NodeSpec] = NODES) -> Iterator[None]:
    """Nodes that give pods their life, as their images say, for as long as the context lasts."""
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    living = _run(kubeconfig, nodes, started, stop)
    thread = threading.Thread(target=lambda: loop.run_until_complete(living), daemon=True)
    thread.start()
    assert started.wait(_START_SECONDS), "the nodes could not be registered"
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def _run(kubeconfig: Path, nodes: Sequence[NodeSpec], started: threading.Event, stop: asyncio.Event) -> None:
    clock = SystemClock()
    connection = await load_connection(str(kubeconfig))
    async with Client(HttpTransport(connection), clock=clock) as client:
        cluster = SimulatedCluster(RemoteClusterAPI(client), clock, random.Random(), nodes=nodes, parts=Parts.KUBELETS)
        running = asyncio.create_task(cluster.run())
        await cluster.ready()
        started.set()
        await stop.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
