"""A cluster that is open for the demo, and the tasks that keep it going."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aiop.cli.demo.errors import DemoError
from aiop.sim.processes.podaccess import PodAccess


@dataclass(frozen=True, slots=True)
class OpenCluster:
    """``router_url`` is where its ingress controller answers, ``pods`` its processes; both only where pods are real."""

    kubeconfig: Path
    router_url: str = ""
    pods: PodAccess | None = None


class Runs(Protocol):
    """A part of the cluster."""

    async def run(self) -> None:
        """Run until cancelled."""
        ...


@asynccontextmanager
async def running(parts: Mapping[str, Runs], ready: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run the parts for as long as the context lasts; the death of one ends what goes on in it by DemoError."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_live(name, part), name=name) for name, part in parts.items()]
            try:
                await ready()
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _live(name: str, part: Runs) -> None:
    try:
        await part.run()
    except Exception as error:
        message = f"{name} died: {error!r}"
        raise DemoError(message) from error
