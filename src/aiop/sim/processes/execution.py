"""A command beside a container's own: ``kubectl exec``, probes and hooks."""

import asyncio
import errno
import fcntl
import os
import signal
import struct
import termios
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiop.sim.processes.podaccess import Streams
from aiop.sim.processes.supervised import Command, Supervised, start
from aiop.sim.processes.timing import cancelled

_PIECE = 65536
# Ctrl-D: what ends the input of a program that reads a terminal.
_END_OF_TRANSMISSION = b"\x04"
# In the place of a descriptor that belongs to somebody else now.
_GIVEN = -1

Take = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a command finds around it."""

    environment: Mapping[str, str]
    directory: Path


async def execute(
    arguments: Sequence[str],
    setting: Setting,
    streams: Streams,
    *,
    tty: bool = False,
    container: Supervised | None = None,
) -> int:
    """Run it to its end; returns its exit code. Raises CommandNotStarted. A cancellation ends all it has started.

    It is killed when ``container`` ends: what it said before is handed on, and what has ended before keeps its code.
    """
    ends = _Ends.terminal() if tty else _Ends.pipes()
    try:
        command = Command(arguments, setting.environment, setting.directory, streams=ends.inner, terminal=tty)
        try:
            process = await start(command)
        finally:
            ends.close_inner()
        following = asyncio.create_task(_end_with(container, process)) if container is not None else None
        try:
            return await _attended(process, ends, streams, tty=tty)
        finally:
            await cancelled(following)
    finally:
        ends.close_outer()


async def _end_with(container: Supervised, process: Supervised) -> None:
    await container.wait()
    process.kill()


async def _attended(process: Supervised, ends: "_Ends", streams: Streams, *, tty: bool) -> int:
    reads = [asyncio.create_task(_read(ends.give(1), streams.stdout))]
    if not tty:
        reads.append(asyncio.create_task(_read(ends.give(2), streams.stderr)))
    writes = [asyncio.create_task(_write(ends.give(0), streams.stdin, process, tty=tty))]
    if tty and streams.sizes is not None:
        writes.append(asyncio.create_task(_resize(ends.outer[2], streams.sizes, process)))
    try:
        code = await process.wait()
        await asyncio.gather(*reads)
    finally:
        process.kill()
        for task in [*reads, *writes]:
            await cancelled(task)
        await asyncio.shield(process.wait())
    return code


async def output_of(arguments: Sequence[str], setting: Setting, most: int) -> tuple[int, bytes]:
    """Run it; its exit code and the first ``most`` bytes of what it writes, both streams together."""
    said = bytearray()

    async def take(data: bytes) -> None:
        said.extend(data[: max(0, most - len(said))])

    return await execute(arguments, setting, Streams(stdout=take, stderr=take)), bytes(said)


@dataclass(slots=True)
class _Ends:
    """Descriptors: ``inner`` for the command's input, output and error, ``outer`` for us."""

    inner: tuple[int, ...]
    outer: list[int]

    @classmethod
    def pipes(cls) -> "_Ends":
        read_input, write_input = os.pipe()
        read_output, write_output = os.pipe()
        read_error, write_error = os.pipe()
        return cls((read_input, write_output, write_error), [write_input, read_output, read_error])

    @classmethod
    def terminal(cls) -> "_Ends":
        master, slave = os.openpty()
        return cls((slave, os.dup(slave), os.dup(slave)), [os.dup(master), os.dup(master), master])

    def close_inner(self) -> None:
        for each in self.inner:
            os.close(each)

    def give(self, index: int) -> int:
        """An outer end, which whoever takes it closes."""
        descriptor, self.outer[index] = self.outer[index], _GIVEN
        return descriptor

    def close_outer(self) -> None:
        """Those that were not given away."""
        for each in self.outer:
            if each != _GIVEN:
                os.close(each)


async def _read(descriptor: int, take: Take | None) -> None:
    """Hand on what comes until the end; with nobody to take it, it is dropped."""
    reader = asyncio.StreamReader()
    file = os.fdopen(descriptor, "rb", 0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), file
    )
    try:
        while data := await reader.read(_PIECE):
            if take is not None:
                await take(data)
    except OSError as error:
        if error.errno != errno.EIO:  # how a terminal says that nobody is at its other side
            raise
    finally:
        transport.close()


class _Flow(asyncio.Protocol):
    """Knows whether the pipe takes more; it takes nothing once it is lost."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.lost = False

    def pause_writing(self) -> None:
        self.open.clear()

    def resume_writing(self) -> None:
        self.open.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - it is lost, for whatever reason
        self.lost = True
        self.open.set()


async def _write(descriptor: int, source: AsyncIterator[bytes] | None, process: Supervised, *, tty: bool) -> None:
    """Feed the command, then end its input: at once if there is nothing to feed."""
    file = os.fdopen(descriptor, "wb", 0)
    transport, flow = await asyncio.get_running_loop().connect_write_pipe(_Flow, file)
    try:
        if source is not None:
            async for data in source:
                await flow.open.wait()
                if flow.lost:
                    return
                transport.write(data)
        if tty:
            transport.write(_END_OF_TRANSMISSION)
            await process.wait()
    finally:
        transport.close()


async def _resize(descriptor: int, sizes: AsyncIterator[tuple[int, int]], process: Supervised) -> None:
    async for columns, rows in sizes:
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        process.signal(signal.SIGWINCH)
