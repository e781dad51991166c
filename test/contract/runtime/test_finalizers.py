"""Finalizers, against the embedded API server's rules (which the servers' own contract holds to the real ones)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
import pytest

from aiop.runtime.client.builtin import CONFIGMAPS, NAMESPACES
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import Conflict, NotFound
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.controller.finalizers import Finalizer, plan_addition, plan_removal
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.views.custom import CustomObject, decode_custom
from aiop.runtime.views.meta import ObjectMeta
from aiop.sim.cluster.api import ClusterAPI
from aiop.sim.server import APIServer
from support.clock import FakeClock
from support.listwatch import ScriptedSource

OURS, FOREIGN = "example.com/cleanup", "others.example.com/hold"
KEY = ObjectKey("team", "one")


class Bench:
    """The verbs that a finalizer needs, on the server; ``before_patch`` happens once, under its hands."""

    def __init__(self, api: ClusterAPI) -> None:
        self.api = api
        self.calls: list[str] = []
        self.before_patch: Callable[[], Awaitable[Any]] | None = None
        informer = StreamInformer("maps", ScriptedSource(), decode_custom, clock=FakeClock())
        self.finalizer = Finalizer(cast(Client, self), informer, CONFIGMAPS, OURS, field_manager="aiop/things")

    async def get(self, resource: Resource, key: ObjectKey) -> bytes:
        self.calls.append("get")
        return msgspec.json.encode(await self.api.get(resource, key))

    async def patch(self, resource: Resource, key: ObjectKey, body: Any, **_options: object) -> bytes:
        self.calls.append("patch")
        if self.before_patch is not None:
            act, self.before_patch = self.before_patch, None
            await act()
        return msgspec.json.encode(await self.api.patch(resource, key, body))

    async def make(self, *finalizers: str) -> CustomObject:
        meta = {"name": KEY.name, "namespace": KEY.namespace, "finalizers": list(finalizers)}
        await self.api.create(CONFIGMAPS, KEY.namespace, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
        return await self.live()

    async def live(self) -> CustomObject:
        return decode_custom(msgspec.json.encode(await self.api.get(CONFIGMAPS, KEY)))

    async def touch(self) -> None:
        """Somebody changes the object."""
        await self.api.patch(CONFIGMAPS, KEY, {"data": {"touched": str(len(self.calls))}})

    async def delete(self) -> None:
        await self.api.delete(CONFIGMAPS, KEY)

    async def gone(self) -> bool:
        try:
            await self.live()
        except NotFound:
            return True
        return False


@pytest.fixture
async def bench() -> Bench:
    server = await asyncio.to_thread(APIServer, FakeClock(), random=random.Random(1))
    api = server.in_process()
    await api.create(NAMESPACES, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": KEY.namespace}})
    return Bench(api)


async def done() -> bool:
    return True


@pytest.mark.promise(78)
async def test_a_living_object_gets_the_finalizer_once_behind_those_of_others(bench: Bench) -> None:
    assert await bench.finalizer.ensure(await bench.make(FOREIGN))
    live = await bench.live()
    assert live.metadata.finalizers == (FOREIGN, OURS)
    assert await bench.finalizer.ensure(live)
    assert bench.calls == ["patch"]


@pytest.mark.promise(78)
async def test_a_dying_object_gets_no_finalizer_and_no_call(bench: Bench) -> None:
    await bench.make(FOREIGN)
    await bench.delete()
    assert not await bench.finalizer.ensure(await bench.live())
    assert bench.calls == []


@pytest.mark.promise(78)
async def test_an_object_that_dies_under_our_hands_gets_no_finalizer_and_no_refusal(bench: Bench) -> None:
    """Without the precondition the server would say 422: no new finalizers while an object is being deleted."""
    live = await bench.make(FOREIGN)
    bench.before_patch = bench.delete
    assert not await bench.finalizer.ensure(live)
    assert bench.calls == ["patch", "get"]
    assert (await bench.live()).metadata.finalizers == (FOREIGN,)


@pytest.mark.promise(78)
@pytest.mark.parametrize("again", [False, True])
async def test_an_object_that_is_gone_or_another_by_now_gets_no_finalizer(bench: Bench, again: bool) -> None:
    live = await bench.make()
    await bench.delete()
    if again:
        await bench.make()
    assert not await bench.finalizer.ensure(live)
    assert await bench.gone() is not again
    if again:
        assert (await bench.live()).metadata.finalizers == ()


@pytest.mark.promise(78)
async def test_an_addition_that_meets_a_newer_state_is_planned_on_it(bench: Bench) -> None:
    live = await bench.make()

    async def others_add() -> None:
        await bench.api.patch(CONFIGMAPS, KEY, {"metadata": {"finalizers": [FOREIGN]}})

    bench.before_patch = others_add
    assert await bench.finalizer.ensure(live)
    assert (await bench.live()).metadata.finalizers == (FOREIGN, OURS)


@pytest.mark.promise(78)
async def test_cleanup_comes_before_the_removal_and_the_object_goes_with_the_last_finalizer(bench: Bench) -> None:
    live = await bench.make(OURS)
    await bench.delete()
    seen = []

    async def cleanup() -> bool:
        seen.append((await bench.live()).metadata.finalizers)
        return True

    assert await bench.finalizer.finish(await bench.live(), cleanup)
    assert seen == [(OURS,)]
    assert await bench.gone()
    assert await bench.finalizer.finish(live, done), "it is gone, which is what was wanted"


@pytest.mark.promise(78)
async def test_an_unfinished_or_failed_cleanup_holds_the_object(bench: Bench) -> None:
    await bench.make(OURS)
    await bench.delete()

    async def not_yet() -> bool:
        return False

    async def fails() -> bool:
        raise OSError

    assert not await bench.finalizer.finish(await bench.live(), not_yet)
    with pytest.raises(OSError):  # noqa: PT011 - any of them
        await bench.finalizer.finish(await bench.live(), fails)
    assert bench.calls == []
    assert (await bench.live()).metadata.finalizers == (OURS,)


@pytest.mark.promise(78)
async def test_a_removal_that_meets_a_newer_state_reads_it_and_tries_again(bench: Bench) -> None:
    live = await bench.make(FOREIGN, OURS, "z.example.com/last")
    bench.before_patch = bench.touch
    assert await bench.finalizer.finish(live, done)
    assert bench.calls == ["patch", "get", "patch"]
    assert (await bench.live()).metadata.finalizers == (FOREIGN, "z.example.com/last")


@pytest.mark.promise(78)
async def test_a_finalizer_that_was_taken_off_by_hand_is_not_cleaned_up_for_again(bench: Bench) -> None:
    async def unexpected() -> bool:
        raise AssertionError

    assert await bench.finalizer.finish(await bench.make(FOREIGN), unexpected)
    assert bench.calls == []


@pytest.mark.promise(78)
async def test_an_object_that_never_stands_still_is_left_to_the_back_off(bench: Bench) -> None:
    live = await bench.make(OURS)

    async def always() -> None:
        await bench.touch()
        bench.before_patch = always

    bench.before_patch = always
    with pytest.raises(Conflict):
        await bench.finalizer.finish(live, done)
    assert bench.calls.count("patch") == 5


@pytest.mark.promise(78)
def test_plans_touch_no_finalizer_but_ours() -> None:
    meta = ObjectMeta(name="one", finalizers=("a.example.com/x", OURS, "b.example.com/x"))
    assert plan_removal(meta, OURS) == ("a.example.com/x", "b.example.com/x")
    assert plan_removal(meta, "c.example.com/x") is None
    assert plan_addition(meta, OURS) is None
    assert plan_addition(meta, "c.example.com/x") == (*meta.finalizers, "c.example.com/x")


@pytest.mark.promise(78)
@pytest.mark.parametrize(
    "name",
    ["", "cleanup", "example.com/", "/cleanup", "example/x", "Example.com/x", "example.com/a/b", "example.com/x\n",
     "example.com/-x", "a..com/x", "example.com/" + "x" * 64, "x" * 250 + ".com/x"],
)  # fmt: skip
def test_a_name_that_the_server_would_not_take_is_refused_at_once(name: str) -> None:
    informer = StreamInformer("maps", ScriptedSource(), decode_custom, clock=FakeClock())
    with pytest.raises(ValueError, match="is no finalizer"):
        Finalizer(cast(Client, None), informer, CONFIGMAPS, name, field_manager="x")
