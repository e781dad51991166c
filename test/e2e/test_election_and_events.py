"""Leases and events as a real API server takes them; every wait is bounded."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aiop.runtime.client.builtin import CONFIGMAPS, EVENTS, LEASES
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import HttpTransport
from aiop.runtime.conditions.events import EventRecorder, ObjectReference
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.leaderelection.elector import Elector, LeaseTimes
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.thread import ElectionThread, Heartbeat
from support.controlplane import Cluster

pytestmark = pytest.mark.real

KEY = ObjectKey("default", "election-test")
# A fifth of the real ones.
TIMES = LeaseTimes(duration=3.0, renew_deadline=2.0, retry=0.4, heartbeat=1.0)
BOUND_SECONDS = 30.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.02)


class Candidate:
    def __init__(self, name: str, cluster: Cluster) -> None:
        self.clock = SystemClock()
        self.cluster = cluster
        self.gate = LeaseGate(self.clock)
        self.heartbeat = Heartbeat(self.clock)
        self.changes: list[bool] = []
        self.thread = ElectionThread(
            Elector(name, TIMES),
            KEY,
            self.connect,
            clock=self.clock,
            gate=self.gate,
            heartbeat=self.heartbeat,
            changed=self.changes.append,
        )

    async def connect(self) -> Client:
        return await connected(self.cluster)

    def permitted(self) -> bool:
        try:
            return self.gate.permit(ObjectKey("default", "any")) > 0
        except WriteNotPermitted:
            return False

    @asynccontextmanager
    async def runs(self, *, release: bool) -> AsyncIterator["Candidate"]:
        async def beat() -> None:
            while True:
                self.heartbeat.beat()
                await asyncio.sleep(0.05)

        beating = asyncio.create_task(beat())
        self.thread.start()
        try:
            yield self
        finally:
            async with asyncio.timeout(BOUND_SECONDS):
                await self.thread.stop(release=release)
            beating.cancel()


async def connected(cluster: Cluster, gate: LeaseGate | None = None) -> Client:
    connection = await load_connection(str(cluster.kubeconfig), None)
    return Client(HttpTransport(connection), clock=SystemClock(), gate=gate)


async def test_a_lease_passes_from_a_released_leader_to_a_standby_and_the_gate_follows(cluster: Cluster) -> None:
    first, second = Candidate("first", cluster), Candidate("second", cluster)
    async with await connected(cluster) as client, second.runs(release=True):
        await until(second.permitted)
        async with first.runs(release=False):
            lease = json.loads(await client.get(LEASES, KEY))
            assert lease["spec"]["holderIdentity"] == "second"
            assert lease["spec"]["leaseTransitions"] == 0
            assert not first.permitted()
            await second.thread.stop(release=True)
            assert not second.permitted()
            await until(first.permitted)
            lease = json.loads(await client.get(LEASES, KEY))
            assert lease["spec"]["holderIdentity"] == "first"
            assert lease["spec"]["leaseTransitions"] == 1
            assert lease["spec"]["leaseDurationSeconds"] == 3
            async with await connected(cluster, first.gate) as writer:
                await writer.create(
                    CONFIGMAPS, "default", {"metadata": {"generateName": "by-leader-"}}, field_manager="test"
                )
        await client.delete(LEASES, KEY)


async def test_a_lease_deleted_under_its_leader_is_made_again_by_it(cluster: Cluster) -> None:
    candidate = Candidate("only", cluster)
    async with await connected(cluster) as client, candidate.runs(release=True):
        await until(candidate.permitted)
        await client.delete(LEASES, KEY)
        await until(lambda: candidate.changes[:3] == [True, False, True])
        await until(candidate.permitted)
    async with await connected(cluster) as client:
        assert json.loads(await client.get(LEASES, KEY))["spec"]["holderIdentity"] == ""
        await client.delete(LEASES, KEY)


async def test_an_event_is_taken_and_its_repetition_is_counted(cluster: Cluster) -> None:
    ids = itertools.count(1)
    async with await connected(cluster) as client:
        recorder = EventRecorder(client, SystemClock(), "aiop", "pod_" + "x" * 200, lambda: f"{next(ids):08x}")
        writing = asyncio.create_task(recorder.run())
        about = ObjectReference("v1", "Namespace", "", "kube-public", "0f4fa0ba-1d4e-4b1b-8f00-6c3e0d7a7a11")
        for note in ("é" * 2000, "é" * 2000, "é" * 2000, "another"):
            recorder.record(about, "Warning", "ImageMissing", note, "Reconcile")
        async with asyncio.timeout(BOUND_SECONDS):
            while True:
                other = await _event(client, "kube-public.00000002")  # written when the first was told to its end
                one = await _event(client, "kube-public.00000001")
                if one and other:
                    break
                await asyncio.sleep(0.05)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        assert one["series"]["count"] == 3
        assert one["note"] == "é" * 512
        assert other["note"] == "another"
        assert "series" not in other


async def _event(client: Client, name: str) -> dict[str, Any] | None:
    async for page in client.list_pages(EVENTS, namespace="default", field_selector=f"metadata.name={name}"):
        if page.items:
            found: dict[str, Any] = json.loads(page.items[0])
            return found
    return None
