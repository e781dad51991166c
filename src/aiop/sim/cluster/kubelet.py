"""Kubelets of simulated nodes: they give the pods that are bound to them their life, as a script says.

Nothing but the ClusterAPI is used, so the same kubelets serve the embedded API server and a real one.
"""

import asyncio
import itertools
from collections.abc import Collection
from random import Random

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.errors import ClientError, Conflict, NotFound
from aiop.runtime.kit.clock import Clock
from aiop.sim.cluster import podstatus
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.cluster.moments import moment_of
from aiop.sim.cluster.objects import key_of, terminating, uid_of
from aiop.sim.cluster.outcomes import Ending, Outcome, Script

# A status that a server which is just away did not take is written again.
_RETRY_SECONDS = 0.5


class Kubelets:
    """One task a pod; a pod's deletion cuts its life short."""

    def __init__(self, api: ClusterAPI, clock: Clock, nodes: Collection[str], script: Script, random: Random) -> None:
        self._api = api
        self._clock = clock
        self._nodes = frozenset(nodes)
        self._script = script
        self._random = random
        self._mirror = Mirror(api, PODS, clock, self._changed)
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[str] = set()
        self._addresses = itertools.count(1)

    async def run(self) -> None:
        """Run every kubelet until cancelled."""
        try:
            await self._mirror.run()
        finally:
            for life in self._lives.values():
                life.cancel()
            await asyncio.gather(*self._lives.values(), return_exceptions=True)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        pod = new or old
        assert pod is not None  # noqa: S101 - a change has at least one side
        if pod["spec"].get("nodeName") not in self._nodes:
            return
        uid = uid_of(pod)
        if new is None:
            self._leaving.discard(uid)
            if life := self._lives.pop(uid, None):
                life.cancel()
        elif terminating(new):
            self._begin_end(uid, new)
        elif uid not in self._lives:
            self._lives[uid] = asyncio.create_task(self._live(new), name=f"pod {key_of(new)}")

    def _begin_end(self, uid: str, pod: Object) -> None:
        if uid in self._leaving:
            return
        self._leaving.add(uid)
        if life := self._lives.pop(uid, None):
            life.cancel()
        self._lives[uid] = asyncio.create_task(self._end(pod), name=f"end of pod {key_of(pod)}")

    async def _live(self, pod: Object) -> None:
        if pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
            return
        outcome = self._script(pod)
        pod = await self._write(pod, podstatus.creating(pod, self._moment()))
        await self._clock.sleep(self._about(outcome.start_seconds))
        match outcome.ending:
            case Ending.IMAGE_MISSING:
                await self._write(pod, podstatus.image_missing(pod, self._moment()))
            case Ending.CONFIG_ERROR:
                await self._write(pod, podstatus.config_error(pod, self._moment(), outcome))
            case Ending.CRASHES:
                await self._crash_for_ever(pod, outcome)
            case _:
                await self._run_container(pod, outcome)

    async def _run_container(self, pod: Object, outcome: Outcome) -> None:
        address = self._address()
        pod = await self._write(pod, podstatus.running(pod, self._moment(), ready=False, address=address))
        if outcome.ending is Ending.NEVER_READY:
            return
        await self._clock.sleep(outcome.ready_seconds)
        if outcome.ending is Ending.COMPLETES:
            await self._write(pod, podstatus.completed(pod, self._moment(), outcome, address=address))
        else:
            await self._write(pod, podstatus.running(pod, self._moment(), ready=True, address=address))

    async def _crash_for_ever(self, pod: Object, outcome: Outcome) -> None:
        address = self._address()
        for restarts in itertools.count():
            pod = await self._write(
                pod, podstatus.running(pod, self._moment(), ready=False, address=address, restarts=restarts)
            )
            await self._clock.sleep(outcome.ready_seconds)
            status = podstatus.crashed(pod, self._moment(), outcome, restarts=restarts, address=address)
            pod = await self._write(pod, status)
            await self._clock.sleep(podstatus.crash_delay(restarts))

    async def _end(self, pod: Object) -> None:
        await self._clock.sleep(self._script(pod).stop_seconds)
        while True:
            try:
                await self._api.delete(PODS, key_of(pod), uid=uid_of(pod), grace_seconds=0)
            except (NotFound, Conflict):
                return
            except ClientError:
                await self._clock.sleep(_RETRY_SECONDS)
            else:
                return

    async def _write(self, pod: Object, status: Object) -> Object:
        """Write the status; a pod that is gone is written no more, which its deletion will tell."""
        patch = {"metadata": {"uid": uid_of(pod)}, "status": status}
        while True:
            try:
                return await self._api.patch(PODS, key_of(pod), patch, subresource="status")
            except (NotFound, Conflict):
                return pod
            except ClientError:
                await self._clock.sleep(_RETRY_SECONDS)

    def _address(self) -> str:
        number = next(self._addresses)
        return f"10.{64 + number // 65025 % 64}.{number // 255 % 255}.{number % 255 + 1}"

    def _about(self, seconds: float) -> float:
        """No two pods take exactly as long."""
        return seconds * (1.0 + 0.1 * self._random.random())

    def _moment(self) -> str:
        return moment_of(self._clock)
