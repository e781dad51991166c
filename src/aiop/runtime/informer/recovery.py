"""After an outage: who reaches the API server again wakes the others that wait for it."""

import asyncio
from collections.abc import Callable

from aiop.runtime.kit.clock import Clock

# Those that are woken spread their tries over this time, so that a server that has just come back is not run over.
SPREAD_SECONDS = 1.0
# A server that accepts requests and drops them would wake everybody at each try; so often at most.
_BETWEEN_WAKES_SECONDS = 10.0


class Recovery:
    """Shared by the informers of one API server.

    Promised: a wait never lasts longer than asked for; who waits when somebody succeeds waits `SPREAD_SECONDS` more
    at most, each a random share of it. Not promised: a wake within 10 s of the one before.
    """

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], None] = {}  # in order, so that a simulation repeats itself
        self._woken: float | None = None

    def succeeded(self, now: float) -> None:
        """A request reached the API server at that monotonic time."""
        if not self._waiting or (self._woken is not None and now - self._woken < _BETWEEN_WAKES_SECONDS):
            return
        self._woken = now
        for wake in self._waiting:
            if not wake.done():
                wake.set_result(None)

    async def wait(self, delay: float, clock: Clock, draw: Callable[[], float]) -> None:
        """Wait ``delay`` seconds, or less if somebody succeeds meanwhile; only for who waits for a connection.

        ``draw`` gives numbers in [0, 1).
        """
        deadline = clock.monotonic() + delay
        if await self._woken_within(delay, clock):
            await clock.sleep(min(deadline - clock.monotonic(), draw() * SPREAD_SECONDS))

    async def _woken_within(self, delay: float, clock: Clock) -> bool:
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        alarm = asyncio.ensure_future(clock.sleep(delay))
        self._waiting[wake] = None
        try:
            await asyncio.wait((wake, alarm), return_when=asyncio.FIRST_COMPLETED)
            return not alarm.done()
        finally:
            del self._waiting[wake]
            alarm.cancel()
            await asyncio.gather(alarm, return_exceptions=True)
