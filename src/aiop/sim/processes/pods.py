"""All pods of a cluster that run as processes: where their lives begin, and how others reach them."""

import asyncio
import random as random_module
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import aiohttp

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.lives import Desk, Life, Lives
from aiop.sim.cluster.objects import annotations_of, containers_of, init_containers_of, key_of, uid_of
from aiop.sim.processes.accounting import usage_of
from aiop.sim.processes.addresses import Addresses
from aiop.sim.processes.board import Board
from aiop.sim.processes.container import Container
from aiop.sim.processes.errors import CommandNotStarted, ContainerNotFound, NothingLogged, PodNotFound
from aiop.sim.processes.execution import execute
from aiop.sim.processes.folder import Folder
from aiop.sim.processes.life import ProcessLife
from aiop.sim.processes.logreading import has_begun, log_pieces
from aiop.sim.processes.podaccess import Address, LogOptions, RunningPod, Streams, Usage
from aiop.sim.processes.programs import ProgramTable
from aiop.sim.processes.recipe import listed_ports
from aiop.sim.processes.room import Room
from aiop.sim.processes.supervised import LOG_BYTES
from aiop.sim.processes.volumes import Volumes

_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


class ProcessPods:
    """Lives in processes, and the PodAccess to them.

    ``folder`` is for the pods' files, each cluster's in a folder of its own that goes with it, and for claims, which
    stay. ``fallback`` takes the pods of whose images the table has none; without it they fail as a pull
    does. ``own_addresses`` False: every pod is at 127.0.0.1, with ports of its own, as on systems that have no other
    loopback addresses. ``log_bytes`` is when a log is rotated.
    """

    def __init__(
        self,
        table: ProgramTable,
        folder: Path,
        random: random_module.Random,
        *,
        fallback: Lives | None = None,
        own_addresses: bool = True,
        log_bytes: int = LOG_BYTES,
    ) -> None:
        self._table = table
        self._folder = Folder(folder)
        self._claims = folder / "claims"
        self._addresses = Addresses(random, own=own_addresses)
        self._fallback = fallback
        self._log_bytes = log_bytes
        self._session: aiohttp.ClientSession | None = None
        self._lives: dict[ObjectKey, ProcessLife] = {}

    def begin(self, pod: Object, desk: Desk) -> Life:
        """See Lives."""
        images = [str(each["image"]) for each in [*init_containers_of(pod), *containers_of(pod)]]
        if self._fallback is not None and not any(self._table.program_of(image) for image in images):
            return self._fallback.begin(pod, desk)
        return self._begin(pod, desk)

    async def close(self) -> None:
        """See Lives."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        await self._folder.close()
        if self._fallback is not None:
            await self._fallback.close()

    @property
    def folder(self) -> Path:
        """Where the pods' files are: a folder for each, by UID."""
        return self._folder.path

    def running(self) -> Sequence[RunningPod]:
        """See PodAccess."""
        found = []
        for key in sorted(self._lives):
            life = self._lives[key]
            pod = life.room.pod
            if life.room.board.address:
                names = tuple(name for name, each in life.containers.items() if each.present is not None)
                node = str(pod["spec"].get("nodeName", ""))
                found.append(RunningPod(key, uid_of(pod), node, life.room.board.address, names))
        return found

    def address(self, pod: ObjectKey, port: int) -> Address:
        """See PodAccess."""
        return self._life(pod).room.address.of(port)

    async def logs(self, pod: ObjectKey, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """See PodAccess."""
        found = self._container(pod, container)
        run = found.run_before() if options.previous else found.restarts
        log = found.log_of(run)
        if run < 0:
            raise NothingLogged(f'previous terminated container "{found.name}" in pod "{pod.name}" not found')
        if not await asyncio.to_thread(has_begun, log):
            raise NothingLogged(f'container "{found.name}" in pod "{pod.name}" is waiting to start')

        def over() -> bool:
            return found.present is None or found.present.log != log

        async for piece in log_pieces(log, options, over):
            yield piece

    async def execute(
        self, pod: ObjectKey, container: str, command: Sequence[str], streams: Streams, *, tty: bool = False
    ) -> int:
        """See PodAccess."""
        found = self._container(pod, container)
        run = found.present
        if run is None:
            raise ContainerNotFound(f'container "{found.name}" of pod "{pod.name}" does not run')
        if not command:
            raise CommandNotStarted("you must specify at least one command for the container")
        local = await asyncio.to_thread(run.recipe.local_or_copying, list(command))
        return await execute(local, run.recipe.setting, streams, tty=tty, container=run.process)

    async def usage(self, pod: ObjectKey) -> Mapping[str, Usage]:
        """See PodAccess."""
        containers = self._life(pod).containers.items()
        supervisors = {name: each.present.process.supervisor_pid for name, each in containers if each.present}
        return await asyncio.to_thread(usage_of, supervisors)

    def _begin(self, pod: Object, desk: Desk) -> ProcessLife:
        key = key_of(pod)
        board = Board(pod, desk)
        address = self._addresses.give(listed_ports(pod))
        folder = self._folder.path / uid_of(pod)
        volumes = Volumes(
            pod,
            folder / "volumes",
            self._claims,
            api=desk.api,
            table=self._table,
            addresses={"podIP": address.host, "hostIP": "127.0.0.1"},
        )
        room = Room(board, desk, self._table, folder, address, self._open_session(), self._log_bytes, volumes.places)

        def closed() -> None:
            if self._lives.get(key) is life:
                del self._lives[key]

        life = ProcessLife(room, volumes, self._folder.open, closed)
        self._lives[key] = life
        return life

    def _open_session(self) -> aiohttp.ClientSession:
        """One for all; it keeps no connection and no cookie."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def _life(self, pod: ObjectKey) -> ProcessLife:
        if pod not in self._lives:
            raise PodNotFound(f'pods "{pod.name}" not found')
        return self._lives[pod]

    def _container(self, pod: ObjectKey, name: str) -> Container:
        life = self._life(pod)
        wanted = name or annotations_of(life.room.pod).get(_DEFAULT_CONTAINER) or _first(life.room.pod)
        if wanted not in life.containers:
            raise ContainerNotFound(f"container {wanted} is not valid for pod {pod.name}")
        return life.containers[wanted]


def _first(pod: Object) -> str:
    return str(next(containers_of(pod))["name"])
