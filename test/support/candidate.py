"""One candidate for a lease, driven in the test's own event loop and by its clock."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.leaderelection.driver import Driver
from aiop.runtime.leaderelection.elector import Elector, LeaseTimes
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.lease import Lease
from support.clock import FakeClock, settle
from support.leaseserver import LeaseServer, LeaseTransport

KEY = ObjectKey("aiop-system", "aiop-manager")
CHILD = ObjectKey("default", "child")


class JumpingClock(FakeClock):
    """Its wall clock jumps an hour to and fro each time it is read."""

    def __init__(self) -> None:
        super().__init__()
        self._jumps = itertools.cycle([-1, 1])

    def now(self) -> datetime:
        return super().now() + next(self._jumps) * timedelta(hours=1)


class Candidate:
    def __init__(self, name: str, server: LeaseServer) -> None:
        self.clock = server.clock
        self.transport = LeaseTransport(server)
        self.gate = LeaseGate(server.clock)
        self.changes: list[tuple[float, bool]] = []
        self.heartbeat_age = 0.0
        self.elector = Elector(name, LeaseTimes())
        self.driver = Driver(
            self.elector,
            Lease(Client(self.transport, clock=server.clock), KEY),
            clock=server.clock,
            gate=self.gate,
            heartbeat_age=lambda: self.heartbeat_age,
            changed=lambda leading: self.changes.append((self.clock.monotonic(), leading)),
            draw=lambda: 0.0,
        )

    def permitted(self) -> bool:
        try:
            return self.gate.permit(CHILD) > self.clock.monotonic()
        except WriteNotPermitted:
            return False

    @asynccontextmanager
    async def runs(self, *, release: bool = False) -> AsyncIterator["Candidate"]:
        task = asyncio.create_task(self.driver.run())
        await settle()
        try:
            yield self
            assert not task.done(), "the driver ended by itself"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.driver.let_go(release=release)
