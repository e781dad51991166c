from datetime import UTC, datetime

import msgspec
import pytest

from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import Conflict
from aiop.runtime.client.resource import Resource
from aiop.runtime.client.transport import Request, Response
from aiop.runtime.conditions.condition import condition
from aiop.runtime.conditions.status import StatusWriter
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta
from support.clock import FakeClock
from support.transport import ScriptedTransport, refusal

WIDGETS = Resource("example.com", "v1", "Widget", "widgets")
PLANETS = Resource("example.com", "v1", "Planet", "planets", namespaced=False)
META = ObjectMeta(name="one", namespace="default", uid="u1", resource_version="7")


def writer(transport: ScriptedTransport, resource: Resource = WIDGETS) -> StatusWriter:
    return StatusWriter(Client(transport, clock=FakeClock()), resource, "aiop/widgets")


async def test_a_changed_status_is_one_forced_apply_bound_to_the_object_as_it_was_seen() -> None:
    transport = ScriptedTransport()
    data = await writer(transport).write(META, b'{"replicas":1}', b'{"replicas":2}')
    (request,) = transport.requests
    assert (request.method, request.path) == ("PATCH", "/apis/example.com/v1/namespaces/default/widgets/one/status")
    assert {("fieldManager", "aiop/widgets"), ("force", "true")} <= set(request.query)
    assert transport.bodies() == [
        {
            "apiVersion": "example.com/v1",
            "kind": "Widget",
            "metadata": {"name": "one", "namespace": "default", "uid": "u1", "resourceVersion": "7"},
            "status": {"replicas": 2},
        }
    ]
    assert data == request.body


async def test_a_first_status_is_written_and_a_cluster_scoped_object_has_no_namespace() -> None:
    transport = ScriptedTransport()
    await writer(transport, PLANETS).write(
        ObjectMeta(name="mars", uid="u1", resource_version="7"), b"{}", b'{"moons":2}'
    )
    (body,) = transport.bodies()
    assert body["metadata"] == {"name": "mars", "uid": "u1", "resourceVersion": "7"}
    assert transport.lines() == ["PATCH /apis/example.com/v1/planets/mars/status"]


async def test_another_object_of_that_name_is_left_alone() -> None:
    async def conflict(_request: Request) -> Response:
        return refusal(409, "Conflict")

    with pytest.raises(Conflict):
        await writer(ScriptedTransport(conflict)).write(META, b"{}", b'{"a":1}')


def widget(status: bytes = b"{}") -> CustomObject:
    return CustomObject(ObjectMeta(name="one", namespace="default", uid="u1", generation=7), status=status)


async def test_a_status_of_conditions_alone_is_merged_written_and_told_once() -> None:
    transport, told = ScriptedTransport(), list[bytes]()
    conditions = StatusWriter(Client(transport, clock=FakeClock()), WIDGETS, "aiop/widgets", written=told.append)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert await conditions.write_conditions(widget(), [condition("Ready", True, "Fine")], noon)
    (body,) = transport.bodies()
    (ready,) = body["status"]["conditions"]
    assert (ready["observedGeneration"], ready["lastTransitionTime"]) == (7, "2026-01-01T12:00:00Z")
    assert [msgspec.json.decode(each) for each in told] == [body]
    live = widget(msgspec.json.encode(body["status"]))
    assert not await conditions.write_conditions(live, [condition("Ready", True, "Fine")], noon.replace(hour=13))
    assert len(transport.requests) == len(told) == 1
