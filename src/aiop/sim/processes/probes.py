"""The probes of one run of a container, and what follows from them."""

import asyncio
from collections.abc import Awaitable, Callable

from aiop.sim.cluster.api import Object
from aiop.sim.processes.expansion import expanded
from aiop.sim.processes.present import Run
from aiop.sim.processes.probing import Verdict
from aiop.sim.processes.room import Room
from aiop.sim.processes.thresholds import Thresholds

_PERIOD_SECONDS = 10.0

Fail = Callable[[str, Object], Awaitable[None]]


class Probes:
    """``run`` probes until it is cancelled, or until ``fail`` was called.

    The startup probe goes before the others; ``started`` is set once it has succeeded. Without a readiness probe a
    container is ready as soon as it has started.
    """

    def __init__(self, container: Object, run: Run, room: Room, started: asyncio.Event, fail: Fail) -> None:
        self._spec = container
        self._name = str(container["name"])
        self._run = run
        self._room = room
        self._started = started
        self._fail = fail

    async def run(self) -> None:
        """Probe."""
        if (probe := self._spec.get("startupProbe")) and not await self._until_decided("Startup", probe):
            await self._fail("startup", probe)
            return
        self._started.set()
        readiness, liveness = self._spec.get("readinessProbe"), self._spec.get("livenessProbe")
        self._room.board.put(self._name, started=True, ready=readiness is None)
        async with asyncio.TaskGroup() as tasks:
            if readiness:
                tasks.create_task(self._readiness(readiness))
            if liveness:
                tasks.create_task(self._liveness(liveness))

    async def _readiness(self, probe: Object) -> None:
        thresholds = Thresholds.of(probe)
        await self._initially(probe)
        while True:
            ready = thresholds.after(await self._once("Readiness", probe))
            if ready is not None and ready != self._room.board.views[self._name].ready:
                self._room.board.put(self._name, ready=ready)
            await self._room.desk.sleep(_period(probe))

    async def _liveness(self, probe: Object) -> None:
        if not await self._until_decided("Liveness", probe, only_failure=True):
            await self._fail("liveness", probe)

    async def _until_decided(self, kind: str, probe: Object, *, only_failure: bool = False) -> bool:
        """Probe until the results are enough for a verdict."""
        thresholds = Thresholds.of(probe)
        await self._initially(probe)
        while True:
            decided = thresholds.after(await self._once(kind, probe))
            if decided is False or (decided and not only_failure):
                return decided
            await self._room.desk.sleep(_period(probe))

    async def _initially(self, probe: Object) -> None:
        desk = self._room.desk
        left = self._run.began + float(probe.get("initialDelaySeconds") or 0) - desk.monotonic()
        if left > 0:
            await desk.sleep(left)

    async def _once(self, kind: str, probe: Object) -> bool:
        own = {each["name"]: str(each["value"]) for each in self._spec.get("env") or [] if each.get("value")}
        said = (probe.get("exec") or {}).get("command") or []
        command = self._run.recipe.local([expanded(each, own) for each in said])
        finding = await self._run.prober.probe(probe, self._run.recipe.setting, command)
        if finding.verdict is Verdict.FAILURE:
            await self._room.desk.say("Unhealthy", f"{kind} probe failed: {finding.words}", warning=True)
        elif finding.verdict is Verdict.WARNING:
            await self._room.desk.say("ProbeWarning", f"{kind} probe warning: {finding.words}", warning=True)
        return finding.verdict is not Verdict.FAILURE


def _period(probe: Object) -> float:
    return float(probe.get("periodSeconds") or _PERIOD_SECONDS)
