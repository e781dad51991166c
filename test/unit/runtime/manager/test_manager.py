import asyncio
import os
import signal

import pytest

from aiop.runtime.client.errors import ConnectionFailed, Forbidden, ServerError, WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.controller import Result
from aiop.runtime.kit.tasks import TaskDied
from aiop.runtime.manager.errors import WorkerDidNotStop
from aiop.runtime.manager.manager import stop_on_signals
from support.clock import settle
from support.listwatch import ScriptedSource, added, page, widget
from support.managerbench import ManagerBench


def bench(*names: str, alone: bool = False) -> ManagerBench:
    return ManagerBench(ScriptedSource([page(1, *(widget(name, 1) for name in names))]), alone=alone)


def preparing(this: ManagerBench, *errors: Exception) -> None:
    """A preparation that fails so often before it succeeds."""
    left = list(errors)

    async def prepare() -> None:
        this.told.append("prepare")
        if left:
            raise left.pop(0)

    this.manager.on_leading(prepare)


async def test_the_start_is_caches_election_preparations_and_then_passes() -> None:
    this = bench("one")
    this.add_part("events", leader_only=False)
    this.add_part("resync", leader_only=True)
    preparing(this)
    async with this.running():
        assert this.told[:4] == ["events starts", "election starts", "prepare", "resync starts"]
        assert this.told[4:] == ["pass one", "pass one ends"]


async def test_nobody_seeks_the_lease_with_cold_caches() -> None:
    this = ManagerBench(ScriptedSource())  # its list never ends
    async with this.running():
        await this.clock.advance(300.0)
        assert this.told == []
        assert not this.informer.has_synced()
    assert this.told == ["election stops, release=True"]


async def test_a_standby_keeps_its_caches_warm_and_works_the_moment_that_it_leads() -> None:
    this = bench("one")
    this.elected_at_once = False
    async with this.running():
        this.source.say(added(widget("two", 2)))
        await this.clock.advance(100.0)
        assert this.told == ["election starts"]
        assert len(this.informer.store) == 2
        this.election.lead()
        await settle()
        assert sorted(each for each in this.told if each.startswith("pass") and "ends" not in each) == [
            "pass one",
            "pass two",
        ]
        assert this.source.calls == ["list", "watch 1"]


async def test_without_a_lease_this_process_leads_alone() -> None:
    this = bench("one", alone=True)
    async with this.running():
        assert "pass one ends" in this.told
    assert this.elections == []


async def test_the_stop_is_passes_then_the_lease_then_everything_else() -> None:
    this = bench("one")
    this.add_part("events", leader_only=False)
    this.work = lambda _key: this.clock.sleep(20.0)
    async with this.running() as task:
        this.told.clear()
        this.source.say(added(widget("two", 2)))
        this.stop.set()
        await this.clock.advance(19.0)
        assert this.told == ["pass two"], "what ran may end; the events go on"
        assert this.informer.store.get(ObjectKey("default", "two")) is not None
        await this.clock.advance(1.0)
        assert this.told == [
            "pass two",
            "pass one ends",
            "pass two ends",
            "election stops, release=True",
            "events ends",
        ]
        await task


async def test_no_pass_begins_after_the_stop() -> None:
    this = bench("one")
    async with this.running():
        this.work = lambda _key: this.clock.sleep(10.0)
        this.controller.enqueue(ObjectKey("default", "one"))
        await settle()
        this.stop.set()
        await settle()
        this.told.clear()
        this.source.say(added(widget("two", 2)))
        await this.clock.advance(11.0)
        assert "pass two" not in this.told


async def test_a_pass_that_outlives_the_grace_is_cancelled_and_the_lease_is_released_all_the_same() -> None:
    this = bench("one")
    this.work = lambda _key: this.clock.sleep(1000.0)
    async with this.running() as task:
        this.stop.set()
        await this.clock.advance(24.9)
        assert this.told[-1] == "pass one"
        await this.clock.advance(0.2)
        assert this.told[-1] == "election stops, release=True"
        await task


class Stubborn:
    """A pass that does not let itself be cancelled until ``released``."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def work(self, _key: ObjectKey) -> None:
        while not self.released.is_set():
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                continue


async def test_a_worker_that_cannot_be_stopped_ends_the_process_and_keeps_the_lease() -> None:
    this, stubborn = bench("one"), Stubborn()
    this.work = stubborn.work
    async with this.running() as task:
        this.stop.set()
        await this.clock.advance(29.9)
        assert not task.done()
        await this.clock.advance(0.2)
        with pytest.raises(WorkerDidNotStop, match="controller widgets did not stop within 5 s"):
            await task
        assert this.told[-1] == "election stops, release=False"
        stubborn.released.set()


async def test_a_worker_that_goes_on_after_the_lease_is_lost_ends_the_process() -> None:
    this, stubborn = bench("one"), Stubborn()
    this.work = stubborn.work
    async with this.running() as task:
        this.election.lose()
        await this.clock.advance(10.1)
        with pytest.raises(WorkerDidNotStop, match="within 10 s"):
            await task
        assert this.told[-1] == "election stops, release=False"
        stubborn.released.set()


async def test_a_loss_cancels_passes_keeps_caches_and_stands_by_for_the_next_term() -> None:
    this = bench("one", "two")
    preparing(this)
    this.work = lambda _key: this.clock.sleep(1000.0)
    async with this.running() as task:
        this.told.clear()
        this.election.lose()
        await settle()
        assert not task.done()
        this.source.say(added(widget("three", 2)))
        await this.clock.advance(60.0)
        assert this.told == []
        assert this.source.calls == ["list", "watch 1"]
        this.work = lambda _key: this.clock.sleep(0.0)
        this.election.lead()
        await settle()
        assert this.told[0] == "prepare"
        assert {"pass one ends", "pass two ends", "pass three ends"} <= set(this.told)


async def test_a_loss_and_a_gain_in_one_moment_end_the_old_term_and_begin_a_new_one() -> None:
    this = bench("one")
    preparing(this)
    this.work = lambda _key: this.clock.sleep(1000.0)
    async with this.running():
        this.election.lose()
        this.election.lead()
        await settle()
        assert this.told.count("prepare") == 2
        assert this.told.count("pass one") == 2


async def test_a_gain_that_is_lost_before_anybody_looked_is_no_term() -> None:
    this = bench("one")
    this.elected_at_once = False
    preparing(this)
    async with this.running():
        this.election.lead()
        this.election.lose()
        await settle()
        assert "prepare" not in this.told
        this.election.lead()
        await settle()
        assert "pass one ends" in this.told


async def test_a_preparation_waits_for_an_api_server_that_is_away() -> None:
    this = bench("one")
    preparing(this, ConnectionFailed("refused"), ServerError(503))
    async with this.running():
        await this.clock.advance(1.4)
        assert this.told == ["election starts", "prepare", "prepare"]
        await this.clock.advance(0.2)
        assert this.told[3:5] == ["prepare", "pass one"]


async def test_a_preparation_that_is_refused_for_good_ends_the_process() -> None:
    this = bench("one")
    preparing(this, Forbidden(403, "Forbidden", "no right"))
    async with this.running() as task:
        with pytest.raises(Forbidden, match="no right"):
            await task
        assert this.told == ["election starts", "prepare", "election stops, release=True"]


async def test_a_preparation_that_meets_the_closed_gate_waits_for_the_next_term() -> None:
    this = bench("one")
    preparing(this, WriteNotPermitted("no lease"))
    async with this.running() as task:
        await this.clock.advance(5.0)
        assert not task.done()
        this.election.lose()
        await settle()
        this.election.lead()
        await settle()
        assert this.told.count("prepare") == 2
        assert this.told[-1] == "pass one ends"


@pytest.mark.parametrize("leader_only", [True, False])
@pytest.mark.parametrize("error", [None, ValueError("broken")])
async def test_a_part_that_ends_by_itself_stops_all_the_others_and_is_named(
    error: Exception | None, leader_only: bool
) -> None:
    this = bench("one")
    this.add_part("events", leader_only=False)
    this.add_part("resync", leader_only=True)
    over = asyncio.Event()

    async def metrics() -> None:
        await over.wait()
        if error is not None:
            raise error

    this.manager.add_runnable("metrics", metrics, leader_only=leader_only)
    async with this.running() as task:
        over.set()
        with pytest.raises(TaskDied, match="'metrics' ended") as caught:
            await task
        assert caught.value.__cause__ is error
        assert {"events ends", "resync ends", "election stops, release=True"} <= set(this.told)


async def test_a_death_and_a_stop_that_fails_are_both_told() -> None:
    this, stubborn = bench("one"), Stubborn()
    this.work = stubborn.work

    async def metrics() -> None:
        await asyncio.sleep(0)

    this.manager.add_runnable("metrics", metrics, leader_only=True)
    async with this.running() as task:
        await this.clock.advance(31.0)
        with pytest.raises(WorkerDidNotStop) as caught:
            await task
        contexts = []
        error: BaseException | None = caught.value
        while error is not None:
            contexts.append(type(error))
            error = error.__context__
        assert TaskDied in contexts
        stubborn.released.set()


async def test_an_election_that_dies_ends_the_process_instead_of_standing_by_for_ever() -> None:
    this = bench("one")
    this.elected_at_once = False
    async with this.running() as task:
        this.election.die(RuntimeError("no such plugin"))
        with pytest.raises(TaskDied, match="election") as caught:
            await task
        assert str(caught.value.__cause__) == "no such plugin"


async def test_a_controller_that_has_drained_does_not_end_the_passes_of_another() -> None:
    this = bench("one")
    finished = []

    class Slow:
        async def reconcile(self, key: ObjectKey) -> Result:
            await this.clock.sleep(10.0)
            finished.append(key.name)
            return Result()

    this.add_controller("slow", Slow())
    async with this.running():
        this.stop.set()
        await this.clock.advance(11.0)
        assert finished == ["one"]


async def test_the_heartbeat_stays_young_while_the_loop_runs() -> None:
    this = bench()
    async with this.running():
        for _ in range(20):
            await this.clock.advance(0.9)
            assert this.election.heartbeat.age() <= 1.0


async def test_the_first_signal_stops_and_the_second_forces() -> None:
    stop = asyncio.Event()
    forced = []
    stop_on_signals(stop, force=lambda: forced.append(True))
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), timeout=10.0)
        assert forced == []
        os.kill(os.getpid(), signal.SIGINT)
        async with asyncio.timeout(10.0):
            while not forced:  # noqa: ASYNC110 - a signal arrives when the kernel likes
                await asyncio.sleep(0)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(number)
