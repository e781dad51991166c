"""Ports of this machine for programs that must be told theirs: nobody else takes them between the choice and the use.

A port that the kernel chose and that was closed again may go to anyone: to the next program that asks for any, or to
a connection on its way out. These lie below the range from which the kernel chooses, and each is claimed by a lock on
its byte of a file, which ends with the process that holds it, however that ends.
"""

import fcntl
import itertools
import os
import socket
import tempfile
from functools import cache
from pathlib import Path

# Above what services of a machine listen on, below Kubernetes' node ports and the range of most kernels.
_FIRST, _LAST = 20000, 29999
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")

# Processes begin at different places, and none comes back to a port: kubectl keeps by address what a server can do.
_next = itertools.count(os.getpid() * 101)


class NoFreePort(RuntimeError):
    """Raised when every port of the range is taken."""


def free_ports(count: int) -> list[int]:
    """That many ports of 127.0.0.1 on which nobody listens, this process' own until it ends; raises NoFreePort."""
    return [free_port() for _ in range(count)]


def free_port() -> int:
    """One such port; raises NoFreePort."""
    ports = _ports()
    for _ in ports:
        port = ports[next(_next) % len(ports)]
        if _claimed(port) and _unused(port):
            return port
    message = f"no free port between {ports[0]} and {ports[-1]}"
    raise NoFreePort(message)


def _ports() -> range:
    """Those that the kernel gives to nobody by itself; all, where it may give any."""
    try:
        least = int(_RANGE.read_text().split()[0])
    except OSError:
        least = _LAST + 1
    found = range(_FIRST, min(_LAST + 1, least))
    return found or range(_FIRST, _LAST + 1)


def _claimed(port: int) -> bool:
    """True if no other process has claimed it; then it is ours."""
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _claims() -> int:
    """The file, open for as long as the process lives: to close it would give all claims back."""
    path = Path(tempfile.gettempdir()) / f"aiop-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _unused(port: int) -> bool:
    with socket.socket() as listener:
        # As a server does: a connection that ended a moment ago does not keep its port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
