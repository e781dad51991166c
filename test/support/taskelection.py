"""An election in the test's own event loop: all of it but the thread."""

import asyncio
from collections.abc import Awaitable, Callable

from aiop.runtime.client.client import Client
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import Clock
from aiop.runtime.leaderelection.driver import Driver
from aiop.runtime.leaderelection.elector import Elector
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.lease import Lease
from aiop.runtime.leaderelection.thread import Heartbeat


class TaskElection:
    """What a manager takes in place of an ElectionThread."""

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
        self._connect = connect
        self._drive: Callable[[Client], Driver] = lambda client: Driver(
            elector,
            Lease(client, key),
            clock=clock,
            gate=gate,
            heartbeat_age=heartbeat.age,
            changed=changed,
            draw=lambda: 0.0,
            shard=shard,
        )
        self._release = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="election")

    async def wait(self) -> None:
        assert self._task is not None
        await asyncio.wait((self._task,))
        self._task.result()

    async def stop(self, *, release: bool) -> None:
        if self._task is not None:
            self._release = release
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        async with await self._connect() as client:
            driver = self._drive(client)
            try:
                await driver.run()
            finally:
                await driver.let_go(release=self._release)
