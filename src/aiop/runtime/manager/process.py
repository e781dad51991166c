"""The process of an operator: it connects, leads by a Lease, serves health and metrics, and ends as it is told to.

``run_process`` is all that a `main` needs; what the operator does is the caller's ``setup``.
"""

import asyncio
import os
import random
import socket
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import ClientError, ConnectionFailed, RequestTimedOut, ServerError, TooManyRequests
from aiop.runtime.client.lane import WriteLane
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import HttpTransport
from aiop.runtime.conditions.events import EventRecorder
from aiop.runtime.kit import garbage
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.kit.tasks import TaskDied
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.manager.errors import WorkerDidNotStop
from aiop.runtime.manager.leadership import Leadership
from aiop.runtime.manager.logging import configure_logging
from aiop.runtime.manager.manager import Manager, stop_on_signals
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.manager.parts import race, set_event
from aiop.runtime.manager.tools import Tools

log = structlog.get_logger(__name__)

Setup = Callable[[Manager, Tools], object]

_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_FORCED_EXIT = 130
# An API server that restarts is back within this; then the pod's own restart is the better retry.
_FIRST_CONTACT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ProcessOptions:
    """How an operator runs. ``name`` is what its events are signed with.

    ``lease`` is the Lease's name; empty: the process leads without one, and must be the only one. The Lease's namespace
    is the pod's own, else ``default``. Without ``kubeconfig`` the pod's ServiceAccount counts, else $KUBECONFIG. An
    empty address serves nothing. With ``namespaces`` it sees these alone, and needs no right in any other. With
    ``pod_uid``, the UID of the pod that it runs in, it takes over what an earlier process of this pod left behind
    without waiting for the lease's end.
    """

    name: str
    lease: str = ""
    lease_namespace: str = ""
    kubeconfig: str | None = None
    context: str | None = None
    health_address: str = ""
    metrics_address: str = ""
    log_level: str = "info"
    log_format: str = "json"
    namespaces: tuple[str, ...] = ()
    pod_uid: str = ""


def run_process(options: ProcessOptions, setup: Setup) -> int:
    """Run until SIGTERM; 0 after a clean stop, 1 if anything ends it before: the log says what.

    ``setup`` adds informers and controllers to the manager before it runs.
    """
    configure_logging(level=options.log_level, as_json=options.log_format == "json")
    try:
        asyncio.run(_run(options, setup))
    except (ClientError, TaskDied, OSError) as error:
        log.error("the operator ends", error=str(error), cause=repr(error.__cause__))  # noqa: TRY400 - told, not traced
        return 1
    except Exception:  # a fault of the setup or of a preparation: told like everything else, and not shown raw
        log.exception("the operator ends by a fault of its own")
        return 1
    return 0


async def _run(options: ProcessOptions, setup: Setup) -> None:
    garbage.prepare()
    stop = asyncio.Event()
    stop_on_signals(stop, force=lambda: os._exit(_FORCED_EXIT))
    clock, metrics = SystemClock(), Metrics()
    gate = LeaseGate(clock) if options.lease else None
    lane = WriteLane(clock, metrics=metrics.write_lane)
    transport = await _transport(options, metrics)
    async with Client(transport, clock=clock, gate=gate, lane=lane) as client:
        await race(_first_contact(client), set_event(stop))
        if stop.is_set():
            return
        identity = f"{_pod(options)}{uuid.uuid4()}"
        events = EventRecorder(client, clock, options.name, identity, lambda: uuid.uuid4().hex[:16])
        tools = Tools(
            client,
            clock,
            random.Random(),  # noqa: S311 - jitter
            metrics,
            events,
            lambda: uuid.uuid4().hex,
            namespaces=options.namespaces,
        )
        leaderships = [] if gate is None else [await _leadership(options, identity, tools, gate)]
        manager = _manager(options, tools, leaderships)
        setup(manager, tools)
        log.info("the operator starts", identity=identity, python=sys.version.split()[0])
        await _run_to_the_end(manager, stop)
    log.info("the operator has stopped")


async def _transport(options: ProcessOptions, metrics: Metrics) -> HttpTransport:
    return HttpTransport(await load_connection(options.kubeconfig, options.context), observe=metrics.requested)


async def _leadership(options: ProcessOptions, identity: str, tools: Tools, gate: LeaseGate) -> Leadership:
    namespace = options.lease_namespace or await asyncio.to_thread(_own_namespace)

    async def connect() -> Client:  # with no lane: the lease's own traffic waits behind nothing
        return Client(await _transport(options, tools.metrics), clock=tools.clock)

    pod = _pod(options) if options.pod_uid else ""
    return Leadership(ObjectKey(namespace, options.lease), identity, connect, gate, pod=pod)


def _manager(options: ProcessOptions, tools: Tools, leaderships: Sequence[Leadership]) -> Manager:
    """What every operator has, whatever it does."""
    manager = Manager(
        clock=tools.clock,
        metrics=tools.metrics,
        leaderships=leaderships,
        health_address=options.health_address,
        metrics_address=options.metrics_address,
    )
    manager.add_runnable("events", tools.events.run, leader_only=False)
    manager.add_runnable("garbage", lambda: garbage.keep_exempt(tools.clock, manager.busy), leader_only=False)
    manager.on_drained("events", tools.events.written)
    return manager


async def _run_to_the_end(manager: Manager, stop: asyncio.Event) -> None:
    try:
        await manager.run(stop)
    except WorkerDidNotStop as error:
        # Nothing may be waited for: what does not stop may still write, and would hold up the loop's end too.
        log.error("the operator ends at once", error=str(error))  # noqa: TRY400 - told, not traced
        os._exit(1)


async def _first_contact(client: Client) -> None:
    """Wait for an API server that is just starting; later failures are the informers' to bear."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type((ConnectionFailed, RequestTimedOut, ServerError, TooManyRequests)),
        wait=wait_exponential(multiplier=0.2, max=5.0),
        stop=stop_after_delay(_FIRST_CONTACT_SECONDS),
        reraise=True,
    ):
        with attempt:
            await client.get_path("/version")


def _pod(options: ProcessOptions) -> str:
    """What this process's identity begins with: a host name alone may be that of another pod later, a UID is not."""
    host = socket.gethostname()
    return f"{host}_{options.pod_uid}_" if options.pod_uid else f"{host}_"


def _own_namespace() -> str:
    return _NAMESPACE_FILE.read_text(encoding="utf-8").strip() if _NAMESPACE_FILE.exists() else "default"
