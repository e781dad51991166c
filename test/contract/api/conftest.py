"""One suite, two API servers: every test here runs against the embedded one and against the real one."""

import asyncio
import itertools
import random
import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest

from aiop.runtime.kit.clock import SystemClock
from aiop.sim.cluster.cluster import SimulatedCluster
from aiop.sim.server import APIServer
from contract.api.widgets import DEFINITION, GROUP, WAITING_ROUNDS, WAITING_SECONDS
from support.controlplane import Cluster
from support.raw_api import RawAPI

_numbers = itertools.count(1)


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.real)])
async def api(request: pytest.FixtureRequest) -> AsyncIterator[RawAPI]:
    """The API, spoken by hand, with the Widget kind installed."""
    source = _embedded() if request.param == "embedded" else _real(request.getfixturevalue("cluster"))
    async for each in source:
        await _install_widgets(each)
        yield each


@pytest.fixture
async def namespace(api: RawAPI) -> AsyncIterator[str]:
    """A namespace of the test's own."""
    name = f"contract-{next(_numbers)}"
    answer = await api.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    assert answer.status == 201
    yield name
    await api.delete(f"/api/v1/namespaces/{name}")


async def _embedded() -> AsyncIterator[RawAPI]:
    """The server with its controllers beside it, as the real one has them: garbage collection is theirs."""
    clock, dice = SystemClock(), random.Random(1)
    server = await asyncio.to_thread(APIServer, clock, random=dice)
    await server.start()
    controllers = asyncio.create_task(SimulatedCluster(server.in_process(), clock, dice, nodes=()).run())
    headers = {"Authorization": f"Bearer {server.token}"}
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cadata=server.certificate_authority))
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        yield RawAPI(session, server.url)
        assert not controllers.done(), controllers.exception()
    controllers.cancel()
    await asyncio.gather(controllers, return_exceptions=True)
    await server.stop()


async def _real(cluster: Cluster) -> AsyncIterator[RawAPI]:
    url, authority, token = cluster.credentials
    trust = ssl.create_default_context(cafile=authority or None)
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, connector=connector) as session:
        yield RawAPI(session, url)


async def _install_widgets(api: RawAPI) -> None:
    answer = await api.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEFINITION)
    assert answer.status in {201, 409}
    for _ in range(WAITING_ROUNDS):
        served = await api.get(f"/apis/{GROUP}/v1/widgets")
        if served.status == 200:
            return
        await asyncio.sleep(WAITING_SECONDS)
    pytest.fail("the Widget kind was never served")
