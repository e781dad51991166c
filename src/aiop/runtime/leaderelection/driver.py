"""Drives an elector: watches the Lease, does what the elector decides, and opens and closes the gate."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

import structlog

from aiop.runtime.client.errors import AlreadyExists, ClientError, Conflict, NotFound
from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.deadline import DeadlineExceeded, within
from aiop.runtime.leaderelection.elector import Elector, StepDown, Wait, Write
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.lease import Lease
from aiop.runtime.leaderelection.record import micro_time

log = structlog.get_logger(__name__)

T = TypeVar("T")

# A release that meets somebody's write is tried again; more often than this, somebody fights for the Lease.
_RELEASE_ATTEMPTS = 3


class Driver:
    """Holds or seeks one lease until cancelled; ``changed(leading)`` is called on every change, after the gate's.

    ``heartbeat_age`` says for how many seconds the operator has given no sign of life; ``draw`` in [0, 1) is jitter.
    """

    def __init__(
        self,
        elector: Elector,
        lease: Lease,
        *,
        clock: Clock,
        gate: LeaseGate,
        heartbeat_age: Callable[[], float],
        changed: Callable[[bool], None],
        draw: Callable[[], float],
        shard: int = 0,
    ) -> None:
        self._elector = elector
        self._lease = lease
        self._clock = clock
        self._gate = gate
        self._heartbeat_age = heartbeat_age
        self._changed = changed
        self._draw = draw
        self._shard = shard
        self._wake = asyncio.Event()
        self._corrected = False

    async def run(self) -> None:
        """Until cancelled; call `let_go` afterwards."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(), name="lease watch")
            group.create_task(self._drive(), name="lease")

    async def let_go(self, *, release: bool) -> None:
        """Close the gate; with ``release`` free the lease too, so that another need not wait for its end."""
        self._gate.close(self._shard)
        try:
            if release:
                await within(self._clock, self._elector.times.renew_deadline, self._release())
        except (ClientError, DeadlineExceeded) as error:
            log.warning("lease not released; it ends by itself", error=str(error))
        finally:
            self._elector.stepped_down()

    async def _follow(self) -> None:
        """Know the lease's end to the moment, and its loss at once."""
        times = self._elector.times
        while True:
            began = self._clock.monotonic()
            try:
                # Whoever leads renews well within a duration: longer silence means a dead connection.
                async with aclosing(self._lease.follow(times.duration)) as readings:  # type: ignore[type-var]  # a generator
                    async for reading in readings:
                        self._elector.observe(reading.record, self._clock.monotonic(), version=reading.version)
                        self._wake.set()
            except ClientError as error:
                log.warning("watching the lease failed", error=str(error))
            # However it ended, and however fast it ends next time, this is no busy loop.
            await self._clock.sleep(max(0.0, began + times.retry - self._clock.monotonic()))

    async def _drive(self) -> None:
        while True:
            now = self._clock.monotonic()
            match self._elector.decide(now, stamp=self._stamp(), heartbeat_age=self._heartbeat_age()):
                case Wait(until):
                    await self._wait(until - now)
                case Write() as write:
                    await self._attempt(write)
                case StepDown():
                    self._lose()

    async def _wait(self, seconds: float) -> None:
        self._wake.clear()
        try:
            await within(self._clock, seconds, self._wake.wait())
        except DeadlineExceeded:
            return

    async def _attempt(self, write: Write) -> None:
        sent_at = self._clock.monotonic()
        try:
            record = await self._limited(self._lease.write(write))
        except (ClientError, DeadlineExceeded) as error:
            log.warning("lease not written", error=str(error), leading=self._elector.leading)
            await self._failed(error)
            return
        self._corrected = False
        gained = not self._elector.leading
        self._elector.succeeded(record, sent_at, self._clock.monotonic())
        self._gate.open(self._shard, self._elector.valid_until)
        if gained:
            log.info("this process leads", identity=self._elector.identity)
            self._changed(True)

    async def _failed(self, error: Exception) -> None:
        """After a look at what the Lease really is, the next try may follow at once; but only one such."""
        surprised = isinstance(error, (Conflict, AlreadyExists, NotFound))
        if surprised and await self._look() and not self._corrected:
            self._corrected = True
            return
        self._corrected = False
        self._elector.failed(self._clock.monotonic(), self._draw())

    async def _look(self) -> bool:
        """Read the Lease, since the watch may be slow to tell, or dead; False if it cannot be read."""
        try:
            reading = await self._limited(self._lease.read())
        except (ClientError, DeadlineExceeded) as error:
            log.warning("lease not read", error=str(error))
            return False
        self._elector.observe(reading.record, self._clock.monotonic(), version=reading.version)
        return True

    async def _limited(self, work: Coroutine[Any, Any, T]) -> T:
        return await within(self._clock, self._elector.write_limit(self._clock.monotonic()), work)

    def _lose(self) -> None:
        self._gate.close(self._shard)
        self._elector.stepped_down()
        log.warning("this process leads no longer", holder=self._elector.holder)
        self._changed(False)

    async def _release(self) -> None:
        for _ in range(_RELEASE_ATTEMPTS):
            write = self._elector.release(self._stamp())
            if write is None:
                return
            try:
                await self._lease.write(write)
            except Conflict:  # a renewal whose answer we did not wait for
                await self._look()
            else:
                log.info("lease released")
                return

    def _stamp(self) -> str:
        return micro_time(self._clock.now())
