import pytest
from structlog.testing import capture_logs

from aiop.runtime.client.errors import ConnectionFailed, Forbidden, ServerError, WriteNotPermitted
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.controller import Result
from aiop.runtime.manager.errors import WorkerDidNotStop
from support.clock import settle
from support.listwatch import added, widget
from support.managerbench import LEASE, bench, preparing


async def test_without_a_lease_this_process_leads_alone() -> None:
    this = bench("one", alone=True)
    async with this.running():
        assert "pass one ends" in this.told
    assert this.elections == []


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


async def test_a_preparation_whose_write_was_too_late_is_tried_again_while_the_lease_is_held() -> None:
    this = bench("one")
    preparing(this, WriteNotPermitted("too late"))
    async with this.running():
        await this.clock.advance(5.0)
        assert this.told.count("prepare") == 2
        assert this.told[-1] == "pass one ends"


async def test_a_preparation_that_meets_the_closed_gate_ends_with_its_term_and_begins_again_with_the_next() -> None:
    this = bench("one")
    preparing(this, *(WriteNotPermitted("no lease") for _ in range(100)))
    async with this.running() as task:
        await this.clock.advance(5.0)
        assert not task.done()
        this.election.lose()
        await settle()
        before = this.told.count("prepare")
        await this.clock.advance(60.0)
        assert this.told.count("prepare") == before
        this.election.lead()
        await settle()
        assert this.told.count("prepare") == before + 1
        assert "pass one" not in this.told


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


async def test_it_is_busy_while_a_pass_runs() -> None:
    this = bench("one")
    async with this.running():
        assert not this.manager.busy()
        this.work = lambda _key: this.clock.sleep(10.0)
        this.controller.enqueue(ObjectKey("default", "one"))
        await settle()
        assert this.manager.busy()
        await this.clock.advance(10.0)
        assert not this.manager.busy()


async def test_a_lease_that_is_lost_during_the_stop_ends_the_passes_at_once() -> None:
    this = bench("one")
    this.work = lambda _key: this.clock.sleep(20.0)
    async with this.running() as task:
        this.stop.set()
        await this.clock.advance(5.0)
        assert this.told[-1] == "pass one"
        this.election.lose()
        await settle()
        assert this.told[-1] == "election stops, release=True"
        await task


async def test_a_preparation_that_cannot_be_stopped_ends_the_process_and_keeps_the_lease() -> None:
    this = bench("one")
    this.manager.on_leading(lambda: this.stubborn.work(ObjectKey("default", "one")))
    async with this.running() as task:
        this.stop.set()
        await this.clock.advance(5.1)
        with pytest.raises(WorkerDidNotStop, match="preparation did not stop within 5 s"):
            await task
        assert this.told[-1] == "election stops, release=False"


async def test_a_part_that_cannot_be_stopped_is_named_and_the_lease_is_free_by_then() -> None:
    this = bench("one")
    this.manager.add_runnable("metrics", lambda: this.stubborn.work(ObjectKey("default", "one")), leader_only=False)
    async with this.running() as task:
        this.stop.set()
        await settle()
        assert this.told[-1] == "election stops, release=True"
        await this.clock.advance(5.1)
        with pytest.raises(WorkerDidNotStop, match="metrics did not stop within 5 s"):
            await task


async def test_what_cannot_be_flushed_is_logged_and_keeps_nothing_else_from_being_written() -> None:
    this = bench("one")
    flushed: list[str] = []

    async def fail() -> None:
        raise ValueError("broken")

    async def flush() -> None:
        flushed.append("second")

    this.manager.on_drained("first", fail)
    this.manager.on_drained("second", flush)
    with capture_logs() as logs:
        async with this.running() as task:
            this.stop.set()
            await settle()
            await task
    assert flushed == ["second"]
    assert [each["part"] for each in logs if each["event"] == "not written"] == ["first"]
    assert this.told[-1] == "election stops, release=True"


async def test_a_standby_that_stops_never_held_the_lease() -> None:
    this = bench("one", by_lease=True)
    other = {"holderIdentity": "other", "leaseDurationSeconds": 15}
    this.server.put(LEASE.name, other)
    async with this.running():
        await this.clock.advance(10.0)
    assert this.server.held(LEASE.name) == "other"


async def test_what_is_added_for_a_shard_that_is_not_led_is_refused() -> None:
    with pytest.raises(IndexError):
        bench().manager.on_leading(preparation, shard=1)


async def test_an_informer_is_run_once_however_often_it_is_added() -> None:
    this = bench("one")
    this.manager.add_informer(this.informer)
    async with this.running():
        assert this.source.calls == ["list", "watch 1"]


async def preparation() -> None:
    """Nothing to do."""
