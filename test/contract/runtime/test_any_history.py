"""Promise 23: whatever happens and in whatever order, store, indexes and handlers end where the server is."""

import asyncio
import random
from collections import defaultdict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.runtime.client.errors import ConnectionFailed, Expired, ServerError
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.informer import Event, EventType, Handler
from aiop.runtime.informer.mutation import MutationDetector
from aiop.runtime.informer.store import IndexFunction, key_of
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.informer.versions import is_newer
from aiop.runtime.views.custom import CustomObject, decode_custom
from support.clock import FakeClock, settle
from support.listwatch import SmallServer, widget

NAMES = st.sampled_from("abc")
OF_ONE = ["put", "own put", "delete", "own delete", "recreate", "own put elsewhere", "own put and delete elsewhere"]
OF_ALL = ["bookmark", "compact", "cut", "refuse", "fail", "expire", "run", "wait", "join"]
ACTIONS = st.one_of(
    st.tuples(st.sampled_from(OF_ONE), NAMES),
    st.tuples(st.sampled_from(OF_ALL), st.just("")),
)
CUTS = {"refuse": ConnectionFailed("cut"), "fail": ServerError(500), "expire": Expired(410), "cut": None}
# One value that stays, one that moves with a recreation, and several that move with every change.
INDEXES: dict[str, IndexFunction[CustomObject]] = {
    "name": lambda view: [view.metadata.name],
    "uid": lambda view: [view.metadata.uid],
    "digit": lambda view: list(view.metadata.resource_version),
}


class Listener:
    """Rebuilds the world from events alone, and checks that each makes sense after the one before."""

    def __init__(self) -> None:
        self.world: dict[ObjectKey, CustomObject] = {}

    def hear(self, event: Event[CustomObject]) -> None:
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
    def __init__(self, *, by_watch: bool) -> None:
        self.server = SmallServer(by_watch=by_watch)
        self.clock = FakeClock()
        self.informer: StreamInformer[CustomObject] = StreamInformer(
            "widgets", self.server, decode_custom, clock=self.clock, random=random.Random(3), indexes=INDEXES
        )
        self.faults: list[AssertionError] = []
        self.informer.add_handler(self._noting(lambda _event: self.look()))
        self.listeners: list[Listener] = []
        self.join()
        self.detector = MutationDetector(self.informer)
        self.births = 0
        self._seen: dict[str, str] = {}

    async def act(self, action: str, name: str) -> None:
        match action:
            case _ if name:
                self._act_on(name, action)
            case "bookmark":
                self.server.bookmark()
            case "compact":
                self.server.compact()
            case "run":
                await settle(3)
            case "wait":
                await self.clock.advance(40)
            case "join":
                self.join()
            case _:
                self.server.cut(CUTS[action])

    def join(self) -> None:
        self.listeners.append(Listener())
        self.informer.add_handler(self._noting(self.listeners[-1].hear))

    def look(self) -> None:
        """At every moment: indexes agree with the objects, and no object goes back in time."""
        store = self.informer.store
        views = store.values()
        assert sorted(map(key_of, views)) == sorted(store.keys())
        for view in views:
            uid, version = view.metadata.uid, view.metadata.resource_version
            assert not is_newer(self._seen.get(uid, ""), version)
            self._seen[uid] = version
        for index, function in INDEXES.items():
            expected: dict[str, set[ObjectKey]] = defaultdict(set)
            for view in views:
                for value in function(view):
                    expected[value].add(key_of(view))
            assert store._indexes[index] == expected

    def check(self) -> None:
        """At the end: everybody knows what the server knows, and the cache has forgotten what was its own."""
        truth = {ObjectKey("default", name): decode_custom(data) for name, data in self.server.objects.items()}
        store = self.informer.store
        assert {key_of(view): view for view in store.values()} == store.all_observed() == truth
        assert self.faults == []
        assert [listener.world for listener in self.listeners] == [truth] * len(self.listeners)
        self.detector.check()
        self.look()

    def _noting(self, handler: Handler[CustomObject]) -> Handler[CustomObject]:
        """The informer swallows what a handler raises."""

        def handle(event: Event[CustomObject]) -> None:
            try:
                handler(event)
            except AssertionError as error:
                self.faults.append(error)

        return handle

    def _act_on(self, name: str, action: str) -> None:
        own = action.startswith("own")
        if "elsewhere" in action:
            self._put_elsewhere(name, delete="delete" in action)
        elif "put" in action:
            self._put(name, own=own)
        elif name in self.server.objects:
            self._delete(name, own=own)
            if action == "recreate":
                self._put(name, own=own)

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

    def _put_elsewhere(self, name: str, *, delete: bool) -> None:
        """Where the informer's selector does not look, so that its watch tells nothing of it."""
        self.births += 1
        self.server.version += 1
        uid = str(self.births)
        self.informer.written(widget(f"{name}-elsewhere", self.server.version, uid=uid))
        if delete:
            self.server.version += 1
            self.informer.deleted(ObjectKey("default", f"{name}-elsewhere"), uid)


async def live_through(actions: list[tuple[str, str]], *, by_watch: bool) -> None:
    history = History(by_watch=by_watch)
    task = asyncio.create_task(history.informer.run())
    for action, name in actions:
        await history.act(action, name)
        history.look()
    history.server.bookmark()
    await history.clock.advance(200)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    history.check()


@pytest.mark.promise(23, 37, "S9")
@settings(max_examples=200, deadline=None)
@given(st.lists(ACTIONS, max_size=40), st.booleans())
def test_store_indexes_and_handlers_end_where_the_server_is(actions: list[tuple[str, str]], by_watch: bool) -> None:
    asyncio.run(live_through(actions, by_watch=by_watch))
