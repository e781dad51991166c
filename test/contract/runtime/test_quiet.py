"""What a controller costs the API server: one write for a burst, none for quiet, no second child."""

import asyncio
import random
from typing import Any

import msgspec
import pytest

from aiop.runtime.client.client import Client
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.client.transport import Request, Response
from aiop.runtime.conditions.condition import Condition, condition, merge_conditions
from aiop.runtime.conditions.status import StatusWriter
from aiop.runtime.controller.children import Child, ChildWriter, Outcome, Owner
from aiop.runtime.controller.controller import Controller, Result
from aiop.runtime.controller.mappers import own_key
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.views.custom import CustomObject, decode_custom
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.owned import decode_owned
from support.clock import FakeClock, settle
from support.controllerbench import ONE, TWO, Watching, running
from support.informerbench import running as running_informer
from support.listwatch import ScriptedSource, SmallServer, added, modified, page, widget
from support.running import run_informer
from support.transport import ScriptedTransport, ok, refusal

WIDGETS = Resource("example.com", "v1", "Widget", "widgets")
# Rounds of the event loop in which four workers end two thousand passes.
MANY_ROUNDS = 10_000
META = ObjectMeta(name=ONE.name, namespace=ONE.namespace, uid="u1", resource_version="7")


class Reporter:
    """Says in each pass how many widgets there are, condition by condition, and writes once at the end."""

    def __init__(self, bench: Watching) -> None:
        self.transport = ScriptedTransport()
        self.status = b"{}"
        self._writer = StatusWriter(Client(self.transport, clock=bench.clock), WIDGETS, "aiop/widgets")
        self._bench = bench

    async def reconcile(self) -> Result:
        known = msgspec.json.decode(self.status).get("conditions", [])
        conditions = msgspec.convert(known, tuple[Condition, ...])
        names = self._bench.informer.names()
        for wanted in (condition("Counted", True, "Counted", str(len(names))), condition("Ready", bool(names), "Seen")):
            others = [each for each in conditions if each.type != wanted.type]
            now = self._bench.clock.now()
            conditions = merge_conditions(conditions, [*others, wanted], now=now, generation=1)
        status = msgspec.json.encode({"conditions": conditions})
        if await self._writer.write(META, self.status, status) is not None:
            self.status = status
        return Result()


@pytest.mark.promise(79, "S35")
async def test_a_burst_of_changes_is_one_pass_and_its_many_status_changes_are_one_call() -> None:
    bench = Watching(ScriptedSource([page(1)]), mapper=lambda _: [ONE])
    reporter = Reporter(bench)
    bench.reconciler.then("one", reporter.reconcile, reporter.reconcile)
    async with running_informer(bench.informer), running(bench):
        bench.reconciler.then("two", lambda: bench.clock.sleep(1.0))
        bench.controller.enqueue(TWO)  # the only worker is busy while the burst comes in
        await settle()
        bench.source.say(*(added(widget(f"w{number}", number)) for number in range(2, 52)))
        await bench.clock.advance(1.0)
        assert bench.reconciler.names() == ["two", "one"]
        assert reporter.transport.lines() == ["PATCH /apis/example.com/v1/namespaces/default/widgets/one/status"]
        (body,) = reporter.transport.bodies()
        assert [each["message"] for each in body["status"]["conditions"]] == ["50", ""]


@pytest.mark.promise(79, "S35")
async def test_a_pass_that_changes_nothing_makes_no_call() -> None:
    bench = Watching(ScriptedSource([page(1, widget("w", 1))]), mapper=lambda _: [ONE])
    reporter = Reporter(bench)
    bench.reconciler.then("one", *[reporter.reconcile] * 3)
    async with running_informer(bench.informer), running(bench):
        assert len(reporter.transport.requests) == 1
        await bench.clock.advance(3600.0)
        bench.source.say(modified(widget("w", 2)))
        await settle()
        bench.controller.enqueue(ONE)
        await settle()
        assert bench.reconciler.names() == ["one"] * 3
        assert len(reporter.transport.requests) == 1


@pytest.mark.promise(79, "S35")
@pytest.mark.parametrize(
    "live", [b'{"phase":"Up","counts":{"ready":1,"all":2}}', b'{ "counts": {"all": 2, "ready": 1}, "phase": "Up" }']
)
async def test_a_status_that_says_the_same_in_another_order_is_not_written(live: bytes) -> None:
    transport = ScriptedTransport()
    writer = StatusWriter(Client(transport, clock=FakeClock()), WIDGETS, "aiop/widgets")
    assert await writer.write(META, live, b'{"counts":{"all":2,"ready":1},"phase":"Up"}') is None
    assert transport.requests == []


@pytest.mark.promise(79, "S35")
async def test_the_next_pass_compares_with_the_status_as_the_server_keeps_it() -> None:
    """The server stores keys in an order of its own, and a pass reads what the informer was told of the write."""

    async def server(request: Request) -> Response:
        stored = msgspec.json.decode(request.body or b"")
        stored["metadata"] |= {"resourceVersion": "8"}
        return ok({**stored, "status": dict(sorted(stored["status"].items()))})

    transport, clock = ScriptedTransport(server), FakeClock()
    informer = StreamInformer("widgets", ScriptedSource(), decode_custom, clock=clock)
    writer = StatusWriter(Client(transport, clock=clock), WIDGETS, "aiop/widgets", written=informer.written)
    wanted = b'{"phase":"Up","counts":{"ready":1}}'
    assert await writer.write(META, b"{}", wanted) is not None
    view = informer.store.get(ONE)
    assert view is not None
    assert view.status not in (wanted, b"{}")
    assert await writer.write(view.metadata, view.status, wanted) is None
    assert len(transport.requests) == 1


class Keeper:
    """Writes the status of each object that it is asked for, whenever it should say something else."""

    def __init__(self, informer: StreamInformer[CustomObject], clock: FakeClock, server: SmallServer) -> None:
        self.transport = ScriptedTransport()
        self.passes = 0
        self._informer = informer
        self._server = server
        self._writer = StatusWriter(Client(self.transport, clock=clock), WIDGETS, "aiop/widgets")
        self._said: dict[ObjectKey, bytes] = {}

    async def reconcile(self, key: ObjectKey) -> Result:
        self.passes += 1
        view = self._informer.store.get(key)
        assert view is not None
        status = msgspec.json.encode({"uid": view.metadata.uid})
        if await self._writer.write(view.metadata, self._said.get(key, b"{}"), status) is not None:
            self._said[key] = status
            self._server.put(key.name, view.metadata.uid)  # the write comes back as an event
        return Result()


@pytest.mark.promise(80)
@pytest.mark.parametrize(("resync_seconds", "resynced"), [(None, 0), (240.0, 2000)])
async def test_a_thousand_quiet_objects_cost_no_write_for_ten_minutes_and_no_pass_beyond_the_resync(
    resync_seconds: float | None, resynced: int
) -> None:
    clock, server = FakeClock(), SmallServer(page_size=500)
    for number in range(1000):
        server.put(f"w{number}", f"u{number}")
    informer = StreamInformer("widgets", server, decode_custom, clock=clock, random=random.Random(1))
    keeper = Keeper(informer, clock, server)
    controller = Controller("widgets", keeper, clock=clock, new_id=str, workers=4)
    controller.watches(informer, own_key, resync_seconds=resync_seconds)
    async with run_informer(informer):
        run = asyncio.create_task(controller.run())
        await settle(MANY_ROUNDS)
        assert keeper.passes == 2000
        assert len(keeper.transport.requests) == 1000, "one pass wrote, the next saw the write and had nothing to say"
        for _ in range(10):
            await clock.advance(60.0)
            server.bookmark()
            server.cut(None)  # a watch ends and is taken up again, as it does every few minutes
        await settle(MANY_ROUNDS)
        assert (keeper.passes, len(keeper.transport.requests)) == (2000 + resynced, 1000)
        server.put("w7", "u7")
        await clock.advance(10.0)
        assert keeper.passes == 2001 + resynced, "it still listens"
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


@pytest.mark.promise("S34")
async def test_a_child_is_never_made_twice_however_late_the_cache_is() -> None:
    """Expectations (not to act before the own creation was seen) are for generated names. Ours are deterministic: a
    second create meets the first one as a 409, reads it and finds it good, so there is nothing to expect.
    """
    stored: list[dict[str, Any]] = []

    async def server(request: Request) -> Response:
        if request.method == "GET":
            return ok(stored[0])
        if stored:
            return refusal(409, "AlreadyExists")
        body = msgspec.json.decode(request.body or b"")
        body["metadata"] |= {"uid": "u1", "resourceVersion": "7"}
        stored.append(body)
        return ok(body)

    clock, transport = FakeClock(), ScriptedTransport(server)
    wanted = Child(WIDGETS, ONE, {"spec": {"size": 1}})
    for outcome in (Outcome.CREATED, Outcome.UNCHANGED):
        late = StreamInformer("children", ScriptedSource(), decode_owned, clock=clock)  # it has seen nothing
        writer = ChildWriter(Client(transport, clock=clock), late, WIDGETS, "aiop/things")
        assert await writer.ensure(wanted, Owner("example.com/v1", "Thing", "parent", "u0")) is outcome
    assert [request.method for request in transport.requests] == ["POST", "POST", "GET"]
    assert len(stored) == 1
