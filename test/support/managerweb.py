"""A manager's HTTP servers, asked as a kubelet and a Prometheus would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from hack.ports import free_port
from support.listwatch import ScriptedSource
from support.managerbench import ManagerBench


def free_address() -> str:
    return f"127.0.0.1:{free_port()}"


class Web:
    def __init__(self, bench: ManagerBench, health: str, metrics: str, session: aiohttp.ClientSession) -> None:
        self.bench = bench
        self._health = health
        self._metrics = metrics
        self._session = session

    async def health(self, path: str) -> tuple[int, str]:
        async with self._session.get(f"http://{self._health}{path}") as answer:
            return answer.status, await answer.text()

    async def metrics(self) -> dict[str, float]:
        async with self._session.get(f"http://{self._metrics}/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            lines = (await answer.text()).splitlines()
        samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}


@asynccontextmanager
async def serving(source: ScriptedSource, *, fuse: asyncio.Event | None = None) -> AsyncIterator[Web]:
    health, metrics = free_address(), free_address()
    bench = ManagerBench(source, health_address=health, metrics_address=metrics)
    if fuse is not None:
        bench.manager.add_runnable("fuse", lambda: _burn(fuse), leader_only=False)
    async with aiohttp.ClientSession() as session:
        task = asyncio.create_task(bench.manager.run(bench.stop))
        await _listening(session, health)
        yield Web(bench, health, metrics, session)
        bench.stop.set()
        await asyncio.gather(task, return_exceptions=True)
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://{health}/healthz")


async def _burn(fuse: asyncio.Event) -> None:
    """A part that ends when it should not."""
    await fuse.wait()


async def _listening(session: aiohttp.ClientSession, address: str) -> None:
    async with asyncio.timeout(10.0):
        while True:
            try:
                await (await session.get(f"http://{address}/healthz")).read()
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.01)
            else:
                return
