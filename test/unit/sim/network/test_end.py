"""The network's end: nothing of it is left."""

import asyncio

import aiohttp
import pytest

from aiop.runtime.client.resource import ObjectKey
from support.networkbench import NAMESPACE, network_bench, until


async def test_nothing_listens_and_no_task_runs_after_the_end() -> None:
    before = asyncio.all_tasks()
    async with network_bench() as bench:
        await bench.service("web")
        await bench.behind("web", await bench.pod("a"))
        await bench.ingress("web", "/", "web", kind="Prefix")
        await bench.until_answers("/")

        async def listens() -> bool:
            return bench.network.services.address(ObjectKey(NAMESPACE, "web"), 80) is not None

        await until(listens)
        address = bench.network.services.address(ObjectKey(NAMESPACE, "web"), 80)
        assert address is not None
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(1) == b"a"
        url = bench.network.router_url
    assert await reader.read() == b""  # cut, though both sides would have gone on
    writer.close()
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection(address.host, address.port)
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(url)
    assert asyncio.all_tasks() == before
