"""Kubelets of simulated nodes: they give the pods that are bound to them their life, as a script says.

Nothing but the ClusterAPI is used, so the same kubelets serve the embedded API server and a real one.
"""

import asyncio
import itertools
import random as random_module
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import replace
from typing import TypeVar

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.errors import ApiError, ClientError, ServerError, TooManyRequests
from aiop.runtime.kit.clock import Clock
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.cluster.events import Events
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.cluster.moments import moment_of
from aiop.sim.cluster.objects import key_of, spec_of, terminating, uid_of
from aiop.sim.cluster.outcomes import Outcome, Script
from aiop.sim.cluster.podlife import PodLife

T = TypeVar("T")

# A status that a server which is just away did not take is written again.
_RETRY_SECONDS = 0.5
# No two pods take exactly as long.
_JITTER = 0.1
# What a pod gets that does not say how long its end may take.
_GRACE_SECONDS = 30.0


class Kubelets:
    """One task a pod, and none once nothing more happens to it; a pod's deletion cuts its life short.

    Promised: a server that is away is waited for; a write that the server refuses is given up, and only that pod
    stands still. Every pod on one of ``nodes`` is deleted for good once it was asked to go.
    """

    def __init__(
        self,
        api: ClusterAPI,
        clock: Clock,
        nodes: Collection[str],
        script: Script,
        random: random_module.Random,
    ) -> None:
        self._api = api
        self._clock = clock
        self._nodes = frozenset(nodes)
        self._script = script
        self._random = random
        self._events = Events(api, clock, "kubelet")
        self._mirror = Mirror(api, PODS, clock, self._changed)
        self._lives: dict[str, PodLife] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[str] = set()
        self._addresses = itertools.count(1)

    async def run(self) -> None:
        """Run every kubelet until cancelled."""
        try:
            await self._mirror.run()
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and (new is None or uid_of(new) != uid_of(old)):
            self._forget(uid_of(old))
        if new is None or spec_of(new).get("nodeName") not in self._nodes:
            return
        uid = uid_of(new)
        if terminating(new):
            if uid not in self._leaving:
                self._leaving.add(uid)
                self._begin(uid, self._end(self._life_of(new), new))
        elif uid not in self._lives:
            self._begin(uid, self._life_of(new).live())
        elif uid not in self._tasks and self._lives[uid].contradicted_by(new):
            self._begin(uid, self._lives[uid].restate(new))

    def _forget(self, uid: str) -> None:
        self._leaving.discard(uid)
        self._lives.pop(uid, None)
        if task := self._tasks.pop(uid, None):
            task.cancel()

    def _begin(self, uid: str, work: Coroutine[object, object, None]) -> None:
        """Let this happen to the pod now, instead of whatever was happening."""
        if known := self._tasks.pop(uid, None):
            known.cancel()
        task = asyncio.get_running_loop().create_task(work, name=f"pod {uid}")
        self._tasks[uid] = task
        task.add_done_callback(lambda done: self._done(uid, done))

    def _done(self, uid: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(uid) is task:
            del self._tasks[uid]
        if not task.cancelled() and isinstance(task.exception(), ClientError):
            return  # the server refused a write: the pod stays as it is
        if not task.cancelled() and (error := task.exception()) is not None:
            loop = task.get_loop()
            loop.call_exception_handler({"message": "a simulated pod's life failed", "exception": error})

    def _life_of(self, pod: Object) -> PodLife:
        uid = uid_of(pod)
        if uid not in self._lives:
            self._lives[uid] = PodLife(
                pod,
                self._about(self._script(pod)),
                self._address(),
                moment=lambda: moment_of(self._clock),
                write=self._writer(pod),
                say=self._speaker(pod),
                sleep=self._clock.sleep,
            )
        return self._lives[uid]

    async def _end(self, life: PodLife, pod: Object) -> None:
        grace = pod["metadata"].get("deletionGracePeriodSeconds")
        await life.end(pod, _GRACE_SECONDS if grace is None else float(grace))
        await self._insist(lambda: self._api.delete(PODS, key_of(pod), uid=uid_of(pod), grace_seconds=0))

    def _writer(self, pod: Object) -> Callable[[Object], Awaitable[Object]]:
        key, uid = key_of(pod), uid_of(pod)

        async def write(status: Object) -> Object:
            patch = {"metadata": {"uid": uid}, "status": status}
            return await self._insist(lambda: self._api.patch(PODS, key, patch, subresource="status"))

        return write

    def _speaker(self, pod: Object) -> Callable[..., Awaitable[None]]:
        async def say(reason: str, message: str, *, warning: bool = False) -> None:
            if warning:
                await self._events.warning(pod, reason, message)
            else:
                await self._events.normal(pod, reason, message)

        return say

    async def _insist(self, request: Callable[[], Awaitable[T]]) -> T:
        """Ask until the server answers; raises what it refuses for good (the pod is gone, or another)."""
        while True:
            try:
                return await request()
            except (ServerError, TooManyRequests):
                await self._clock.sleep(_RETRY_SECONDS)
            except ApiError:
                raise
            except ClientError:
                await self._clock.sleep(_RETRY_SECONDS)

    def _about(self, outcome: Outcome) -> Outcome:
        factor = 1.0 + _JITTER * self._random.random()
        return replace(
            outcome, start_seconds=outcome.start_seconds * factor, ready_seconds=outcome.ready_seconds * factor
        )

    def _address(self) -> str:
        number = next(self._addresses)
        return f"10.{64 + number // 65025 % 64}.{number // 255 % 255}.{number % 255 + 1}"
