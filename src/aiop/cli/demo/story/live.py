"""The stage that is a cluster."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from aiop.api.resources import AIWORKLOADS
from aiop.cli.demo.board import Row, all_ready, row_of
from aiop.cli.demo.errors import StepFailed
from aiop.cli.demo.load import Load
from aiop.cli.demo.opened import OpenCluster
from aiop.cli.demo.status import Status, status_of
from aiop.cli.demo.story.stage import Pod, Prediction
from aiop.controllers.serving.names import WORKLOAD_LABEL
from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.source import ClientListWatch
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.views import workloads
from aiop.runtime.views.custom import CustomObject, decode_custom
from aiop.sim.processes.errors import ProcessPodError
from aiop.sim.processes.podaccess import Streams

# The sample that the story is about, and the path that its manifest asks for.
HERO = "bert-sentiment"
ENDPOINT = "/api/v1/predict"
_FIELD_MANAGER = "aiop-demo"
_LOOK_SECONDS = 0.1
_ANSWER_SECONDS = 20.0
# The server has written its own number there.
_KILL = ("sh", "-c", 'kill -9 "$(cat "$HOME/server.pid")"')


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the story plays. ``names`` are the samples', ``seconds`` what a step may take (None: any time)."""

    cluster: OpenCluster
    client: Client
    namespace: str
    names: Sequence[str]
    seconds: float | None


class LiveStage:
    """See Stage; ``rows`` is what the table shows. ``check`` is awaited while anything is waited for, and may raise."""

    def __init__(self, setting: Setting, check: Callable[[], Awaitable[None]]) -> None:
        self._setting = setting
        self._check = check
        self.url = f"{setting.cluster.router_url}{ENDPOINT}" if setting.cluster.router_url else ""
        self.load = Load(self.url)
        self._workloads = _informer(
            "demo", ClientListWatch(setting.client, AIWORKLOADS, namespace=setting.namespace), decode_custom
        )
        selector = f"{WORKLOAD_LABEL}={HERO}"
        self._pods = _informer(
            "demo's pods",
            ClientListWatch(setting.client, PODS, namespace=setting.namespace, label_selector=selector),
            workloads.decode_pod,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Watch the cluster, and send the load, for as long as the context lasts."""
        parts = (self._workloads.run(), self._pods.run(), self.load.run())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def rows(self) -> list[Row]:
        """Every sample, as the table shows it."""
        views = sorted(self._workloads.store.values(), key=lambda view: view.metadata.name)
        return [row_of(view) for view in views if view.metadata.name in self._setting.names]

    def all_ready(self) -> bool:
        """See Stage."""
        rows = self.rows()
        return len(rows) == len(self._setting.names) and all_ready(rows)

    def status(self) -> Status:
        """See Stage."""
        hero = self._hero()
        return status_of(hero) if hero is not None else Status()

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """See Stage."""
        try:
            async with asyncio.timeout(self._setting.seconds):
                while not holds():
                    await self.pause(_LOOK_SECONDS)
        except TimeoutError as error:
            hero = self._hero()
            says = f"; {row_of(hero).message}" if hero is not None else ""
            message = f"not within {self._setting.seconds:.0f} s: {what}{says}"
            raise StepFailed(message) from error

    async def pause(self, seconds: float) -> None:
        """See Stage."""
        await asyncio.sleep(seconds)
        await self._check()

    async def ask(self, sentence: str) -> Prediction:
        """See Stage."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self.url, json={"text": sentence}) as response,
            ):
                raw = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StepFailed(f"{self.url} gave no answer: {error!r}") from error
        return _prediction(raw)

    async def change_version(self, version: str) -> None:
        """See Stage."""
        key = ObjectKey(self._setting.namespace, HERO)
        patch = {"spec": {"modelVersion": version}}
        await self._setting.client.patch(
            AIWORKLOADS, key, patch, patch_type=PatchType.MERGE, field_manager=_FIELD_MANAGER
        )

    def pods(self) -> list[Pod]:
        """See Stage."""
        return sorted(map(_pod, self._pods.store.values()), key=lambda pod: pod.name)

    async def kill(self, pod: str) -> None:
        """See Stage."""
        access = self._setting.cluster.pods
        if access is None:
            raise StepFailed("the pods of this cluster are no processes of this machine")
        try:
            await access.execute(ObjectKey(self._setting.namespace, pod), "", _KILL, Streams())
        except ProcessPodError as error:
            raise StepFailed(f"{pod} could not be killed: {error}") from error

    def _hero(self) -> CustomObject | None:
        return self._workloads.store.get(ObjectKey(self._setting.namespace, HERO))


def _informer(name: str, source: ClientListWatch, decode: Callable[[bytes], Any]) -> StreamInformer[Any]:
    return StreamInformer(name, source, decode, clock=SystemClock(), random=random.Random())  # noqa: S311 - jitter


def _prediction(raw: str) -> Prediction:
    try:
        answer = msgspec.json.decode(raw)
        return Prediction(str(answer["version"]), str(answer["label"]), float(answer["score"]), raw)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise StepFailed(f"no prediction came back: {raw[:200]}") from error


def _pod(view: workloads.Pod) -> Pod:
    restarts = sum(each.restart_count for each in view.status.container_statuses)
    return Pod(view.metadata.name, view.ready, restarts)
