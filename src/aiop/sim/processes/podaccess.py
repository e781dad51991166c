"""What others may do with pods that run as processes: read logs, run commands, find ports, weigh them.

The seam between whoever runs the pods and whoever speaks with ``kubectl logs``, ``exec``, ``port-forward``, Services
and autoscalers. Nothing here blocks the event loop.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aiop.runtime.client.resource import ObjectKey


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens on this machine."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class LogOptions:
    """As PodLogOptions: which lines, and how they are written.

    ``tail_lines`` None: all; ``limit_bytes`` None: no limit; ``since``: lines from then on. ``timestamps`` puts an
    RFC 3339 time in nanoseconds before each line.
    """

    follow: bool = False
    previous: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: datetime | None = None
    timestamps: bool = False


@dataclass(frozen=True, slots=True)
class Streams:
    """The ends of a command's streams; None: the command gets nothing to read, what it writes is dropped.

    ``stdin`` ends when the command's input ends. ``stdout`` and ``stderr`` are awaited with each piece in order, so a
    slow reader slows the command, not the cluster. ``sizes`` yields (columns, rows) of a terminal.
    """

    stdin: AsyncIterator[bytes] | None = None
    stdout: Callable[[bytes], Awaitable[None]] | None = None
    stderr: Callable[[bytes], Awaitable[None]] | None = None
    sizes: AsyncIterator[tuple[int, int]] | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What one container's processes have used: CPU seconds since its start (it only grows), resident bytes now."""

    cpu_seconds: float
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class RunningPod:
    """A pod that has an address; ``containers`` are those that run now, init containers among them."""

    key: ObjectKey
    uid: str
    node: str
    address: str
    containers: tuple[str, ...]


class PodAccess(Protocol):
    """The pods of one cluster that run as processes, by key.

    Every method with a ``pod`` raises PodNotFound if no such pod runs here (it may still be in the API), and
    ContainerNotFound if the pod has no container of that name. ``container`` empty means the annotation
    ``kubectl.kubernetes.io/default-container``, else the first container.
    """

    def running(self) -> Sequence[RunningPod]:
        """Every pod that has an address now, by namespace and name."""
        ...

    def address(self, pod: ObjectKey, port: int) -> Address:
        """Where the pod's ``port`` (a number, as in containerPort or targetPort) listens on this machine.

        Where every pod has an address of its own the port is the same number, whether or not a container lists it;
        else a containerPort that the pod lists is mapped to a free port, and any other raises PortNotFound. Nobody need
        listen yet.
        """
        ...

    def logs(self, pod: ObjectKey, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """Pieces of the log, each of whole lines with their newlines (a last line without one comes as it is).

        With ``follow`` it ends when the container has ended and all is told. Raises NothingLogged before the first
        piece if the container has not started yet, or has no previous run and ``previous`` is asked for.
        """
        ...

    async def execute(
        self, pod: ObjectKey, container: str, command: Sequence[str], streams: Streams, *, tty: bool = False
    ) -> int:
        """Run a command as the container would (its environment, directory and mounted paths); returns its exit code.

        128+n means signal n. A command that is not there raises CommandNotStarted. Cancelling it ends the command and
        everything it started; so does the end of the container, which counts as signal 9 for a command that still ran
        then. With ``tty`` it has a terminal, and stderr is stdout.
        """
        ...

    async def usage(self, pod: ObjectKey) -> Mapping[str, Usage]:
        """What each running container uses, by name; one whose numbers cannot be had is left out."""
        ...
