"""How a container becomes a command line: its image's program, its own words, its variables and its mounts."""

import asyncio
import os
import posixpath
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import containers_of, init_containers_of
from aiop.sim.processes.copying import archive_of
from aiop.sim.processes.environment import environment_of
from aiop.sim.processes.errors import ContainerNotMade, VolumeNotMounted
from aiop.sim.processes.execution import Setting
from aiop.sim.processes.expansion import expanded
from aiop.sim.processes.mounts import Mounts
from aiop.sim.processes.names import is_plain
from aiop.sim.processes.programs import Program
from aiop.sim.processes.room import Room
from aiop.sim.processes.volumes import subpath_of
from aiop.sim.processes.wording import Wording

P = ParamSpec("P")
T = TypeVar("T")

# As the API defaults it.
_TERMINATION_LOG = "/dev/termination-log"
# What a program needs of the caller to find other programs.
_INHERITED = ("PATH",)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to run, where, with what, and how it is spoken of inside."""

    arguments: list[str]
    setting: Setting
    mounts: Mounts
    termination_log: Path

    def local(self, command: list[str]) -> list[str]:
        """Another command for the same container, with its paths as they are on this machine."""
        return [self.mounts.rewritten(each) for each in command]

    def local_or_copying(self, command: list[str]) -> list[str]:
        """The same for a command that may be ``kubectl cp``'s. It blocks."""
        return archive_of(command, self.mounts, self.termination_log.parent / "names") or self.local(command)


async def recipe_of(container: Object, program: Program, room: Room) -> Recipe:
    """Make the container's folders and say what to run in them; raises ContainerNotMade with a kubelet's words."""
    if not is_plain(str(container["name"])):
        raise ContainerNotMade(f"the container's name {container['name']!r} is no DNS label")
    folder = room.folder / "containers" / str(container["name"])
    said = await environment_of(room.pod, container, room.sources, room.addresses)
    termination_log = folder / "termination-log"
    mounts = await _made(_mounts, container, room, said, termination_log)
    wording = Wording(said, _own_variables(room, folder) | dict(program.environment), mounts)
    arguments = _command_line(container, program, wording)
    if not arguments:
        raise ContainerNotMade(f'no command specified for the image "{container["image"]}"')
    directory = _directory(container, program, mounts, folder)
    await _made(_make_folders, directory, folder, termination_log)
    return Recipe(arguments, Setting(wording.environment, directory), mounts, termination_log)


async def _made(make: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """Do it in a thread; a file that stands where a folder must be keeps the container from being made."""
    try:
        return await asyncio.to_thread(make, *args, **named)
    except OSError as error:
        raise ContainerNotMade(f"failed to prepare the container's files: {error.strerror or error}") from error


def _command_line(container: Object, program: Program, wording: Wording) -> list[str]:
    own, words = program.joined(container.get("command") or [], container.get("args") or [])
    return [*(wording.of_program(str(each)) for each in own), *(wording.of_pod(str(each)) for each in words)]


def _own_variables(room: Room, folder: Path) -> dict[str, str]:
    """What a program must know to play a pod; the names are documented."""
    spec = room.pod["spec"]
    said = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    said |= {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    said |= {"HOSTNAME": str(spec.get("hostname") or room.pod["metadata"]["name"])}
    said["AIOP_POD_IP"] = room.address.host
    for number in listed_ports(room.pod):
        said[f"AIOP_PORT_{number}"] = str(room.address.of(number).port)
    return said


def listed_ports(pod: Object) -> list[int]:
    """Every containerPort of the pod."""
    everything = [*init_containers_of(pod), *containers_of(pod)]
    return sorted({int(port["containerPort"]) for each in everything for port in each.get("ports") or []})


def _mounts(container: Object, room: Room, variables: Mapping[str, str], termination_log: Path) -> Mounts:
    places = {str(container.get("terminationMessagePath") or _TERMINATION_LOG): termination_log}
    for mount in container.get("volumeMounts") or []:
        place = room.places.get(mount["name"])
        if place is None:
            raise ContainerNotMade(
                f"cannot find volume {mount['name']!r} to mount into container {container['name']!r}"
            )
        subpath = mount.get("subPath") or expanded(mount.get("subPathExpr") or "", variables)
        path = str(mount["mountPath"]).rstrip("/") or "/"
        places[path] = _inside(place, subpath, mount, container) if subpath else place
    return Mounts(places)


def _inside(place: Path, subpath: str, mount: Object, container: Object) -> Path:
    try:
        found = subpath_of(place, subpath)
    except VolumeNotMounted as error:
        words = f'failed to prepare subPath for volumeMount "{mount["name"]}" of container "{container["name"]}"'
        raise ContainerNotMade(words) from error
    if not found.exists():
        found.mkdir(parents=True, exist_ok=True)
    return found


def _directory(container: Object, program: Program, mounts: Mounts, folder: Path) -> Path:
    if not container.get("workingDir"):
        return program.directory or folder / "work"
    # Without dot segments: it shall not lead out of the mount, or of the container's folder, in which it begins.
    wanted = posixpath.normpath(f"/{str(container['workingDir']).lstrip('/')}")
    return mounts.local(wanted) or folder / "root" / wanted.lstrip("/")


def _make_folders(directory: Path, folder: Path, termination_log: Path) -> None:
    for each in (directory, folder / "home", folder / "tmp", folder / "logs"):
        each.mkdir(parents=True, exist_ok=True)
    _make_empty(termination_log)


def _make_empty(file: Path) -> None:
    """A new file, whatever the run before has put in its place: a link would lead elsewhere, and a pipe hold us up."""
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    else:
        file.unlink(missing_ok=True)
    file.touch(exist_ok=False)
