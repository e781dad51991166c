"""SIGTERM may come at any moment: each test walks through the steps of the event loop, one stop for each of them."""

import asyncio
import itertools

import pytest

from aiop.runtime.client.resource import ObjectKey
from support.clock import settle
from support.managerbench import LEASE, ManagerBench, bench, preparing
from support.running import end

# No start or stop here has nearly as many: a walk that does not end is a stop that does not.
MOST_STEPS = 1000


def stage(this: ManagerBench) -> str:
    """How far the start has come."""
    for sign in ("pass one ends", "pass one", "resync starts", "prepare"):
        if sign in this.told:
            return sign
    if LEASE.name in this.server.leases:
        return "lease written"
    return "events starts" if "events starts" in this.told else "cold"


def others() -> set[asyncio.Task[object]]:
    """Every task but the test's own."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


def ready() -> ManagerBench:
    """With a part of each sort, and a real election."""
    this = bench("one", by_lease=True)
    this.add_part("events", leader_only=False)
    this.add_part("resync", leader_only=True)
    preparing(this)
    this.work = lambda _key: asyncio.sleep(0)
    return this


@pytest.mark.promise(83, "S27", "S28")
async def test_a_stop_at_any_step_of_the_start_ends_everything_and_leaves_the_lease_free() -> None:
    stages: list[str] = []
    for step in range(MOST_STEPS):
        this = ready()
        running = asyncio.create_task(this.manager.run(this.stop))
        await settle(step)
        stages.append(stage(this))
        this.stop.set()
        await this.clock.advance(1.0)
        assert running.done(), f"the stop at step {step}, {stages[-1]}, takes time"
        await running
        assert others() == set(), stages[-1]
        assert this.server.held(LEASE.name) == "", stages[-1]
        assert not this.permitted(), stages[-1]
        assert [each for each in this.told if each.startswith("pass")] in ([], ["pass one", "pass one ends"])
        if stages[-1] == "pass one ends":
            break
    assert [each for each, _ in itertools.groupby(stages)] == [
        "cold",
        "events starts",
        "lease written",
        "prepare",
        "resync starts",
        "pass one",
        "pass one ends",
    ]


@pytest.mark.promise(83, 89, "S28")
async def test_a_stop_that_is_cut_short_at_any_step_frees_no_lease_while_a_pass_runs() -> None:
    """A second SIGTERM ends the process where it stands; what a test can look at is a stop that is cancelled.

    Its tasks are cancelled then as `asyncio.run` does it: none resists.
    """
    ends: list[str] = []
    for step in range(MOST_STEPS):
        this, finish = ready(), asyncio.Event()
        holders: list[str] = []

        async def work(
            _key: ObjectKey,
            this: ManagerBench = this,
            finish: asyncio.Event = finish,
            holders: list[str] = holders,
        ) -> None:
            try:
                await finish.wait()
            finally:
                holders.append(this.server.held(LEASE.name))

        this.work = work
        running = asyncio.create_task(this.manager.run(this.stop))
        await settle()
        assert this.told[-1] == "pass one"
        this.stop.set()
        finish.set()
        await settle(step)
        stopped = running.done()
        ends.append(this.told[-1])
        await end(running)
        for task in others():
            await end(task)
        assert others() == set(), ends[-1]
        assert holders == ["me"], ends[-1]
        assert not this.permitted(), ends[-1]
        if stopped:
            break
    assert [each for each, _ in itertools.groupby(ends)] == ["pass one", "pass one ends", "resync ends", "events ends"]
