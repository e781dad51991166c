"""`aiop manager`: the operator's process. Options in, wires joined, and then it runs."""

import argparse
import asyncio
import os
import random
import socket
import sys
import uuid
from pathlib import Path

import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from aiop.cli.options import address, count
from aiop.controllers.serving.settings import ServingSettings
from aiop.controllers.serving.setup import Tools, setup_serving
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import ClientError, ConnectionFailed, RequestTimedOut, ServerError
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import HttpTransport
from aiop.runtime.conditions.events import EventRecorder
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.kit.tasks import TaskDied
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.manager.errors import WorkerDidNotStop
from aiop.runtime.manager.logging import configure_logging
from aiop.runtime.manager.manager import Leadership, Manager, stop_on_signals
from aiop.runtime.manager.metrics import Metrics

log = structlog.get_logger(__name__)

LEASE_NAME = "aiop-manager"
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_FORCED_EXIT = 130
# An API server that restarts is back within this; then the pod's own restart is the better retry.
_FIRST_CONTACT_SECONDS = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The operator's options; the chart sets them."""
    parser.add_argument("--kubeconfig", help="a kubeconfig; default: the pod's ServiceAccount, else $KUBECONFIG")
    parser.add_argument("--context", help="a context of the kubeconfig; default: its current one")
    parser.add_argument("--model-store", default="", help="where models lie that name no modelUri: pvc://claim, s3://…")
    parser.add_argument("--fetch-image", default=ServingSettings().fetch_image, help="the image that fetches models")
    parser.add_argument("--workers", type=count, default=4, help="passes at a time")
    parser.add_argument(
        "--health-address", type=address, default="0.0.0.0:8081", help="/healthz and /readyz; empty: none"
    )
    parser.add_argument("--metrics-address", type=address, default="0.0.0.0:8080", help="/metrics; empty: none")
    parser.add_argument("--lease-namespace", help="the Lease's namespace; default: the pod's own, else default")
    parser.add_argument("--no-leader-election", action="store_true", help="lead without a Lease (one process only)")
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    parser.add_argument("--log-format", default="json", choices=["json", "console"])


def run(options: argparse.Namespace) -> int:
    """Run until SIGTERM; 0 after a clean stop, 1 if a part died, an address is taken or no API server is found."""
    configure_logging(level=options.log_level, as_json=options.log_format == "json")
    try:
        asyncio.run(_run(options))
    except (ClientError, TaskDied, OSError) as error:
        log.error("the operator ends", error=str(error), cause=repr(error.__cause__))  # noqa: TRY400 - told, not traced
        return 1
    return 0


async def _run(options: argparse.Namespace) -> None:
    clock, metrics = SystemClock(), Metrics()
    gate = None if options.no_leader_election else LeaseGate(clock)
    identity = f"{socket.gethostname()}_{uuid.uuid4()}"
    stop = asyncio.Event()
    stop_on_signals(stop, force=lambda: os._exit(_FORCED_EXIT))

    async def connect(*, gated: bool) -> Client:
        connection = await load_connection(options.kubeconfig, options.context)
        transport = HttpTransport(connection, observe=metrics.requested)
        return Client(transport, clock=clock, gate=gate if gated else None)

    async with await connect(gated=True) as client:
        await _first_contact(client)
        namespace = options.lease_namespace or await asyncio.to_thread(_own_namespace)
        lease = ObjectKey(namespace, LEASE_NAME)
        leadership = None if gate is None else Leadership(lease, identity, lambda: connect(gated=False), gate)
        manager = Manager(
            clock=clock,
            metrics=metrics,
            leadership=leadership,
            health_address=options.health_address,
            metrics_address=options.metrics_address,
        )
        events = EventRecorder(client, clock, "aiop", identity, lambda: uuid.uuid4().hex[:16])
        manager.add_runnable("events", events.run, leader_only=False)
        tools = Tools(client, clock, random.Random(), metrics, events, lambda: uuid.uuid4().hex)  # noqa: S311 - jitter
        settings = ServingSettings(
            model_store=options.model_store, fetch_image=options.fetch_image, workers=options.workers
        )
        setup_serving(manager, tools, settings)
        log.info("the operator starts", identity=identity, python=sys.version.split()[0])
        try:
            await manager.run(stop)
        except WorkerDidNotStop as error:
            # Nothing may be waited for: what does not stop may still write, and would hold up the loop's end too.
            log.error("the operator ends at once", error=str(error))  # noqa: TRY400 - told, not traced
            os._exit(1)
    log.info("the operator has stopped")


async def _first_contact(client: Client) -> None:
    """Wait for an API server that is just starting; later failures are the informers' to bear."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type((ConnectionFailed, RequestTimedOut, ServerError)),
        wait=wait_exponential(multiplier=0.2, max=5.0),
        stop=stop_after_delay(_FIRST_CONTACT_SECONDS),
        reraise=True,
    ):
        with attempt:
            await client.get_path("/version")


def _own_namespace() -> str:
    return _NAMESPACE_FILE.read_text(encoding="utf-8").strip() if _NAMESPACE_FILE.exists() else "default"
