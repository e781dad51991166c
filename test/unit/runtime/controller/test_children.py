import itertools
import random
from typing import Any

import msgspec
import pytest

from aiop.runtime.client.builtin import CONTROLLERREVISIONS, DEPLOYMENTS
from aiop.runtime.client.client import Client
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.client.transport import Request, Response
from aiop.runtime.controller.children import INTENT_ANNOTATION, Child, ChildWriter, Outcome, Owner
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.views.owned import decode_owned, decode_revision
from support.clock import FakeClock, settle
from support.listwatch import ScriptedSource, added, page
from support.running import run_informer
from support.transport import ScriptedTransport, ok, refusal

KEY = ObjectKey("default", "child")
OWNER = Owner("example.com/v1", "Thing", "parent", "owner-uid")
MANAGER = "aiop/things"
SPEC = {"replicas": 2, "template": {"spec": {"containers": [{"name": "main", "image": "a:1"}]}}}


def deployment(spec: object = None, **metadata: Any) -> Child:
    return Child(DEPLOYMENTS, KEY, {"metadata": metadata, "spec": spec or SPEC})


def stored(body: dict[str, Any], version: int = 5, **metadata: Any) -> dict[str, Any]:
    """``body`` as a server keeps it."""
    meta = {**body.get("metadata", {}), "uid": "child-uid", "resourceVersion": str(version), **metadata}
    return {**body, "metadata": meta}


class Bench:
    def __init__(self, resource: Resource = DEPLOYMENTS) -> None:
        clock = FakeClock()
        self.transport = ScriptedTransport(self.answer)
        self.versions = itertools.count(10)
        self.refusals: dict[str, list[Response]] = {}
        self.live: dict[str, Any] | None = None
        self.source = ScriptedSource([page(1)])
        decode: Any = decode_revision if resource is CONTROLLERREVISIONS else decode_owned
        self.informer: StreamInformer[Any] = StreamInformer(
            "children", self.source, decode, clock=clock, random=random.Random(1)
        )
        self.writer = ChildWriter(Client(self.transport, clock=clock), self.informer, resource, MANAGER)

    async def answer(self, request: Request) -> Response:
        """A create and an apply store what they say, a JSON patch of managedFields what it says."""
        if self.refusals.get(request.method):
            return self.refusals[request.method].pop(0)
        body = msgspec.json.decode(request.body or b"{}")
        match request.method, request.headers.get("Content-Type"):
            case "GET", _:
                return refusal(404, "NotFound") if self.live is None else ok(self.live)
            case "POST", _:
                entry = {"manager": MANAGER, "operation": "Update", "fieldsV1": {}}
                self.live = stored(body, next(self.versions), managedFields=[entry])
            case "PATCH", "application/json-patch+json":
                assert self.live is not None
                entries = [{"manager": MANAGER, "operation": body[1]["value"], "fieldsV1": {}}]
                self.live = stored(self.live, next(self.versions), managedFields=entries)
            case "PATCH", _:
                assert self.live is not None
                fields = self.live["metadata"].get("managedFields", [])
                self.live = {**self.live, **stored({**self.live, **body}, next(self.versions), managedFields=fields)}
        return ok(self.live)

    async def shows(self, live: dict[str, Any]) -> None:
        """The cache knows the child so."""
        self.live = live
        self.source.say(added(msgspec.json.encode(live)))
        await settle()

    async def has(self, child: Child, **metadata: Any) -> dict[str, Any]:
        """The child exists as the writer would make it, but for ``metadata``."""
        live = stored(self.writer._body(child, OWNER), **metadata)
        await self.shows(live)
        return live

    def kinds(self) -> list[str]:
        return [f"{each.method} {each.headers.get('Content-Type', '')}".strip() for each in self.transport.requests]


POST = "POST application/json"
APPLY = "PATCH application/apply-patch+yaml"
JSON_PATCH = "PATCH application/json-patch+json"
MERGE = "PATCH application/merge-patch+json"


async def test_a_child_that_is_missing_is_posted_with_its_owner_and_shows_at_once() -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        assert await bench.writer.ensure(deployment(labels={"a": "b"}), OWNER) is Outcome.CREATED
        assert bench.kinds() == [POST]
        (body,) = bench.transport.bodies()
        assert (body["apiVersion"], body["kind"]) == ("apps/v1", "Deployment")
        assert body["metadata"]["labels"] == {"a": "b"}
        assert body["metadata"]["ownerReferences"] == [
            {
                "apiVersion": "example.com/v1",
                "kind": "Thing",
                "name": "parent",
                "uid": "owner-uid",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
        assert len(body["metadata"]["annotations"][INTENT_ANNOTATION]) == 16
        assert bench.informer.store.get(KEY) is not None
        assert await bench.writer.ensure(deployment(labels={"a": "b"}), OWNER) is Outcome.UNCHANGED
        assert bench.kinds() == [POST]


async def test_a_child_that_says_what_we_want_costs_no_call_whatever_the_server_added() -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        live = await bench.has(deployment())
        live = stored({**live, "spec": {**SPEC, "strategy": {"type": "RollingUpdate"}}}, 6)
        await bench.shows(live)
        assert await bench.writer.ensure(deployment(), OWNER) is Outcome.UNCHANGED
        assert bench.kinds() == []


async def test_a_change_is_one_apply_bound_to_the_object_as_it_was_seen() -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        await bench.has(deployment())
        assert await bench.writer.ensure(deployment({"replicas": 3}), OWNER) is Outcome.CHANGED
        assert bench.kinds() == [APPLY]
        (body,) = bench.transport.bodies()
        assert (body["metadata"]["uid"], body["metadata"]["resourceVersion"]) == ("child-uid", "5")
        assert body["spec"] == {"replicas": 3}


async def test_a_child_edited_by_hand_is_repaired() -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        live = await bench.has(deployment())
        await bench.shows(stored({**live, "spec": {**SPEC, "replicas": 7}}, 6))
        assert await bench.writer.ensure(deployment(), OWNER) is Outcome.CHANGED
        assert bench.kinds() == [APPLY]


async def test_what_was_posted_is_turned_into_an_applied_object_once_before_its_first_apply() -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        await bench.writer.ensure(deployment(), OWNER)
        await bench.writer.ensure(deployment({"replicas": 3}), OWNER)
        assert bench.kinds() == [POST, JSON_PATCH, APPLY]
        assert bench.transport.bodies()[1] == [
            {"op": "test", "path": "/metadata/resourceVersion", "value": "10"},
            {"op": "replace", "path": "/metadata/managedFields/0/operation", "value": "Apply"},
        ]
        await bench.writer.ensure(deployment({"replicas": 4}), OWNER)
        assert bench.kinds() == [POST, JSON_PATCH, APPLY, APPLY]


@pytest.mark.parametrize("owners", [[], [{"kind": "Thing", "name": "parent", "uid": "older", "controller": True}]])
async def test_a_strangers_object_is_left_alone(owners: list[object]) -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        await bench.has(deployment(), ownerReferences=owners)
        assert await bench.writer.ensure(deployment({"replicas": 3}), OWNER) is Outcome.FOREIGN
        assert bench.kinds() == []


async def test_a_strangers_object_that_the_cache_does_not_show_is_found_out_and_left_alone() -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        bench.live = stored({"metadata": {"name": "child", "namespace": "default"}, "spec": {}})
        bench.refusals["POST"] = [refusal(409, "AlreadyExists")]
        assert await bench.writer.ensure(deployment(), OWNER) is Outcome.FOREIGN
        assert bench.kinds() == [POST, "GET"]


async def test_our_own_child_that_the_cache_does_not_show_yet_is_no_stranger() -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        bench.live = stored(bench.writer._body(deployment(), OWNER))
        bench.refusals["POST"] = [refusal(409, "AlreadyExists")]
        assert await bench.writer.ensure(deployment(), OWNER) is Outcome.UNCHANGED
        assert bench.kinds() == [POST, "GET"]


async def test_the_remains_of_a_child_are_waited_for() -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        await bench.has(deployment(), deletionTimestamp="2026-01-01T00:00:00Z")
        assert await bench.writer.ensure(deployment({"replicas": 3}), OWNER) is Outcome.WAITING
        assert bench.kinds() == []


async def test_a_name_that_is_freed_while_we_look_is_tried_again_later() -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        bench.refusals["POST"] = [refusal(409, "AlreadyExists")]
        assert await bench.writer.ensure(deployment(), OWNER) is Outcome.WAITING


@pytest.mark.parametrize("refused", [refusal(409, "Conflict"), refusal(404, "NotFound")])
async def test_a_child_that_goes_away_under_our_hands_is_waited_for(refused: Response) -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        await bench.has(deployment())
        bench.refusals["PATCH"] = [refused]
        assert await bench.writer.ensure(deployment({"replicas": 3}), OWNER) is Outcome.WAITING


async def test_a_delete_names_the_uid_and_shows_as_terminating_and_not_as_absent() -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        await bench.has(deployment())
        await bench.writer.delete(KEY, "child-uid")
        (request,) = bench.transport.requests
        assert request.method == "DELETE"
        assert bench.transport.bodies()[0]["preconditions"] == {"uid": "child-uid", "resourceVersion": "5"}
        shown = bench.informer.store.get(KEY)
        assert shown is not None
        assert shown.metadata.deletion_timestamp
        assert await bench.writer.ensure(deployment(), OWNER) is Outcome.WAITING


@pytest.mark.parametrize("refused", [refusal(409, "Conflict"), refusal(404, "NotFound")])
async def test_a_delete_of_what_is_gone_or_replaced_is_fine(refused: Response) -> None:
    bench = Bench()
    async with run_informer(bench.informer):
        await bench.has(deployment())
        bench.refusals["DELETE"] = [refused]
        await bench.writer.delete(KEY, "child-uid")
        shown = bench.informer.store.get(KEY)
        assert shown is not None
        assert not shown.metadata.deletion_timestamp


def revision(number: int) -> Child:
    return Child(CONTROLLERREVISIONS, KEY, {"metadata": {}, "data": {"hash": "x"}, "revision": number})


async def test_a_revision_keeps_its_data_and_only_its_number_grows() -> None:
    bench = Bench(CONTROLLERREVISIONS)
    async with run_informer(bench.informer):
        await bench.has(revision(1))
        assert await bench.writer.ensure(revision(1), OWNER) is Outcome.UNCHANGED
        assert await bench.writer.ensure(revision(2), OWNER) is Outcome.CHANGED
        assert bench.kinds() == [MERGE]
        (body,) = bench.transport.bodies()
        assert body["revision"] == 2
        assert body["metadata"]["uid"] == "child-uid"
        assert "data" not in body


async def test_data_are_sent_as_the_server_will_write_them_when_they_are_patched() -> None:
    bench = Bench(CONTROLLERREVISIONS)
    data = {"pod": {"b": 1, "a": [{"d": 2, "c": 3}]}, "command": "a <b >c &d\u2028"}
    child = Child(CONTROLLERREVISIONS, KEY, {"metadata": {}, "data": data, "revision": 1})
    async with run_informer(bench.informer):
        assert await bench.writer.ensure(child, OWNER) is Outcome.CREATED
    (request,) = bench.transport.requests
    written = rb'{"command":"a \u003cb \u003ec \u0026d\u2028","pod":{"a":[{"c":3,"d":2}],"b":1}}'
    assert written in (request.body or b"")
    assert msgspec.json.decode(request.body or b"")["data"] == child.body["data"]


async def test_a_revision_whose_data_were_sent_otherwise_is_made_anew_with_its_number() -> None:
    bench = Bench(CONTROLLERREVISIONS)
    child = Child(CONTROLLERREVISIONS, KEY, {"metadata": {}, "data": {"command": "a>b"}, "revision": 2})
    async with run_informer(bench.informer):
        live = {**stored(bench.writer._body(child, OWNER)), "revision": 1}
        bench.live = live
        bench.source.say(added(msgspec.json.encode(live).replace(b">", rb"\u003e")))
        await settle()
        bench.refusals["PATCH"] = [refusal(422, "Invalid")]
        assert await bench.writer.ensure(child, OWNER) is Outcome.CREATED
    assert [each.method for each in bench.transport.requests] == ["PATCH", "DELETE", "POST"]
    assert bench.transport.bodies()[-1]["revision"] == 2


async def test_a_strangers_revision_is_left_alone_too() -> None:
    bench = Bench(CONTROLLERREVISIONS)
    async with run_informer(bench.informer):
        await bench.has(revision(1), ownerReferences=[])
        assert await bench.writer.ensure(revision(2), OWNER) is Outcome.FOREIGN
        assert bench.kinds() == []
