"""An election in a thread of its own, with an event loop and a connection of its own.

The operator's event loop may be busy; the lease is renewed all the same, but only while that loop's heartbeat is young,
so that a stuck leader loses its lease instead of reigning on. Where several shards are led, each has such a thread: a
hung connection or a slow answer for one lease holds up no renewal of another, and threads that sleep cost nothing.
"""

import asyncio
import random as random_module
import threading
from collections.abc import Awaitable, Callable

import structlog

from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import ClientError
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.deadline import DeadlineExceeded, within
from aiop.runtime.leaderelection.driver import Driver
from aiop.runtime.leaderelection.elector import Elector
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.lease import Lease

log = structlog.get_logger(__name__)

# What closing the connections and the thread's event loop may take, beyond the release.
_GRACE_SECONDS = 5.0


class Heartbeat:
    """The event loop's sign of life: beaten there, read by the election's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = clock.monotonic()

    def beat(self) -> None:
        """The loop lives."""
        self._last = self._clock.monotonic()

    def age(self) -> float:
        """Seconds since the last beat."""
        return self._clock.monotonic() - self._last


class ElectionThread:
    """Holds or seeks one lease until stopped; ``changed(leading)`` is called in this thread on every change.

    ``connect`` is called in the thread. `start`, `wait` and `stop` belong to one event loop, the operator's.
    """

    def __init__(
        self,
        elector: Elector,
        key: ObjectKey,
        connect: Callable[[], Awaitable[Client]],
        *,
        clock: Clock,
        gate: LeaseGate,
        heartbeat: Heartbeat,
        changed: Callable[[bool], None],
        shard: int = 0,
    ) -> None:
        self._elector = elector
        self._key = key
        self._connect = connect
        self._clock = clock
        self._gate = gate
        self._heartbeat = heartbeat
        self._changed = changed
        self._shard = shard
        self._random = random_module.Random()  # noqa: S311 - jitter, no secret
        self._thread = threading.Thread(target=self._main, name=f"leader election {key}", daemon=True)
        self._lock = threading.Lock()  # guards the next four
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._release = False
        self._operator: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Begin to seek the lease."""
        self._operator = asyncio.get_running_loop()
        self._ended = self._operator.create_future()
        self._thread.start()

    async def wait(self) -> None:
        """Return once the thread has been stopped; raises what it died of. Call after `start`."""
        if self._ended is not None:
            await asyncio.shield(self._ended)

    async def stop(self, *, release: bool) -> None:
        """Stop; with ``release`` the lease is let go, so that another need not wait for its end.

        Does nothing if it was not started; a second call only waits. What the thread died of is not raised here,
        but by `wait`. A thread that hangs is left behind once the time for a release and five seconds more are over:
        its gate is closed, and the lease ends by itself.
        """
        with self._lock:
            if not self._stopping:
                # Before the cancellation: the thread reads it as soon as it is cancelled.
                self._release, self._stopping = release, True
                if self._loop is not None and self._task is not None:
                    self._loop.call_soon_threadsafe(self._task.cancel)
        if self._ended is not None:
            await self._join(self._ended)

    async def _join(self, ended: asyncio.Future[None]) -> None:
        try:
            await within(self._clock, self._elector.times.renew_deadline + _GRACE_SECONDS, _done(ended))
        except DeadlineExceeded:
            self._gate.close(self._shard)
            log.warning("leader election hangs and is left behind", lease=str(self._key))
            if not ended.done():
                ended.set_result(None)
        else:
            await asyncio.to_thread(self._thread.join, _GRACE_SECONDS)

    def _main(self) -> None:
        error: BaseException | None = None
        try:
            asyncio.run(self._run())
        except BaseException as died:  # noqa: BLE001 - reported in the operator's loop, whatever it is
            error = died
        self._report(error)

    def _report(self, error: BaseException | None) -> None:
        ended, loop = self._ended, self._operator

        def tell() -> None:
            if ended is None or ended.done():
                return
            if error is None:
                ended.set_result(None)
            else:
                ended.set_exception(error)

        try:
            if loop is not None:
                loop.call_soon_threadsafe(tell)
        except RuntimeError:  # the operator's loop has closed: nobody is left to be told
            log.warning("leader election ended after the operator", error=repr(error))

    async def _run(self) -> None:
        with self._lock:
            if self._stopping:
                return
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            await self._campaign()
        except asyncio.CancelledError:
            log.info("leader election stops")
        finally:
            with self._lock:
                self._loop = None

    async def _campaign(self) -> None:
        async with await self._connected() as client:
            driver = Driver(
                self._elector,
                Lease(client, self._key),
                clock=self._clock,
                gate=self._gate,
                heartbeat_age=self._heartbeat.age,
                changed=self._changed,
                draw=self._random.random,
                shard=self._shard,
            )
            try:
                await driver.run()
            finally:
                await driver.let_go(release=self._release)

    async def _connected(self) -> Client:
        while True:
            try:
                return await self._connect()
            except ClientError as error:
                log.warning("no connection for the lease", error=str(error))
                await self._clock.sleep(self._elector.times.retry)


async def _done(ended: asyncio.Future[None]) -> None:
    """Return once it is, whatever came of it."""
    await asyncio.wait((ended,))
