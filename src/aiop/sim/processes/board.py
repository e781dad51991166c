"""A pod's status as its containers make it: changed in memory, written by one hand."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiop.runtime.client.errors import ApiError
from aiop.sim.cluster import podstatus
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.lives import Desk
from aiop.sim.cluster.objects import containers_of, init_containers_of, status_of, version_of
from aiop.sim.cluster.podstatus import View


class Board:
    """``put`` changes what is known of a container; ``run`` writes what has changed since, ``flush`` at once.

    Promised: a status that the pod has already is not written again. What the server refuses for good is dropped: the
    pod is gone, or another has its name.
    """

    def __init__(self, pod: Object, desk: Desk) -> None:
        self.pod = pod
        self.views = podstatus.views_of(pod)
        self.address = ""
        self._desk = desk
        self._dirty = asyncio.Event()
        self._lock = asyncio.Lock()
        self._ending = False

    def begin(self) -> None:
        """Every container waits. One that the API has as running did so under a kubelet that is gone: it is lost."""
        reason = "PodInitializing" if init_containers_of(self.pod) else "ContainerCreating"
        waiting = View(podstatus.waiting(reason))
        for each in [*init_containers_of(self.pod), *containers_of(self.pod)]:
            known = self.views.get(each["name"], waiting)
            ran = known.doing == "running"
            last = podstatus.lost(self._desk.moment()) if ran else known.last
            self.views[each["name"]] = replace(waiting, restarts=known.restarts + ran, last=last)
        self.touch()

    def put(self, name: str, **changes: Any) -> None:
        """Change these fields of the container's View."""
        self.views[name] = replace(self.views[name], **changes)
        self.touch()

    def touch(self) -> None:
        """There may be something to write."""
        self._dirty.set()

    def notice(self, pod: Object) -> None:
        """The pod has changed on the server, perhaps in what only we may say."""
        if version_of(pod) >= version_of(self.pod):
            self.pod = pod
            self.touch()

    def ending(self) -> None:
        """From now on nothing restarts, whatever the pod's policy says."""
        self._ending = True

    async def run(self) -> None:
        """Write whenever something has changed, for ever."""
        while True:
            await self._dirty.wait()
            await self.flush()

    async def flush(self, change: Callable[[Object], Object] = lambda status: status) -> None:
        """Write how it is now, if it is not written yet; ``change`` may add to the status."""
        async with self._lock:
            self._dirty.clear()
            status = change(self._status())
            if _known(status, status_of(self.pod)):
                return
            try:
                self.pod = await self._desk.write(status)
            except ApiError:
                return

    def _status(self) -> Object:
        pod = self.pod
        if self._ending:
            pod = {**pod, "spec": {**pod["spec"], "restartPolicy": "Never"}}
        return podstatus.pod_status(pod, self._desk.moment(), self.views, self.address)


def _known(status: Object, written: Object) -> bool:
    return all(_plain(written.get(field)) == _plain(value) for field, value in status.items())


def _plain(value: Any) -> Any:
    """Without nulls, which the API keeps or drops as it likes."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
