"""A small operator on the runtime alone: each Storm that wants one has a ConfigMap that says what the Storm says.

As a script, `python -m support.smalloperator --kubeconfig …`, it is what tests of bad days kill, starve and deceive.
"""

import argparse
import asyncio
import itertools
import os
import random
import sys
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import ClientError
from aiop.runtime.client.lane import WriteLane
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.client.transport import HttpTransport
from aiop.runtime.conditions.status import StatusWriter
from aiop.runtime.controller.children import Child, ChildWriter, Outcome, Owner
from aiop.runtime.controller.controller import Controller, Result
from aiop.runtime.controller.mappers import own_key, owner_keys
from aiop.runtime.informer.source import IDLE_SECONDS, ClientListWatch
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.kit.tasks import TaskDied
from aiop.runtime.leaderelection.elector import LeaseTimes
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.manager.leadership import Leadership
from aiop.runtime.manager.logging import configure_logging
from aiop.runtime.manager.manager import Manager, stop_on_signals
from aiop.runtime.manager.metrics import Metrics
from aiop.runtime.views.custom import CustomObject, decode_custom
from aiop.runtime.views.owned import Owned, decode_owned

log = structlog.get_logger(__name__)

GROUP = "storms.example.com"
STORMS = Resource(GROUP, "v1", "Storm", "storms")
NAME = "storms"
MANAGER = f"test/{NAME}"
# Puts our ConfigMaps apart from the cluster's own.
LABEL = f"{GROUP}/part"
_LOOK_AGAIN_SECONDS = 0.5
_JUMP = timedelta(hours=1)


class _Spec(msgspec.Struct):
    text: str = ""
    wanted: bool = True


class JumpingClock(SystemClock):
    """A wall clock that is an hour ahead, then an hour behind, at each look; monotonic time goes on as it should."""

    def __init__(self) -> None:
        self._jumps = itertools.cycle((_JUMP, -_JUMP))

    def now(self) -> datetime:
        return super().now() + next(self._jumps)


@dataclass(frozen=True, slots=True)
class StormReconciler:
    storms: StreamInformer[CustomObject]
    maps: StreamInformer[Owned]
    writer: ChildWriter
    status: StatusWriter

    async def reconcile(self, key: ObjectKey) -> Result:
        """One ConfigMap if it is wanted, none if it is not; then a status that says so."""
        storm = self.storms.store.get(key)
        if storm is None or storm.metadata.deletion_timestamp:
            return Result()
        spec = msgspec.json.decode(storm.spec, type=_Spec)
        outcome = await (self._ensure(storm, spec) if spec.wanted else self._remove(storm))
        if outcome is Outcome.WAITING:
            return Result(_LOOK_AGAIN_SECONDS)
        said = {
            "observedGeneration": storm.metadata.generation,
            "text": spec.text,
            "foreign": outcome is Outcome.FOREIGN,
        }
        written = await self.status.write(storm.metadata, storm.status, msgspec.json.encode(said))
        if written is not None:
            self.storms.written(written)
        return Result()

    async def _ensure(self, storm: CustomObject, spec: _Spec) -> Outcome:
        meta = storm.metadata
        data = {"text": spec.text, "generation": str(meta.generation)}
        body = {"metadata": {"labels": {LABEL: "map"}}, "data": data}
        child = Child(CONFIGMAPS, ObjectKey(meta.namespace, meta.name), body)
        return await self.writer.ensure(child, Owner(STORMS.api_version, STORMS.kind, meta.name, meta.uid))

    async def _remove(self, storm: CustomObject) -> Outcome:
        key = ObjectKey(storm.metadata.namespace, storm.metadata.name)
        found = self.maps.store.get(key)
        if found is None or not found.owned_by(storm.metadata.uid):
            return Outcome.UNCHANGED
        if not found.metadata.deletion_timestamp:
            await self.writer.delete(key, found.metadata.uid)
        return Outcome.WAITING


def _setup(manager: Manager, client: Client, clock: SystemClock, metrics: Metrics, options: argparse.Namespace) -> None:
    common: dict[str, Any] = {"clock": clock, "random": random.Random(), "metrics": metrics.informers}
    all_storms = ClientListWatch(client, STORMS, options.namespace, idle_seconds=options.idle_seconds)
    storms: StreamInformer[CustomObject] = StreamInformer("storms", all_storms, decode_custom, **common)
    labelled = ClientListWatch(client, CONFIGMAPS, options.namespace, LABEL, idle_seconds=options.idle_seconds)
    maps: StreamInformer[Owned] = StreamInformer("configmaps", labelled, decode_owned, **common)
    reconciler = StormReconciler(
        storms, maps, ChildWriter(client, maps, CONFIGMAPS, MANAGER), StatusWriter(client, STORMS, MANAGER)
    )
    controller = Controller(
        NAME,
        reconciler,
        clock=clock,
        new_id=lambda: uuid.uuid4().hex,
        workers=options.workers,
        metrics=metrics.controllers,
        queue_metrics=metrics.queues,
    )
    controller.watches(storms, own_key)
    controller.watches(maps, owner_keys(GROUP, STORMS.kind))
    for informer in (storms, maps):
        manager.add_informer(informer)
    manager.add_controller(controller)


async def _run(options: argparse.Namespace) -> None:
    clock = JumpingClock() if options.clock_jumps else SystemClock()
    metrics, gate, stop = Metrics(), LeaseGate(clock), asyncio.Event()
    stop_on_signals(stop, force=lambda: os._exit(130))

    async def connect(*, gated: bool) -> Client:
        transport = HttpTransport(await load_connection(options.kubeconfig), observe=metrics.requested)
        if not gated:  # the lease's own traffic waits behind nothing
            return Client(transport, clock=clock)
        return Client(transport, clock=clock, gate=gate, lane=WriteLane(clock, metrics=metrics.write_lane))

    times = LeaseTimes(*(float(each) for each in options.lease_times.split("/")))
    lease = ObjectKey(*options.lease.split("/"))
    async with await connect(gated=True) as client:
        manager = Manager(
            clock=clock,
            metrics=metrics,
            leaderships=[Leadership(lease, options.identity, lambda: connect(gated=False), gate, times)],
            health_address=options.health_address,
            metrics_address=options.metrics_address,
        )
        _setup(manager, client, clock, metrics, options)
        await manager.run(stop)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--health-address", default="")
    parser.add_argument("--metrics-address", default="")
    parser.add_argument("--namespace", default="", help="the only namespace to look at; default: all")
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS, help="a watch as silent as this is dead")
    parser.add_argument("--lease", required=True, help="namespace/name")
    parser.add_argument(
        "--lease-times", default="15/10/2/5", help="duration/renew deadline/retry/heartbeat, in seconds"
    )
    parser.add_argument("--identity", default=f"operator-{os.getpid()}")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument(
        "--clock-jumps",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="the wall clock jumps by hours at every look",
    )
    configure_logging()
    try:
        asyncio.run(_run(parser.parse_args()))
    except (ClientError, TaskDied, OSError) as error:
        log.error("the operator ends", error=repr(error), cause=repr(error.__cause__))  # noqa: TRY400 - told, not traced
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
