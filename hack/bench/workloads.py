"""A thousand AIWorkloads on a real API server: making them, their quiet, and one change among them."""

import asyncio
import json
import math
import time
from collections.abc import Sequence
from statistics import quantiles

from aiop.api.resources import AIWORKLOADS
from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import HttpTransport
from aiop.runtime.kit.clock import SystemClock
from aiop.sim.cluster.nodes import NodeSpec
from hack.bench.audit import Write
from hack.bench.cluster import NAMESPACE, Bench, installed
from hack.bench.figures import Figure, scaled
from hack.bench.machine import cpu_seconds, peak_bytes
from hack.bench.writes import SMALL, quiet_writes
from support.operator import Operator
from support.workloads import workload

_WORKLOADS = 1000
_CHANGES = 200
# Fewer pods than a node takes.
_PODS_A_NODE = 100
_MIB = 1024 * 1024
_QUIET_SECONDS = 60.0
# Between two changes: the pass and the status of the one before are over.
_PAUSE_SECONDS = 0.4
_POLL_SECONDS = 0.02


def measure_workloads(scale: float) -> list[Figure]:
    """On a control plane of its own, with as many simulated nodes as the pods need."""
    count = scaled(_WORKLOADS, scale)
    names = [f"bench-{number:04d}" for number in range(count)]
    nodes = [NodeSpec(f"node-{number}", cpu="64") for number in range(math.ceil(1.5 * count / _PODS_A_NODE))]
    with installed(nodes) as bench, bench.operator("operator") as operator:
        made = _made(bench, names, operator)
        return [*made, *_quiet(bench, count, operator.pid), *_changed(bench, names[: scaled(_CHANGES, scale)])]


def _made(bench: Bench, names: Sequence[str], operator: Operator) -> list[Figure]:
    bench.settle()  # the default runtimes are there
    before, used = len(bench.writes.done()), cpu_seconds(operator.pid)
    bench.create([workload(name, resources=SMALL) for name in names])
    bench.wait_ready(len(names), operator)
    bench.settle()
    creates = [write for write in bench.asked.done() if write.said == "create aiworkloads"]
    began, asked = creates[0].received, creates[-1].answered
    found = bench.writes.done()[before:]
    children = [write for write in found if write.verb == "create"]
    ready = max(write.answered for write in found) - began
    how = (
        f"{len(children)} children; from the first create's arrival to the answer to the last child's, audit log; "
        f"asked for within {asked - began:.0f} s; control plane, simulated kubelets and operator on the same cores"
    )
    some = f"{len(names):,} AIWorkloads"
    return [
        Figure(f"{some}: create to children", max(write.answered for write in children) - began, "s", how),
        Figure("… until the last status is written", ready, "s", "all Ready, one pod each"),
        Figure(
            "… processor time of the operator", cpu_seconds(operator.pid) - used, "s", "from the first create to quiet"
        ),
        Figure("… its peak memory", peak_bytes(operator.pid) / _MIB, "MiB", "resident, of the whole process", goal=200),
        Figure("… writes each", len(found) / len(names), "writes", "audit log, no autoscaler, no Ingress"),
    ]


def _quiet(bench: Bench, count: int, pid: int) -> list[Figure]:
    used, began = cpu_seconds(pid), time.monotonic()
    writes = quiet_writes(bench, f"{count:,} are quiet", _QUIET_SECONDS)
    share = 100 * (cpu_seconds(pid) - used) / (time.monotonic() - began)
    how = f"of one core, {_QUIET_SECONDS:.0f} s; the lease is renewed meanwhile"
    return [*writes, Figure("… processor time of the operator", share, "%", how, goal=1.0)]


def _changed(bench: Bench, names: Sequence[str]) -> list[Figure]:
    milliseconds = sorted(1000 * seconds for seconds in asyncio.run(_change_all(bench, names)))
    cuts = quantiles(milliseconds, n=100, method="inclusive") if len(milliseconds) > 1 else milliseconds * 99
    how = (
        f"{len(names)} changes one after the other, each makes an Ingress: from the arrival of the write at the API "
        "server to the arrival of the operator's, audit log"
    )
    return [
        Figure("one change among them: write to reconcile, p50", cuts[49], "ms", how),
        Figure("… p99", cuts[98], "ms", f"the same; longest {milliseconds[-1]:.0f} ms"),
    ]


async def _change_all(bench: Bench, names: Sequence[str]) -> list[float]:
    connection = await load_connection(str(bench.kubeconfig))
    async with Client(HttpTransport(connection), clock=SystemClock()) as client:
        return [await _change(bench, client, name) for name in names]


async def _change(bench: Bench, client: Client, name: str) -> float:
    """Seconds from one write to the other, both as they came to the API server."""
    before, asked_before = len(bench.writes.read()), len(bench.asked.read())
    body = json.dumps({"spec": {"inferenceEndpoint": f"/{name}"}}).encode()
    key = ObjectKey(NAMESPACE, name)
    await client.patch(AIWORKLOADS, key, body, patch_type=PatchType.MERGE, field_manager="bench")
    answers: list[Write] = []
    while not answers:
        await asyncio.sleep(_POLL_SECONDS)
        answers = _found(bench.writes.read()[before:], "create ingresses", name)
    await asyncio.sleep(_PAUSE_SECONDS)
    (asked,) = _found(bench.asked.read()[asked_before:], "patch aiworkloads", name)
    return answers[0].received - asked.received


def _found(writes: Sequence[Write], said: str, name: str) -> list[Write]:
    return [write for write in writes if write.said == said and write.name == name]
