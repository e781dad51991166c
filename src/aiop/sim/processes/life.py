"""A pod's life as processes of this machine."""

import asyncio
from collections.abc import Awaitable, Callable

from aiop.sim.cluster import podstatus
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import annotations_of, containers_of, finished, init_containers_of, labels_of
from aiop.sim.processes.container import Container
from aiop.sim.processes.errors import VolumeNotMounted
from aiop.sim.processes.mishaps import report, watched, words_of
from aiop.sim.processes.restarts import RestartPolicy
from aiop.sim.processes.room import Room
from aiop.sim.processes.timing import cancelled
from aiop.sim.processes.volumes import Volumes, remove

# As a kubelet's volume manager: half a second, doubled, about two minutes at most.
_FIRST_SECONDS, _MOST_SECONDS = 0.5, 122.0
# How often files that come out of the API are compared with it, as a kubelet's sync does.
_REFRESH_SECONDS = 60.0


class ProcessLife:
    """A Life in processes. ``close`` leaves none of them, no address and no file behind; it may be called twice.

    ``live`` may be cancelled: the containers run on until ``end`` or ``close``. ``opened`` is awaited before any file
    is written, ``closed`` is called once nothing runs any more.
    """

    def __init__(
        self, room: Room, volumes: Volumes, opened: Callable[[], Awaitable[None]], closed: Callable[[], None]
    ) -> None:
        self._room = room
        self._opened = opened
        self._volumes = volumes
        self._closed = closed
        self._work: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.containers: dict[str, Container] = {}

    @property
    def room(self) -> Room:
        """What its containers share."""
        return self._room

    async def live(self) -> None:
        """See Life."""
        if finished(self._room.pod):
            return
        self._room.board.begin()
        self._writing = watched(asyncio.create_task(self._room.board.run(), name="status of a pod"))
        self._work = asyncio.create_task(self._run(), name="containers of a pod")
        await asyncio.shield(self._work)

    def notice(self, pod: Object) -> None:
        """See Life."""
        told = (labels_of(self._room.pod), annotations_of(self._room.pod))
        self._room.board.notice(pod)
        if (labels_of(pod), annotations_of(pod)) != told and self._work is not None and not self._work.done():
            refreshing = asyncio.create_task(self._volumes.refresh(pod), name="files of a pod")
            self._tasks["the pod's own labels"] = watched(refreshing)

    def contradicted_by(self, pod: Object) -> bool:  # noqa: ARG002 - ``notice`` has seen to it
        """See Life."""
        return False

    async def restate(self, pod: Object) -> None:
        """See Life."""
        self._room.board.notice(pod)
        await self._room.board.flush()

    async def end(self, pod: Object, grace_seconds: float) -> None:
        """See Life."""
        board = self._room.board
        board.notice(pod)
        await cancelled(self._work)
        if finished(pod) or not self.containers:
            return
        board.ending()
        for each in self.containers.values():
            each.leave()
        await self._stop_all(grace_seconds)
        await self._abandon_waiting()
        moment = self._room.desk.moment()
        for name, view in board.views.items():
            if view.doing == "waiting":
                board.put(name, state=view.last or podstatus.lost(moment), ready=False)
        await board.flush()

    async def close(self) -> None:
        """See Life."""
        await cancelled(self._work)
        await cancelled(self._writing)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._closed()
        self._room.address.release()
        await asyncio.to_thread(remove, self._room.folder)

    async def _run(self) -> None:
        self._make_containers()
        await self._mount()
        self._room.board.address = self._room.address.host
        self._room.board.touch()
        refreshing = watched(asyncio.create_task(self._refresh(), name="files of a pod"))
        try:
            if await self._initialize():
                await _ended([self._start(each["name"]) for each in containers_of(self._room.pod)])
            await self._finish()
        finally:
            await cancelled(refreshing)

    def _make_containers(self) -> None:
        pod = self._room.pod
        for is_init, specs in ((True, init_containers_of(pod)), (False, containers_of(pod))):
            for spec in specs:
                policy = RestartPolicy.of(pod, spec, is_init=is_init)
                self.containers[spec["name"]] = Container(spec, self._room, policy)

    async def _mount(self) -> None:
        """Until its files are there; each failure is told."""
        seconds = _FIRST_SECONDS
        while True:
            try:
                await self._opened()
                await self._volumes.mount()
            except VolumeNotMounted as error:
                await self._room.desk.say("FailedMount", str(error), warning=True)
            except Exception as error:  # noqa: BLE001 - whatever it is, the pod shall not wait without a word
                report(error, "files of a pod")
                await self._room.desk.say("FailedSync", f"error syncing pod: {words_of(error)}", warning=True)
            else:
                return
            await self._room.desk.sleep(seconds)
            seconds = min(2 * seconds, _MOST_SECONDS)

    async def _refresh(self) -> None:
        while True:
            await self._room.desk.sleep(_REFRESH_SECONDS)
            await self._volumes.refresh(self._room.pod)

    async def _initialize(self) -> bool:
        """One init container after the other; False if one has failed for good."""
        for spec in init_containers_of(self._room.pod):
            container = self.containers[spec["name"]]
            running = self._start(container.name)
            if spec.get("restartPolicy") == "Always":
                await container.started.wait()
                continue
            await _ended([running])
            if not self._room.board.views[container.name].ended_well:
                return False
        return True

    def _start(self, name: str) -> asyncio.Task[None]:
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(self.containers[name].run(), name=f"container {name}")
        return self._tasks[name]

    async def _finish(self) -> None:
        """All that shall run has run: the sidecars go, and the status says how it went."""
        grace = float(self._room.pod["spec"].get("terminationGracePeriodSeconds", 30))
        for each in self.containers.values():
            each.leave()
        await self._stop_all(grace)
        await self._abandon_waiting()
        await self._room.board.flush()

    async def _stop_all(self, grace_seconds: float) -> None:
        """The containers together; then the sidecars, the last one first, in what is left of the grace."""
        desk = self._room.desk
        until = desk.monotonic() + grace_seconds
        sidecars = [each["name"] for each in init_containers_of(self._room.pod)]
        mains = [each for name, each in self.containers.items() if name not in sidecars]
        await asyncio.gather(*(each.stop(grace_seconds) for each in mains))
        for name in reversed(sidecars):
            await self.containers[name].stop(max(0.0, until - desk.monotonic()))

    async def _abandon_waiting(self) -> None:
        """Those that run no more say so; those that wait for anything wait no longer."""
        for name, container in self.containers.items():
            task = self._tasks.get(name)
            if task is not None and container.present is None and self._room.board.views[name].doing != "running":
                await cancelled(task)
        running = [self._tasks[name] for name, each in self.containers.items() if name in self._tasks]
        await asyncio.gather(*running, return_exceptions=True)


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """Wait for all of them; they go on if the waiting is cancelled. Raises what one of them has raised."""
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()
