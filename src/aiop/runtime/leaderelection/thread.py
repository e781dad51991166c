"""Drives an elector in a thread of its own, with an event loop and a connection of its own.

The operator's event loop may be busy; the lease is renewed all the same, but only while that loop's heartbeat is young,
so that a stuck leader loses its lease instead of reigning on.
"""

import asyncio
import random as random_module
import threading
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import structlog

from aiop.runtime.client.builtin import LEASES
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import ClientError, NotFound
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import Clock
from aiop.runtime.leaderelection.elector import Elector, StepDown, Wait, Write
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.record import LeaseRecord, decode_lease, encode_lease, micro_time

log = structlog.get_logger(__name__)

# A watch on one Lease; its end costs one request.
_WATCH_SECONDS = 300
_FIELD_MANAGER = "leader-election"


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
    """Holds or seeks one lease until stopped; ``changed(leading)`` is called in this thread on every change."""

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
        self._thread = threading.Thread(target=self._main, name="leader election", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._release = False

    def start(self) -> None:
        """Begin to seek the lease."""
        self._thread.start()

    async def stop(self, *, release: bool) -> None:
        """Stop; with ``release`` the lease is let go, so that another need not wait for its end."""
        self._release = release
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        await asyncio.to_thread(self._thread.join)

    def _main(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        client = await self._connect()
        wake = asyncio.Event()
        follower = asyncio.create_task(self._follow(client, wake))
        try:
            await self._drive(client, wake)
        except asyncio.CancelledError:
            log.info("leader election stops", leading=self._elector.leading)
        finally:
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)
            await self._let_go(client)
            await client.aclose()

    async def _follow(self, client: Client, wake: asyncio.Event) -> None:
        """Watch the Lease, so that its end is known to the moment and its loss at once."""
        selector = f"metadata.name={self._key.name}"
        while True:
            try:
                version = await self._look(client, selector, wake)
                events = client.watch(
                    LEASES,
                    namespace=self._key.namespace,
                    field_selector=selector,
                    resource_version=version,
                    timeout_seconds=_WATCH_SECONDS,
                )
                async with aclosing(events) as stream:  # type: ignore[type-var]  # an async generator
                    async for event in stream:
                        if event.type != "BOOKMARK":
                            record = None if event.type == "DELETED" else decode_lease(event.object)
                            self._observe(record, wake)
            except ClientError as error:
                log.warning("watching the lease failed", error=str(error))
                await self._clock.sleep(self._elector.times.retry)

    async def _look(self, client: Client, selector: str, wake: asyncio.Event) -> str:
        version = ""
        pages = client.list_pages(LEASES, namespace=self._key.namespace, field_selector=selector)
        async with aclosing(pages) as stream:  # type: ignore[type-var]  # an async generator
            async for page in stream:
                version = page.resource_version
                self._observe(decode_lease(page.items[0]) if page.items else None, wake)
        return version

    def _observe(self, record: LeaseRecord | None, wake: asyncio.Event) -> None:
        self._elector.observe(record, self._clock.monotonic())
        wake.set()

    async def _drive(self, client: Client, wake: asyncio.Event) -> None:
        while True:
            now = self._clock.monotonic()
            stamp = micro_time(self._clock.now())
            action = self._elector.decide(now, stamp=stamp, heartbeat_age=self._heartbeat.age())
            match action:
                case Wait(until):
                    await self._wait(until - now, wake)
                case Write():
                    await self._attempt(client, action)
                case StepDown():
                    self._lose()

    async def _wait(self, seconds: float, wake: asyncio.Event) -> None:
        wake.clear()
        try:
            async with asyncio.timeout(seconds):
                await wake.wait()
        except TimeoutError:
            return

    async def _attempt(self, client: Client, write: Write) -> None:
        sent_at = self._clock.monotonic()
        limit = self._elector.valid_until - sent_at if self._elector.leading else self._elector.times.renew_deadline / 2
        try:
            async with asyncio.timeout(limit):
                data = await self._send(client, write)
        except (ClientError, TimeoutError) as error:
            log.warning("lease not written", error=str(error) or "timed out", leading=self._elector.leading)
            self._elector.failed(self._clock.monotonic(), self._random.random())
            if isinstance(error, NotFound):
                self._elector.observe(None, self._clock.monotonic())
            return
        gained = not self._elector.leading
        self._elector.succeeded(decode_lease(data), sent_at, self._clock.monotonic())
        self._gate.open(self._shard, self._elector.valid_until)
        if gained:
            log.info("this process leads", identity=self._elector.identity)
            self._changed(True)

    async def _send(self, client: Client, write: Write) -> bytes:
        body = encode_lease(self._key, write.record)
        if write.create:
            return await client.create(LEASES, self._key.namespace, body, field_manager=_FIELD_MANAGER)
        return await client.replace(LEASES, self._key, body, field_manager=_FIELD_MANAGER)

    def _lose(self) -> None:
        self._gate.close(self._shard)
        self._elector.stepped_down()
        log.warning("this process leads no longer", holder=self._elector.holder)
        self._changed(False)

    async def _let_go(self, client: Client) -> None:
        self._gate.close(self._shard)
        write = self._elector.release(micro_time(self._clock.now())) if self._release else None
        self._elector.stepped_down()
        if write is None:
            return
        try:
            await self._send(client, write)
            log.info("lease released")
        except ClientError as error:
            log.warning("lease not released; it ends by itself", error=str(error))
