"""A program that runs a cluster with one pod of processes until it is killed: for tests of what it leaves behind."""

import asyncio
import random
import sys
from pathlib import Path

from aiop.runtime.client.builtin import NAMESPACES, PODS
from aiop.runtime.kit.clock import SystemClock
from aiop.sim.cluster.cluster import SimulatedCluster
from aiop.sim.cluster.nodes import NodeSpec
from aiop.sim.processes import ProcessPods, Program, ProgramTable
from aiop.sim.server import APIServer

# Ignores every signal that it can, and has a child in a session of its own; says both in a file.
_SCRIPT = """
trap '' TERM INT HUP
setsid sleep 1000 &
echo $$$$ $! > {folder}/pids.new
mv {folder}/pids.new {folder}/pids
while :; do sleep 1; done
"""


def main() -> None:
    """The only argument is a folder for its files."""
    asyncio.run(_run(Path(sys.argv[1])))


async def _run(folder: Path) -> None:
    clock, dice = SystemClock(), random.Random()
    api = APIServer(clock, random=dice).in_process()
    pods = ProcessPods(ProgramTable({"shell": Program(entrypoint=["sh", "-c"])}), folder, dice)
    cluster = SimulatedCluster(api, clock, dice, nodes=[NodeSpec("node")], lives=pods)
    running = asyncio.create_task(cluster.run())
    await cluster.ready()
    await api.create(NAMESPACES, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    container = {"name": "main", "image": "shell", "args": [_SCRIPT.format(folder=folder)]}
    meta = {"name": "pod", "namespace": "team"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
    await api.create(PODS, "team", pod)
    await running
