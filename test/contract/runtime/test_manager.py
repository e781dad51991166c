"""The contract's promises on the life of a process: how it starts, leads and ends."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.errors import Forbidden
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.tasks import TaskDied
from aiop.runtime.manager.errors import WorkerDidNotStop
from aiop.runtime.manager.manager import stop_on_signals
from aiop.runtime.manager.parts import set_event
from support.clock import settle
from support.listwatch import ScriptedSource, added, page, widget
from support.managerbench import LEASE, ManagerBench, bench, preparing
from support.managerweb import serving
from support.transport import ScriptedTransport


@pytest.mark.promise(81, "S27")
async def test_the_start_is_caches_election_preparations_and_then_passes() -> None:
    """There are no webhooks yet; what the contract calls warm-up are the caches, of a standby too."""
    this = bench("one")
    this.add_part("events", leader_only=False)
    this.add_part("resync", leader_only=True)
    preparing(this)
    async with this.running():
        assert this.told[:4] == ["events starts", "election starts", "prepare", "resync starts"]
        assert this.told[4:] == ["pass one", "pass one ends"]


@pytest.mark.promise(81, "S27")
async def test_with_cold_caches_nobody_seeks_the_lease_and_nothing_else_starts() -> None:
    this = ManagerBench(ScriptedSource())  # its list never ends
    this.add_part("events", leader_only=False)
    async with this.running():
        await this.clock.advance(300.0)
        assert this.told == []
        assert not this.informer.has_synced()
    assert this.told == []


@pytest.mark.promise(81, 89, "S28")
async def test_the_stop_is_passes_then_the_lease_then_everything_else() -> None:
    """The lease goes before the caches, as soon as nobody can write: another may lead while the rest ends."""
    this = bench("one")
    this.add_part("events", leader_only=False)
    this.add_part("resync", leader_only=True)
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
            "resync ends",
            "election stops, release=True",
            "events ends",
        ]
        await task


@pytest.mark.promise(82)
async def test_a_death_and_a_stop_that_fails_are_both_told() -> None:
    """asyncio has one error at a time: the first is logged at once, and is the context of the last, which is raised."""
    this = bench("one")
    this.work = this.stubborn.work

    async def metrics() -> None:
        await asyncio.sleep(0)

    this.manager.add_runnable("metrics", metrics, leader_only=True)
    with capture_logs() as logs:
        async with this.running() as task:
            assert [each["error"] for each in logs if each["log_level"] == "error"] == ["task 'metrics' ended"]
            await this.clock.advance(31.0)
            with pytest.raises(WorkerDidNotStop, match="controller widgets") as caught:
                await task
            assert "task 'metrics' ended" in [str(error) for error in _contexts(caught.value)]


@pytest.mark.promise(82, 92)
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


@pytest.mark.promise(82)
async def test_a_dead_part_is_unhealthy_while_the_others_end() -> None:
    fuse = asyncio.Event()
    async with serving(ScriptedSource([page(1, widget("one", 1))]), fuse=fuse) as web:
        web.bench.work = lambda _key: web.bench.clock.sleep(10.0)
        web.bench.controller.enqueue(ObjectKey("default", "one"))
        await settle()
        fuse.set()
        await settle()
        assert await web.health("/healthz") == (503, "task 'fuse' ended")
        await web.bench.clock.advance(10.0)


@pytest.mark.promise(83)
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


@pytest.mark.promise(83, "S28")
async def test_a_pass_that_outlives_the_grace_is_cancelled_and_the_lease_is_released_all_the_same() -> None:
    this = bench("one")
    this.work = lambda _key: this.clock.sleep(1000.0)
    async with this.running() as task:
        this.stop.set()
        await this.clock.advance(21.9)
        assert this.told[-1] == "pass one"
        await this.clock.advance(0.2)
        assert this.told[-1] == "election stops, release=True"
        await task


@pytest.mark.promise(83, "S28")
async def test_a_stop_takes_thirty_seconds_and_the_release_of_the_lease_at_most() -> None:
    this = bench("one")
    this.manager.on_drained("events", lambda: this.clock.sleep(1000.0))

    async def work(_key: ObjectKey) -> None:
        try:
            await this.clock.sleep(1000.0)
        finally:
            await this.clock.sleep(4.5)

    this.work = work
    async with this.running() as task:
        this.stop.set()
        await this.clock.advance(29.0)
        assert "election stops, release=True" not in this.told
        await this.clock.advance(1.0)
        assert this.told[-1] == "election stops, release=True"
        await task


@pytest.mark.promise(81, "S28")
async def test_what_the_last_pass_recorded_is_written_while_the_lease_is_still_held() -> None:
    this = bench("one")
    events = this.add_events(seconds=0.5)
    this.work = lambda _key: this.clock.sleep(2.0)
    async with this.running() as task:
        this.stop.set()
        await this.clock.advance(1.9)
        assert events == []
        await this.clock.advance(0.2)
        assert this.told[-1] == "pass one ends", "the lease is still held"
        await this.clock.advance(0.5)
        assert events == ["one is done"]
        assert this.told[-1] == "election stops, release=True"
        await task


@pytest.mark.promise(81, "S28")
async def test_events_that_cannot_be_written_hold_up_the_release_for_three_seconds() -> None:
    this = bench("one")
    events = this.add_events(seconds=20.0)
    async with this.running() as task:
        this.stop.set()
        await this.clock.advance(2.9)
        assert this.told[-1] == "pass one ends"
        await this.clock.advance(0.2)
        assert this.told[-1] == "election stops, release=True"
        await task
    assert events == []


@pytest.mark.promise(81, 84, "S27")
async def test_health_is_there_before_the_caches_and_readiness_names_what_is_cold_and_why() -> None:
    async with serving(ScriptedSource(Forbidden(403, "Forbidden", "no right to widgets"))) as web:
        assert await web.health("/healthz") == (200, "ok")
        assert await web.health("/readyz") == (503, "not synced: widgets (forbidden: no right to widgets)")


@pytest.mark.promise(84, "S27")
async def test_caches_that_stay_cold_are_told_of_each_thirty_seconds_and_waited_for() -> None:
    """controller-runtime gives up after two minutes. A process that waits can do no harm, and need not be restarted."""
    this = ManagerBench(ScriptedSource())
    with capture_logs() as logs:
        async with this.running() as task:
            await this.clock.advance(301.0)
            assert not task.done()
    told = [each["waiting_for"] for each in logs if each["event"] == "caches are not warm yet"]
    assert told == ["widgets (waiting for the first list)"] * 10


@pytest.mark.promise(84)
async def test_a_standby_with_warm_caches_is_ready() -> None:
    async with serving(ScriptedSource([page(1)])) as web:
        web.bench.election.lose()
        assert await web.health("/readyz") == (200, "ok")


@pytest.mark.promise(83, 89)
async def test_a_worker_that_cannot_be_stopped_ends_the_process_and_keeps_the_lease() -> None:
    this = bench("one")
    this.work = this.stubborn.work
    async with this.running() as task:
        this.stop.set()
        await this.clock.advance(26.9)
        assert not task.done()
        await this.clock.advance(0.2)
        with pytest.raises(WorkerDidNotStop, match="controller widgets did not stop within 5 s"):
            await task
        assert this.told[-1] == "election stops, release=False"


@pytest.mark.promise(92)
async def test_an_election_that_dies_ends_the_process_instead_of_standing_by_for_ever() -> None:
    this = bench("one")
    this.elected_at_once = False
    async with this.running() as task:
        this.election.die(RuntimeError("no such plugin"))
        with pytest.raises(TaskDied, match="election") as caught:
            await task
        assert str(caught.value.__cause__) == "no such plugin"


@pytest.mark.promise(92)
async def test_a_part_that_dies_frees_the_lease_for_another() -> None:
    this = bench("one", by_lease=True)
    over = asyncio.Event()
    this.manager.add_runnable("metrics", lambda: set_event(over), leader_only=True)
    async with this.running() as task:
        assert this.server.held(LEASE.name) == "me"
        over.set()
        with pytest.raises(TaskDied):
            await task
    assert this.server.held(LEASE.name) == ""


@pytest.mark.promise(94)
async def test_a_standby_keeps_its_caches_warm_writes_nothing_and_works_the_moment_that_it_leads() -> None:
    """Said without a timing: between the election and the first writes there is no list and no wait."""
    this = bench("one")
    this.elected_at_once = False
    transport = ScriptedTransport()
    client = Client(transport, clock=this.clock, gate=this.gate)
    this.work = lambda key: client.patch(CONFIGMAPS, key, {}, patch_type=PatchType.MERGE, field_manager="test")
    async with this.running():
        this.source.say(added(widget("two", 2)))
        await this.clock.advance(100.0)
        assert this.told == ["election starts"]
        assert len(this.informer.store) == 2
        assert transport.requests == []
        this.election.lead()
        await settle()
        assert this.clock.monotonic() == 100.0
        assert sorted(request.path.rpartition("/")[2] for request in transport.requests) == ["one", "two"]
        assert this.source.calls == ["list", "watch 1"]


@pytest.mark.promise("S30")
async def test_a_loss_cancels_passes_keeps_caches_and_stands_by_for_the_next_term() -> None:
    """controller-runtime exits. Here the gate holds back late writes, so the caches are kept for the next term."""
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


@pytest.mark.promise("S30")
async def test_a_worker_that_goes_on_after_the_lease_is_lost_ends_the_process() -> None:
    this = bench("one")
    this.work = this.stubborn.work
    async with this.running() as task:
        this.election.lose()
        await this.clock.advance(10.1)
        with pytest.raises(WorkerDidNotStop, match="within 10 s"):
            await task
        assert this.told[-1] == "election stops, release=False"


def _contexts(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it followed."""
    while error is not None:
        yield error
        error = error.__context__
