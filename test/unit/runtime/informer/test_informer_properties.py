"""An informer against a small server, over random histories of changes, cuts, compactions and own writes."""

import asyncio
import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.runtime.client.errors import ConnectionFailed, Expired, ServerError
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.informer import Event, EventType, Informer
from aiop.runtime.informer.store import key_of
from aiop.runtime.informer.versions import is_newer
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import FakeClock, settle
from support.listwatch import SmallServer

NAMES = st.sampled_from("abc")
ACTIONS = st.one_of(
    st.tuples(st.sampled_from(["put", "own put", "delete", "own delete"]), NAMES),
    st.tuples(st.sampled_from(["bookmark", "compact", "cut", "refuse", "fail", "expire", "run", "wait"]), st.just("")),
)


class Listener:
    """Rebuilds the world from events alone, and checks that each makes sense after the one before."""

    def __init__(self) -> None:
        self.world: dict[ObjectKey, CustomObject] = {}

    def __call__(self, event: Event[CustomObject]) -> None:
        known = self.world.get(event.key)
        if event.type is EventType.DELETED:
            self.world.pop(event.key, None)
            return
        assert event.new is not None
        assert (event.type is EventType.ADDED) == (known is None)
        if known is not None:
            assert known.metadata.uid == event.new.metadata.uid
            assert is_newer(event.new.metadata.resource_version, known.metadata.resource_version)
        self.world[event.key] = event.new


class History:
    def __init__(self) -> None:
        self.server = SmallServer()
        self.clock = FakeClock()
        self.informer: Informer[CustomObject] = Informer(
            "widgets",
            self.server,
            decode_custom,
            clock=self.clock,
            random=random.Random(3),
            indexes={"name": lambda view: [view.metadata.name]},
        )
        self.listener = Listener()
        self.informer.add_handler(self.listener)
        self.births = 0

    async def act(self, action: str, name: str) -> None:
        errors = {"refuse": ConnectionFailed("cut"), "fail": ServerError(500), "expire": Expired(410), "cut": None}
        match action:
            case "put" | "own put":
                self._put(name, own=action == "own put")
            case "delete" | "own delete" if name in self.server.objects:
                self._delete(name, own=action == "own delete")
            case "bookmark":
                self.server.bookmark()
            case "compact":
                self.server.compact()
            case "run":
                await settle(3)
            case "wait":
                await self.clock.advance(40)
            case _ if action in errors:
                self.server.cut(errors[action])

    def _put(self, name: str, *, own: bool) -> None:
        self.births += name not in self.server.objects
        known = self.server.objects.get(name)
        uid = msgspec.json.decode(known)["metadata"]["uid"] if known else str(self.births)
        data = self.server.put(name, uid)
        if own:
            view = self.informer.written(data)
            assert self.informer.store.get(ObjectKey("default", name)) == view

    def _delete(self, name: str, *, own: bool) -> None:
        uid = msgspec.json.decode(self.server.objects[name])["metadata"]["uid"]
        self.server.delete(name)
        if own:
            key = ObjectKey("default", name)
            self.informer.deleted(key, uid)
            shown = self.informer.store.get(key)
            assert shown is None or shown.metadata.uid != uid or shown.metadata.deletion_timestamp

    def check(self) -> None:
        truth = {ObjectKey("default", name): decode_custom(data) for name, data in self.server.objects.items()}
        store = self.informer.store
        assert {key_of(view): view for view in store.values()} == truth
        assert self.listener.world == truth
        assert all(store.by_index("name", key.name) == [view] for key, view in truth.items())
        assert set(store._indexes["name"]) == {key.name for key in truth}


async def live_through(actions: list[tuple[str, str]]) -> None:
    history = History()
    task = asyncio.create_task(history.informer.run())
    for action, name in actions:
        await history.act(action, name)
    history.server.bookmark()
    await history.clock.advance(200)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    history.check()


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTIONS, max_size=40))
def test_store_and_handlers_end_where_the_server_is(actions: list[tuple[str, str]]) -> None:
    asyncio.run(live_through(actions))
