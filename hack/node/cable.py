"""The cable between the machine and a node, and the number that its addresses and names are made of."""

import contextlib
import fcntl
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from hack.node import cgroups
from hack.node.errors import NodeFailed
from hack.node.place import PREFIX, Place

_MOST_NODES = 250
_SECONDS = 30.0
# One for the whole machine, whoever's cache folder the nodes lie in; a folder of the kernel's needs no file of ours.
_LOCK = Path("/sys/class/net")


@contextlib.contextmanager
def numbering(folder: Path, environment: Mapping[str, str]) -> Iterator[Place]:
    """A place with a number that no other node on this machine has; it is taken once the cgroup is there."""
    lock = os.open(_LOCK, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        taken = _taken(environment)
        free = next((number for number in range(1, _MOST_NODES) if number not in taken), None)
        if free is None:
            message = (
                "no free network 10.201.N.0/30 on this machine: end other clusters, and remove cgroups aiop-N of none"
            )
            raise NodeFailed(message)
        yield Place(folder, free)
    finally:
        os.close(lock)


def connect(place: Place, pid: int, environment: Mapping[str, str]) -> None:
    """A cable between the machine and the network of ``pid``."""
    _ip(environment, "link", "add", place.name, "type", "veth", "peer", "name", "node", "netns", str(pid))
    _ip(environment, "address", "add", f"{place.gateway}/30", "dev", place.name)
    _ip(environment, "link", "set", place.name, "up")


def disconnect(place: Place, environment: Mapping[str, str]) -> None:
    """Take the cable away, if the kernel has not yet; it does so a moment after the node's end."""
    with contextlib.suppress(NodeFailed):
        _ip(environment, "link", "delete", place.name)


def _taken(environment: Mapping[str, str]) -> set[int]:
    """The third numbers of the machine's own addresses in 10.201.0.0/16, and of its nodes.

    A killed node has neither link nor address any more. Its cgroups are there until it is stopped, and what is stopped
    then must not be another's.
    """
    names = cgroups.names()
    found: set[int] = set()
    for link in json.loads(_ip(environment, "-json", "address", "show")):
        names.add(link["ifname"])
        found |= {int(each["local"].split(".")[2]) for each in link["addr_info"] if each["local"].startswith("10.201.")}
    numbers = {name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)}
    return found | {int(number) for number in numbers if number.isdecimal()}


def _ip(environment: Mapping[str, str], *arguments: str) -> str:
    command = ["ip", *arguments]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"ip {' '.join(arguments)}: {error}"
        raise NodeFailed(message) from error
    if done.returncode:
        message = f"ip {' '.join(arguments)}: {done.stderr.strip()}"
        raise NodeFailed(message)
    return done.stdout
