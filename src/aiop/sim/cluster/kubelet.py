"""Kubelets of simulated nodes: they give the pods that are bound to them their life.

Nothing but the ClusterAPI is used, so the same kubelets serve the embedded API server and a real one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import TypeVar

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.errors import ApiError, ClientError, ServerError, TooManyRequests
from aiop.runtime.kit.clock import Clock
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.cluster.events import Events
from aiop.sim.cluster.lives import Desk, Life, Lives, Say
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.cluster.moments import moment_of
from aiop.sim.cluster.objects import key_of, spec_of, terminating, uid_of

T = TypeVar("T")

# A status that a server which is just away did not take is written again.
_RETRY_SECONDS = 0.5
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
        lives: Lives,
    ) -> None:
        self._api = api
        self._clock = clock
        self._nodes = frozenset(nodes)
        self._begun_by = lives
        self._events = Events(api, clock, "kubelet")
        self._mirror = Mirror(api, PODS, clock, self._changed)
        self._lives: dict[str, Life] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[str] = set()
        self._closing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Run every kubelet until cancelled."""
        try:
            await self._mirror.run()
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, *self._closing, return_exceptions=True)
            await asyncio.gather(*(life.close() for life in self._lives.values()))
            await self._begun_by.close()

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
            return
        if uid not in self._lives:
            self._begin(uid, self._life_of(new).live())
            return
        self._lives[uid].notice(new)
        if uid not in self._tasks and self._lives[uid].contradicted_by(new):
            self._begin(uid, self._lives[uid].restate(new))

    def _forget(self, uid: str) -> None:
        self._leaving.discard(uid)
        if task := self._tasks.pop(uid, None):
            task.cancel()
        if life := self._lives.pop(uid, None):
            closing = asyncio.get_running_loop().create_task(life.close(), name=f"closing pod {uid}")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

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
            _tell(error)

    def _life_of(self, pod: Object) -> Life:
        uid = uid_of(pod)
        if uid not in self._lives:
            self._lives[uid] = self._begun_by.begin(pod, self._desk_for(pod))
        return self._lives[uid]

    def _desk_for(self, pod: Object) -> Desk:
        return Desk(
            api=self._api,
            moment=lambda: moment_of(self._clock),
            monotonic=self._clock.monotonic,
            sleep=self._clock.sleep,
            write=self._writer(pod),
            say=self._speaker(pod),
        )

    async def _end(self, life: Life, pod: Object) -> None:
        grace = pod["metadata"].get("deletionGracePeriodSeconds")
        try:
            await life.end(pod, _GRACE_SECONDS if grace is None else float(grace))
        except ClientError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the pod shall go: with it goes what is left of it
            _tell(error)
        await self._insist(lambda: self._api.delete(PODS, key_of(pod), uid=uid_of(pod), grace_seconds=0))

    def _writer(self, pod: Object) -> Callable[[Object], Awaitable[Object]]:
        key, uid = key_of(pod), uid_of(pod)

        async def write(status: Object) -> Object:
            patch = {"metadata": {"uid": uid}, "status": status}
            return await self._insist(lambda: self._api.patch(PODS, key, patch, subresource="status"))

        return write

    def _speaker(self, pod: Object) -> Say:
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


def _tell(error: BaseException) -> None:
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": "a simulated pod's life failed", "exception": error})
