"""What lives is exempt from collections, and what has died is found all the same."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from contextlib import suppress

import pytest

from aiop.runtime.kit import garbage
from support.clock import FakeClock, settle


@pytest.fixture(autouse=True)
def _collector_as_it_was() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


class Circle:
    def __init__(self) -> None:
        self.itself = self


@pytest.mark.own_process
def test_what_lives_is_exempt_and_full_collections_become_rare() -> None:
    garbage.prepare()
    kept = [Circle() for _ in range(10)]
    looked_at = len(gc.get_objects())
    garbage.exempt()
    assert gc.get_freeze_count() > looked_at
    assert not any(found is kept[0] for found in gc.get_objects())
    assert gc.get_threshold()[0] > 700


@pytest.mark.own_process
def test_a_circle_that_dies_while_exempt_is_found_when_the_exemption_is_renewed() -> None:
    circle = Circle()
    seen = weakref.ref(circle)
    garbage.exempt()
    del circle
    gc.collect()
    assert seen() is not None
    garbage.exempt()
    assert seen() is None


async def test_an_exemption_is_renewed_when_nobody_is_busy_or_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    exempted: list[float] = []
    busy = False
    monkeypatch.setattr(garbage, "exempt", lambda: exempted.append(clock.monotonic()))
    task = asyncio.create_task(garbage.keep_exempt(clock, lambda: busy))
    await settle()
    assert exempted == [0]
    await clock.advance(600)
    assert exempted == [0, 600]
    busy = True
    await clock.advance(630)
    assert exempted == [0, 600]
    busy = False
    await clock.advance(1)
    assert exempted == [0, 600, 1231]
    busy = True
    await clock.advance(700)
    assert exempted == [0, 600, 1231, 1891]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
