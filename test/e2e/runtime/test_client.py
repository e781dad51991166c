"""The client against the real API server: deadlines as it reads them, and preconditions as it holds them."""

import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import BadRequest, Conflict
from aiop.runtime.client.lane import WriteLane
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import HttpTransport
from aiop.runtime.conditions.status import StatusWriter
from aiop.runtime.kit.clock import SystemClock
from aiop.runtime.views.custom import decode_custom
from support.controlplane import Cluster
from support.rest import Rest
from support.smalloperator import STORMS

pytestmark = pytest.mark.real

_numbers = itertools.count(1)
NAMESPACE = "default"
OTHER = "00000000-0000-0000-0000-000000000000"


class Permits:
    """A permit for so many seconds from now on, each time."""

    def __init__(self, clock: SystemClock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds

    def permit(self, key: ObjectKey) -> float:
        return self._clock.monotonic() + self._seconds


async def connected(cluster: Cluster, seconds: float = 30.0) -> Client:
    clock = SystemClock()
    transport = HttpTransport(await load_connection(str(cluster.kubeconfig)))
    return Client(transport, clock=clock, gate=Permits(clock, seconds), lane=WriteLane(clock))


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[Client]:
    async with await connected(cluster) as made:
        yield made


@pytest.fixture
async def key(client: Client) -> AsyncIterator[ObjectKey]:
    """A ConfigMap, as it was made."""
    name = f"client-{next(_numbers)}"
    await client.create(CONFIGMAPS, NAMESPACE, {"metadata": {"name": name}, "data": {"n": "1"}}, field_manager="me")
    yield ObjectKey(NAMESPACE, name)
    await client.delete(CONFIGMAPS, ObjectKey(NAMESPACE, name))


async def test_the_server_understands_a_deadline_of_less_than_a_second(
    cluster: Cluster, client: Client, key: ObjectKey
) -> None:
    async with await connected(cluster, 0.99) as hurried:
        body = {"data": {"n": "2"}}
        await hurried.patch(CONFIGMAPS, key, body, patch_type=PatchType.MERGE, field_manager="me")
    assert json.loads(await client.get(CONFIGMAPS, key))["data"] == {"n": "2"}
    with pytest.raises(BadRequest, match="timeout"):
        await client.get_path(f"{CONFIGMAPS.path(key.namespace, key.name)}?timeout=900oops")


def _identified(key: ObjectKey, **metadata: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": key.name, **metadata}, "data": {"n": "9"}}


STALE: dict[str, Callable[[Client, ObjectKey], Awaitable[bytes]]] = {
    "delete of another UID": lambda client, key: client.delete(CONFIGMAPS, key, uid=OTHER),
    "delete of an old version": lambda client, key: client.delete(CONFIGMAPS, key, resource_version="1"),
    "apply to another UID": lambda client, key: client.apply(
        CONFIGMAPS, key, _identified(key, uid=OTHER), field_manager="me"
    ),
    "apply to an object that is gone": lambda client, key: client.apply(
        CONFIGMAPS, ObjectKey(key.namespace, "gone"), _identified(ObjectKey("", "gone"), uid=OTHER), field_manager="me"
    ),
    "merge into another UID": lambda client, key: client.patch(
        CONFIGMAPS, key, _identified(key, uid=OTHER), patch_type=PatchType.MERGE, field_manager="me"
    ),
    "merge into an old version": lambda client, key: client.patch(
        CONFIGMAPS, key, _identified(key, resourceVersion="1"), patch_type=PatchType.MERGE, field_manager="me"
    ),
    "replacement of another UID": lambda client, key: client.replace(
        CONFIGMAPS, key, _identified(key, uid=OTHER), field_manager="me"
    ),
    "replacement of an old version": lambda client, key: client.replace(
        CONFIGMAPS, key, _identified(key, resourceVersion="1"), field_manager="me"
    ),
}


@pytest.mark.parametrize("write", STALE)
async def test_a_write_for_an_object_that_is_no_longer_that_one_is_a_conflict(
    client: Client, key: ObjectKey, write: str
) -> None:
    with pytest.raises(Conflict):
        await STALE[write](client, key)
    assert json.loads(await client.get(CONFIGMAPS, key))["data"] == {"n": "1"}


async def test_a_status_is_written_to_no_object_but_the_one_that_was_seen(client: Client, rest: Rest) -> None:
    """Of a custom resource's status the server heeds no UID, so the writer's precondition is the version."""
    key = ObjectKey(NAMESPACE, f"client-{next(_numbers)}")
    body = {"apiVersion": STORMS.api_version, "kind": STORMS.kind, "metadata": {"name": key.name}, "spec": {}}
    seen = decode_custom(await client.create(STORMS, NAMESPACE, body, field_manager="me"))
    await client.delete(STORMS, key)
    await client.create(STORMS, NAMESPACE, body, field_manager="me")
    told = {**body, "metadata": {"name": key.name, "uid": seen.metadata.uid}, "status": {"text": "by its UID"}}
    await client.apply(STORMS, key, told, field_manager="other", subresource="status")
    with pytest.raises(Conflict):
        await StatusWriter(client, STORMS, "me").write(seen.metadata, b"{}", b'{"text":"late"}')
    assert json.loads(await client.get(STORMS, key))["status"] == {"text": "by its UID"}
    await client.delete(STORMS, key)
