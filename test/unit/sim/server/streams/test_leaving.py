"""Clients who leave in the middle: what was done for them ends."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import SystemClock
from aiop.sim.processes.podaccess import Address, LogOptions, RunningPod, Streams, Usage
from aiop.sim.server import APIServer
from support.networkbench import until

KEY = ObjectKey("default", "a")
PATH = "/api/v1/namespaces/default/pods/a"


class Quiet:
    """One pod whose log says one line and then nothing, and whose commands go on for ever."""

    def __init__(self) -> None:
        self.going_on = 0

    def running(self) -> Sequence[RunningPod]:
        return [RunningPod(KEY, "uid", "node", "127.0.0.1", ("main",))]

    def address(self, pod: ObjectKey, port: int) -> Address:
        return Address("127.0.0.1", port)

    async def logs(self, pod: ObjectKey, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        yield b"one\n"
        await self._for_ever()
        yield b"never\n"

    async def execute(
        self, pod: ObjectKey, container: str, command: Sequence[str], streams: Streams, *, tty: bool = False
    ) -> int:
        assert streams.stdout is not None
        await streams.stdout(b"one\n")
        await self._for_ever()
        return 0

    async def usage(self, pod: ObjectKey) -> Mapping[str, Usage]:
        return {}

    async def _for_ever(self) -> None:
        self.going_on += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.going_on -= 1


@asynccontextmanager
async def served(pods: Quiet) -> AsyncIterator[aiohttp.ClientSession]:
    server = await asyncio.to_thread(APIServer, SystemClock(), random=random.Random(1))
    server.pods = pods
    api = server.in_process()
    meta = {"name": "a", "namespace": "default"}
    spec = {"nodeName": "node", "containers": [{"name": "main", "image": "serve:1"}]}
    await api.create(PODS, "default", {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    running = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    container = {"name": "main", "image": "serve:1", "imageID": "", "ready": True, "restartCount": 0, "state": running}
    status = {"phase": "Running", "containerStatuses": [container]}
    await api.patch(PODS, KEY, {"status": status}, subresource="status")
    url = await server.start()
    trust = ssl.create_default_context(cadata=server.certificate_authority)
    headers = {"Authorization": f"Bearer {server.token}"}
    async with aiohttp.ClientSession(url, headers=headers, connector=aiohttp.TCPConnector(ssl=trust)) as session:
        yield session
    await server.stop()


async def test_a_silent_log_is_followed_no_longer_than_its_client_listens() -> None:
    pods = Quiet()
    async with served(pods) as session:
        async with session.get(f"{PATH}/log?follow=true") as answer:
            assert await answer.content.readline() == b"one\n"
            await until(lambda: number(pods, 1))
        await until(lambda: number(pods, 0))


async def test_a_command_ends_when_its_client_leaves() -> None:
    pods = Quiet()
    async with served(pods) as session:
        path = f"{PATH}/exec?command=x&stdout=true"
        async with session.ws_connect(path, protocols=("v4.channel.k8s.io",)) as socket:
            assert await socket.receive_bytes() == b"\x01"
            assert await socket.receive_bytes() == b"\x01one\n"
            assert pods.going_on == 1
        await until(lambda: number(pods, 0))


async def number(pods: Quiet, wanted: int) -> bool:
    return pods.going_on == wanted
