"""The reconcile loop that every simulated controller runs: dirty keys, one worker, level-triggered."""

import asyncio
from collections.abc import Awaitable, Callable

from aiop.runtime.client.errors import ClientError
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.backoff import Backoff
from aiop.runtime.kit.clock import Clock

# As the real controllers' queues begin; a simulated cluster that waits longer than seconds only bores its user.
_FAILED = Backoff(initial=0.005, maximum=10.0)

Reconcile = Callable[[ObjectKey], Awaitable[float | None]]


class Loop:
    """Calls ``reconcile`` for each key that was added, one at a time; what it returns is the seconds until the next.

    Promised: a key that is added while it is reconciled is reconciled once more; a pass that ends with a ClientError
    is tried again later; a later wish of the same key does not postpone an earlier one. Any other error ends ``run``.
    """

    def __init__(self, clock: Clock, reconcile: Reconcile) -> None:
        self._clock = clock
        self._reconcile = reconcile
        self._dirty: dict[ObjectKey, None] = {}
        self._woken = asyncio.Event()
        self._failures: dict[ObjectKey, int] = {}
        self._timers: dict[ObjectKey, tuple[float, asyncio.Task[None]]] = {}

    def add(self, key: ObjectKey) -> None:
        """Reconcile it as soon as its turn comes."""
        self._dirty[key] = None
        self._woken.set()

    def add_after(self, key: ObjectKey, seconds: float) -> None:
        """Reconcile it in ``seconds``, or when an earlier wish says."""
        due = self._clock.monotonic() + seconds
        if key in self._timers:
            known, task = self._timers[key]
            if known <= due:
                return
            task.cancel()
        self._timers[key] = (due, asyncio.create_task(self._wait(key, seconds)))

    async def run(self) -> None:
        """Work for ever."""
        try:
            while True:
                while not self._dirty:
                    self._woken.clear()
                    await self._woken.wait()
                await self._pass(next(iter(self._dirty)))
        finally:
            timers = [task for _, task in self._timers.values()]
            for task in timers:
                task.cancel()
            await asyncio.gather(*timers, return_exceptions=True)

    async def _pass(self, key: ObjectKey) -> None:
        del self._dirty[key]
        try:
            again = await self._reconcile(key)
        except ClientError:
            attempt = self._failures.get(key, 0)
            self._failures[key] = attempt + 1
            again = _FAILED.delay(attempt)
        else:
            self._failures.pop(key, None)
        if again is not None:
            self.add_after(key, again)

    async def _wait(self, key: ObjectKey, seconds: float) -> None:
        await self._clock.sleep(seconds)
        del self._timers[key]
        self.add(key)
