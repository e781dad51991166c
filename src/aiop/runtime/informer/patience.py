"""Says that a list by watch takes long, since from outside a server that never ends it looks like one that is slow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from aiop.runtime.informer.snapshot import Snapshot
from aiop.runtime.informer.store import V
from aiop.runtime.kit.clock import Clock

log = structlog.get_logger(__name__)

# A list by watch takes a second or two; who waits for longer should hear of it (client-go's time).
_IMPATIENT_SECONDS = 10.0


@asynccontextmanager
async def warnings_meanwhile(informer: str, snapshot: Snapshot[V], clock: Clock) -> AsyncIterator[None]:
    """While it lasts, a warning each ten seconds."""
    warning = asyncio.get_running_loop().create_task(_warn(informer, snapshot, clock), name=f"{informer} patience")
    try:
        yield
    finally:
        warning.cancel()
        await asyncio.gather(warning, return_exceptions=True)


async def _warn(informer: str, snapshot: Snapshot[V], clock: Clock) -> None:
    began = clock.monotonic()
    while True:
        await clock.sleep(_IMPATIENT_SECONDS)
        log.warning(
            "the end of the initial events has not come yet",
            informer=informer,
            objects=len(snapshot.views),
            waited_seconds=round(clock.monotonic() - began),
        )
