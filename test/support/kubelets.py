"""Simulated kubelets for a real control plane, in a thread with an event loop of its own."""

import asyncio
import contextlib
import random
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from aiop.cli.demo.remote import RemoteClusterAPI
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.transport import HttpTransport
from aiop.runtime.kit.clock import SystemClock
from aiop.sim.cluster.cluster import Parts, SimulatedCluster
from aiop.sim.cluster.lives import Lives
from aiop.sim.cluster.nodes import NodeSpec

NODES = (NodeSpec("gpu-1", gpus=8), NodeSpec("gpu-2", gpus=8))
_START_SECONDS = 120.0


@contextmanager
def kubelets(kubeconfig: Path, nodes: Sequence[NodeSpec] = NODES, lives: Lives | None = None) -> Iterator[None]:
    """Nodes that give pods their life, as their images or ``lives`` say, for as long as the context lasts.

    What ends them before their time is raised here, at the start or with the context.
    """
    started = Future[None]()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    living = loop.create_task(_run(kubeconfig, nodes, lives, started, stop))
    living.add_done_callback(lambda done: None if started.done() else started.set_exception(done.exception()))
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.wait([living])), daemon=True)
    thread.start()
    try:
        started.result(_START_SECONDS)
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
    living.result()


async def _run(
    kubeconfig: Path, nodes: Sequence[NodeSpec], lives: Lives | None, started: Future[None], stop: asyncio.Event
) -> None:
    clock = SystemClock()
    connection = await load_connection(str(kubeconfig))
    async with Client(HttpTransport(connection), clock=clock) as client:
        cluster = SimulatedCluster(
            RemoteClusterAPI(client), clock, random.Random(), nodes=nodes, parts=Parts.KUBELETS, lives=lives
        )
        running = asyncio.create_task(cluster.run())
        await cluster.ready()
        if not running.done():
            started.set_result(None)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([running, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
