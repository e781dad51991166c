"""Elections in threads of their own and in real time, if a fraction of the usual: blocking is what they are about."""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import Request, Response
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.leaderelection.elector import Elector, LeaseTimes
from aiop.runtime.leaderelection.gate import LeaseGate
from aiop.runtime.leaderelection.thread import ElectionThread, Heartbeat
from support.leaseserver import LeaseServer, LeaseTransport
from support.running import end
from support.transport import ScriptedTransport, echo

KEY = ObjectKey("aiop-system", "aiop-manager")
CHILD = ObjectKey("default", "child")
# The shortest that a Lease can tell, so that a blocked loop need not block for long.
TIMES = LeaseTimes(duration=1.0, renew_deadline=0.7, retry=0.1, heartbeat=0.4)
BOUND_SECONDS = 20.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.01)


class Tireless(Heartbeat):
    """A loop that is never stuck."""

    def age(self) -> float:
        return 0.0


class Writes:
    """Writes through a gate; ``sent`` are the moments at which they left."""

    def __init__(self, gate: LeaseGate) -> None:
        self.sent: list[float] = []
        self.refused = 0
        self._clock = SystemClock()
        self._client = Client(ScriptedTransport(self._answer), clock=self._clock, gate=gate)

    async def write(self) -> None:
        await self._client.create(CONFIGMAPS, CHILD.namespace, {}, field_manager="test")

    async def _answer(self, request: Request) -> Response:
        self.sent.append(self._clock.monotonic())
        return await echo(request)


@asynccontextmanager
async def writing(gate: LeaseGate) -> AsyncIterator[Writes]:
    """Writes without end, as fast as the gate lets it."""
    writes = Writes(gate)

    async def write() -> None:
        while True:
            try:
                await writes.write()
            except WriteNotPermitted:
                writes.refused += 1
            await asyncio.sleep(0.001)

    task = asyncio.create_task(write())
    try:
        yield writes
        assert not task.done(), "the writer ended by itself"
    finally:
        await end(task)


class Bench:
    def __init__(self) -> None:
        self.clock = SystemClock()
        self.server = LeaseServer(self.clock)
        self.transport = LeaseTransport(self.server)
        self.gate = LeaseGate(self.clock)
        self.heartbeat = Heartbeat(self.clock)
        self.changes: list[bool] = []
        self.refusals: list[Exception] = []
        self.thread = self._election("me", self.connect, self.gate, self.heartbeat, self.changes.append)

    async def connect(self) -> Client:
        if self.refusals:
            raise self.refusals.pop()
        return Client(self.transport, clock=self.clock)

    def holder(self) -> str:
        return str(self.server.leases["aiop-manager"]["spec"]["holderIdentity"])

    def led_at(self, moment: float) -> bool:
        """Whether our lease could be relied upon then: the last word in the store was ours, and young enough."""
        told_at, holder = max((each for each in self.server.holders if each[0] <= moment), default=(0.0, ""))
        return holder == "me" and moment <= told_at + TIMES.renew_deadline

    @asynccontextmanager
    async def rival(self) -> AsyncIterator[None]:
        """Another candidate, whose operator is never stuck."""

        async def connect() -> Client:
            return Client(LeaseTransport(self.server), clock=self.clock)

        thread = self._election("rival", connect, LeaseGate(self.clock), Tireless(self.clock), lambda _leading: None)
        thread.start()
        try:
            yield
        finally:
            async with asyncio.timeout(BOUND_SECONDS):
                await thread.stop(release=False)

    def _election(
        self,
        name: str,
        connect: Callable[[], Awaitable[Client]],
        gate: LeaseGate,
        heartbeat: Heartbeat,
        changed: Callable[[bool], None],
    ) -> ElectionThread:
        return ElectionThread(
            Elector(name, TIMES), KEY, connect, clock=self.clock, gate=gate, heartbeat=heartbeat, changed=changed
        )

    def permitted(self) -> bool:
        try:
            return self.gate.permit(CHILD) > 0
        except WriteNotPermitted:
            return False


@asynccontextmanager
async def leading(bench: Bench, *, release: bool = False) -> AsyncIterator[Bench]:
    async def beat() -> None:
        while True:
            bench.heartbeat.beat()
            await asyncio.sleep(0.01)

    beating = asyncio.create_task(beat())
    bench.thread.start()
    try:
        await until(bench.permitted)
        yield bench
    finally:
        async with asyncio.timeout(BOUND_SECONDS):
            await bench.thread.stop(release=release)
        beating.cancel()


def block_until(condition: Callable[[], bool]) -> None:
    """Hold up the event loop, as a call does that should have been in a thread."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < BOUND_SECONDS
        time.sleep(0.001)


@contextmanager
def no_other_thread() -> Iterator[None]:
    """No other runs before this one waits for something."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(BOUND_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def hold_the_interpreter_for(seconds: float) -> None:
    """One call that backtracks for at least so long, and lets no other thread run meanwhile."""
    for length in range(20, 40):
        began = time.monotonic()
        assert re.match(r"(a+)+$", "a" * length + "b") is None
        if time.monotonic() - began > seconds:
            return
