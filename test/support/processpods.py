"""Pods as real processes on the embedded server; time passes ten times as fast as it does."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.errors import NotFound
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.events import CORE_EVENTS
from aiop.sim.cluster.lives import Lives
from aiop.sim.processes import Program, ProgramTable
from aiop.sim.processes.podaccess import LogOptions
from aiop.sim.processes.pods import ProcessPods
from support.simulated import TEAM, Bench, Object, simulated

# One turn of waiting: so much real time, and so much of the cluster's.
_TURN_SECONDS, _TURN_MOVES = 0.02, 0.2
# Far longer than anything here takes, on however busy a machine.
_PATIENCE_SECONDS = 60.0

SHELL = Program(entrypoint=["sh", "-c"], arguments=["sleep 1000"])
PYTHON = Program(entrypoint=[sys.executable, "-u", "-c"])
WEB = Program(entrypoint=[sys.executable, "-I", str(Path(__file__).with_name("webprogram.py"))])
PROGRAMS = {"shell:*": SHELL, "python:*": PYTHON, "web:*": WEB}


class ProcessBench:
    """The bench of a simulated cluster, with pods that are processes."""

    def __init__(self, bench: Bench, pods: ProcessPods, table: ProgramTable) -> None:
        self.bench = bench
        self.api = bench.api
        self.pods = pods
        self.table = table
        # What the event loop was told of: faults of the program that nobody else would see.
        self.faults: list[str] = []

    async def pod(self, name: str, *containers: Object, **spec: Any) -> Object:
        """Make a pod of these containers; ``labels`` and ``annotations`` are its metadata's."""
        meta = {key: spec.pop(key) for key in ("labels", "annotations") if key in spec}
        return await self.bench.make(PODS, name, spec={"containers": list(containers), **spec}, **meta)

    async def seen(self, name: str, holds: Callable[[Object], Any]) -> Object:
        """The pod as soon as that holds; fails, with the pod, if it does not in the end."""
        found: Object = {}

        async def look() -> bool:
            nonlocal found
            found = await self.bench.get(PODS, name)
            return bool(holds(found))

        await self.until(look, lambda: found)
        return found

    async def until(self, look: Callable[[], Any], what: Callable[[], Any] = lambda: "") -> None:
        """Let time pass until that holds."""
        until = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while True:
            answer = look()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            assert asyncio.get_running_loop().time() < until, what()
            await self.bench.clock.advance(_TURN_MOVES)
            await asyncio.sleep(_TURN_SECONDS)

    async def gone(self, name: str) -> None:
        """Wait until the pod is gone."""

        async def look() -> bool:
            try:
                await self.bench.get(PODS, name)
            except NotFound:
                return True
            return False

        await self.until(look)

    async def events(self, name: str) -> list[tuple[str, str]]:
        """(reason, message) of each event about the pod."""
        events = (await self.api.list(CORE_EVENTS, namespace=TEAM))[0]
        return [(each["reason"], each["message"]) for each in events if each["involvedObject"]["name"] == name]

    async def log(self, name: str, container: str = "", **options: Any) -> str:
        """The whole log of a container."""
        pieces = [piece async for piece in self.pods.logs(ObjectKey(TEAM, name), container, LogOptions(**options))]
        return b"".join(pieces).decode()


def ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def container_status(pod: Object, name: str = "main") -> Object:
    status = pod.get("status") or {}
    listed = [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]
    found: Object = next((each for each in listed if each["name"] == name), {})
    return found


def state(pod: Object, kind: str, name: str = "main") -> Object:
    """The container's state of that kind, or nothing."""
    found: Object = (container_status(pod, name).get("state") or {}).get(kind) or {}
    return found


def running(pod: Object, name: str = "main") -> bool:
    return bool(state(pod, "running", name))


@asynccontextmanager
async def process_pods(
    folder: Path, programs: Mapping[str, Program] = PROGRAMS, fallback: Lives | None = None, **options: Any
) -> AsyncIterator[ProcessBench]:
    """A cluster whose pods are processes; when it ends none of them is left. Fails if a fault of its own was told."""
    table = ProgramTable(programs, claims=options.pop("claims", None), host_paths=options.pop("host_paths", None))
    pods = ProcessPods(table, folder, random.Random(), fallback=fallback, **options)
    loop = asyncio.get_running_loop()
    async with simulated(lives=pods) as bench:
        made = ProcessBench(bench, pods, table)
        loop.set_exception_handler(lambda _, told: made.faults.append(f"{told['message']}: {told.get('exception')!r}"))
        yield made
    loop.set_exception_handler(None)
    assert not made.faults
