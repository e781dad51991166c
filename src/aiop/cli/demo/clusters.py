"""The clusters that the demo can run on: one in this process, a real control plane, or the caller's own."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiop.cli.demo.embedded import NODES, embedded
from aiop.cli.demo.errors import DemoError
from aiop.cli.demo.opened import OpenCluster, running
from aiop.cli.demo.remote import RemoteClusterAPI
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.transport import HttpTransport
from aiop.runtime.kit.clock import SystemClock
from aiop.sim.cluster.cluster import Parts, SimulatedCluster

_CHECKOUT = Path(__file__).parents[4]
_LAUNCHER = _CHECKOUT / "hack" / "controlplane" / "launch.py"
# A cold build of the control plane takes six minutes on two cores.
_REAL_START_SECONDS = 1200.0
_STOP_SECONDS = 60.0

Opened = Callable[[Path], AbstractAsyncContextManager[OpenCluster]]


@asynccontextmanager
async def real(folder: Path) -> AsyncIterator[OpenCluster]:
    """The real control plane, built on first use, with kubelets of ours whose pods are played."""
    if not await asyncio.to_thread(_LAUNCHER.exists):
        message = "the real control plane is part of a checkout; run the demo from one, or use --cluster embedded"
        raise DemoError(message)
    kubeconfig = folder / "kubeconfig"
    launcher = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hack.controlplane.launch", "--kubeconfig", str(kubeconfig.absolute())),
        cwd=_CHECKOUT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert launcher.stdout is not None  # noqa: S101 - asked for above
        async with asyncio.timeout(_REAL_START_SECONDS):
            line = await launcher.stdout.readline()
        if not line.startswith(b"ready"):
            message = "the real control plane did not start; its words stand above"
            raise DemoError(message)
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(await connect(kubeconfig))
            api, clock = RemoteClusterAPI(client), SystemClock()
            dice = random.Random()  # noqa: S311 - addresses of a demo
            cluster = SimulatedCluster(api, clock, dice, nodes=NODES, parts=Parts.KUBELETS)
            await stack.enter_async_context(running({"the simulated cluster": cluster}, cluster.ready))
            yield OpenCluster(kubeconfig)
    finally:
        if launcher.returncode is None:
            launcher.send_signal(signal.SIGTERM)
        async with asyncio.timeout(_STOP_SECONDS):
            await launcher.wait()


@asynccontextmanager
async def current(_folder: Path) -> AsyncIterator[OpenCluster]:
    """The cluster of the caller's kubeconfig."""
    path = Path(os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or Path.home() / ".kube" / "config")
    if not await asyncio.to_thread(path.exists):
        message = f"there is no kubeconfig at {path}: set KUBECONFIG, or use --cluster embedded"
        raise DemoError(message)
    yield OpenCluster(path)


CLUSTERS: dict[str, Opened] = {"embedded": embedded, "real": real, "current": current}


async def connect(kubeconfig: Path) -> Client:
    """A client of that cluster."""
    return Client(HttpTransport(await load_connection(str(kubeconfig))), clock=SystemClock())
