"""Looks whether the GPU metric is served for the pods of those workloads that have a GPU target.

It asks nothing while there is no such workload. A look is one request for the group, one for each namespace and metric
in use, and now and then one for the list of metrics, when a workload has no value: that tells a metric that the adapter
does not know from one that has no value yet. The values come first and the list second, because adapters may serve more
than they list. A workload that is new is looked at within a second or two.
"""

import asyncio
import random as random_module
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import structlog

from aiop.controllers.serving.errors import MetricsUnreadable
from aiop.controllers.serving.scaling.custommetrics import CustomMetrics, Values
from aiop.controllers.serving.scaling.served import Sight
from aiop.controllers.serving.scaling.sightings import Sightings
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import Clock
from aiop.runtime.manager.parts import race, set_event

log = structlog.get_logger(__name__)

# Of the time between looks: operators of many clusters on one metrics backend shall not ask in step.
_JITTER = 0.2
# New workloads come in company.
_COMPANY_SECONDS = 1.0
# Namespaces that are asked for at a time: one that hangs does not hold up the others.
_AT_A_TIME = 4
# A list of metrics may be megabytes, and is asked for only to choose a sentence.
_LOOKS_PER_LIST = 10

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A workload with a GPU target, and the metric that it is measured by."""

    uid: str
    key: ObjectKey
    metric: str

    @property
    def place(self) -> Place:
        """Namespace and metric: what is asked for in one request."""
        return (self.key.namespace, self.metric)


class GpuMetricWatcher:
    """Fills ``sightings``; ``run`` it while this process leads.

    ``wanted`` gives the workloads, ``pods`` the names of a workload's pods; ``wake`` is told each workload for which
    something changed. ``seconds`` lie between two looks at the same workload, and up to a fifth more.
    """

    def __init__(
        self,
        metrics: CustomMetrics,
        sightings: Sightings,
        *,
        wanted: Callable[[], Iterable[Wanted]],
        pods: Callable[[ObjectKey], Collection[str]],
        wake: Callable[[ObjectKey], None],
        clock: Clock,
        random: random_module.Random,
        seconds: float,
    ) -> None:
        self._metrics = metrics
        self._sightings = sightings
        self._wanted = wanted
        self._pods = pods
        self._wake = wake
        self._clock = clock
        self._random = random
        self._seconds = seconds
        self._called = asyncio.Event()
        self._lists: dict[str, bool] = {}
        self._looks = 0

    def call(self) -> None:
        """There may be a workload that nobody has looked at."""
        self._called.set()

    async def run(self) -> None:
        """Until cancelled; what was seen in an earlier term is forgotten, for it may be long ago."""
        self._sightings.keep(())
        self._looks = 0
        while True:
            self._called.clear()
            wanted = list(self._wanted())
            self._sightings.keep({each.uid for each in wanted})
            await self._look(wanted)
            await self._rest()

    async def _rest(self) -> None:
        """Until the next look at all; meanwhile look at those that are new."""
        now = self._clock.monotonic
        ends = now() + self._seconds * (1 + _JITTER * self._random.random())
        while (left := ends - now()) > 0:
            await race(set_event(self._called), self._clock.sleep(left))
            if self._called.is_set():
                await self._clock.sleep(_COMPANY_SECONDS)
                self._called.clear()
                await self._look([each for each in self._wanted() if not self._sightings.knows(each.uid, each.metric)])

    async def _look(self, wanted: Collection[Wanted]) -> None:
        if not wanted:
            return
        sights = await self._sights(wanted)
        for each in wanted:
            if self._sightings.see(each.uid, each.metric, sights[each.uid]):
                served = self._sightings.of(each.uid)
                log.info(
                    "gpu metric", object=str(each.key), metric=each.metric, served=served.served, seen=served.sight.name
                )
                self._wake(each.key)

    async def _sights(self, wanted: Collection[Wanted]) -> Mapping[str, Sight]:
        if self._looks % _LOOKS_PER_LIST == 0:
            self._lists.clear()
        self._looks += 1
        try:
            version = await self._metrics.version()
        except MetricsUnreadable as error:
            return dict.fromkeys((each.uid for each in wanted), error.sight)
        turn = asyncio.Semaphore(_AT_A_TIME)
        places = list(dict.fromkeys(each.place for each in wanted))
        found = await asyncio.gather(*(self._values(version, place, turn) for place in places))
        by_place = dict(zip(places, found, strict=True))
        return {each.uid: await self._sight(version, each, by_place[each.place]) for each in wanted}

    async def _values(self, version: str, place: Place, turn: asyncio.Semaphore) -> Values | Sight:
        async with turn:
            try:
                return await self._metrics.values(version, *place)
            except MetricsUnreadable as error:
                return error.sight

    async def _sight(self, version: str, wanted: Wanted, found: Values | Sight) -> Sight:
        if isinstance(found, Sight):
            return found
        pods = set(self._pods(wanted.key))
        # An autoscaler would take a blank for an enormous load, whatever the other pods say.
        if pods & found.blank:
            return Sight.BLANK
        if pods & found.pods:
            return Sight.SERVED
        exists = found.pods or found.blank or await self._listed(version, wanted.metric)
        return Sight.NO_SAMPLE if exists else Sight.NO_METRIC

    async def _listed(self, version: str, metric: str) -> bool:
        if metric not in self._lists:
            try:
                self._lists[metric] = await self._metrics.lists(version, metric)
            except MetricsUnreadable as error:
                log.debug("list of metrics not read", error=str(error))
                self._lists[metric] = True  # then nothing is said against it
        return self._lists[metric]
