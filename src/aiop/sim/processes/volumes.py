"""A pod's volumes as folders of this machine."""

import asyncio
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from aiop.runtime.client.builtin import PERSISTENTVOLUMECLAIMS
from aiop.runtime.client.errors import ClientError, NotFound
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.processes import janitor
from aiop.sim.processes.errors import VolumeNotMounted
from aiop.sim.processes.names import is_plain
from aiop.sim.processes.programs import ProgramTable
from aiop.sim.processes.sources import Sources
from aiop.sim.processes.volumefiles import KINDS_OF_FILES, Files, files_of


class Volumes:
    """The volumes of one pod; ``folder`` is the pod's own, ``claims`` the cluster's folder of claims.

    An emptyDir lives as long as the pod; a claim that the table does not name as long as the cluster. Files out of the
    API are written anew by ``refresh``; those that are gone there are removed.
    """

    def __init__(
        self,
        pod: Object,
        folder: Path,
        claims: Path,
        *,
        api: ClusterAPI,
        table: ProgramTable,
        addresses: Mapping[str, str],
    ) -> None:
        self._pod = pod
        self._folder = folder
        self._claims = claims
        self._api = api
        self._sources = Sources(api, pod["metadata"]["namespace"])
        self._table = table
        self._addresses = addresses
        self._written: dict[str, Files] = {}
        self.places: dict[str, Path] = {}

    async def mount(self) -> None:
        """Make all of them; raises VolumeNotMounted for the first that cannot be. It may be called again."""
        for volume in self._pod["spec"].get("volumes") or []:
            if volume["name"] not in self.places:
                self.places[volume["name"]] = await self._place(volume)

    async def refresh(self, pod: Object) -> None:
        """Bring what comes from the API up to date with it and with ``pod``; what cannot be read now stays."""
        self._pod = pod
        for volume in pod["spec"].get("volumes") or []:
            if volume["name"] in self._written:
                try:
                    await self._write(volume)
                except (VolumeNotMounted, ClientError):
                    continue

    async def _place(self, volume: Object) -> Path:
        if not is_plain(str(volume["name"])):
            raise _failed(volume, "its name is no DNS label")
        if "emptyDir" in volume:
            return await self._made(self._folder / str(volume["name"]))
        if "persistentVolumeClaim" in volume:
            return await self._claimed(volume, volume["persistentVolumeClaim"]["claimName"])
        if "hostPath" in volume:
            return self._of_host(volume)
        if any(kind in volume for kind in KINDS_OF_FILES):
            return await self._write(volume)
        kind = next((key for key in volume if key != "name"), "none")
        raise _failed(volume, f"volumes of the kind {kind} do not exist where pods run as processes")

    async def _claimed(self, volume: Object, name: str) -> Path:
        namespace = self._pod["metadata"]["namespace"]
        if (place := self._table.claim(namespace, name)) is not None:
            return place
        if not is_plain(name):
            raise _failed(volume, f"the claim's name {name!r} is no DNS subdomain")
        try:
            await self._api.get(PERSISTENTVOLUMECLAIMS, ObjectKey(namespace, name))
        except NotFound as error:
            raise _failed(volume, f'persistentvolumeclaim "{name}" not found') from error
        return await self._made(self._claims / namespace / name)

    def _of_host(self, volume: Object) -> Path:
        path = str(volume["hostPath"]["path"])
        place = self._table.host_paths.get(path)
        if place is None:
            raise _failed(volume, f"hostPath type check failed: {path} is not in the table of programs")
        return place

    async def _write(self, volume: Object) -> Path:
        files = await files_of(volume, self._pod, self._sources, self._addresses)
        place = self._folder / str(volume["name"])
        known = self._written.get(volume["name"])
        if files != known:
            try:
                await asyncio.to_thread(_write_files, place, files, known or {})
            except OSError as error:
                raise _failed(volume, f"failed to write its files: {error.strerror or error}") from error
            self._written[volume["name"]] = files
        return place

    @staticmethod
    async def _made(place: Path) -> Path:
        await asyncio.to_thread(place.mkdir, parents=True, exist_ok=True)
        return place


def subpath_of(place: Path, subpath: str) -> Path:
    """A path in a volume; raises VolumeNotMounted for a way out of it."""
    inner = PurePosixPath(subpath)
    if inner.is_absolute() or ".." in inner.parts:
        raise VolumeNotMounted(f"the path {subpath!r} leads out of its volume")
    return place / inner


def _failed(volume: Object, words: str) -> VolumeNotMounted:
    return VolumeNotMounted(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {words}')


def _write_files(place: Path, files: Files, known: Files) -> None:
    """Each file changes at once, never halfway: it is written beside and moved into its place."""
    place.mkdir(parents=True, exist_ok=True)
    for path, (data, mode) in files.items():
        target = subpath_of(place, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f"..{target.name}")
        beside.touch(mode=0o600)
        beside.write_bytes(data)
        beside.chmod(mode)
        beside.replace(target)
    for gone in known.keys() - files.keys():
        (place / gone).unlink(missing_ok=True)


def remove(folder: Path) -> None:
    """Remove all that a pod had, read-only folders too."""
    janitor.remove(str(folder))
