"""Each verb, as it comes over the wire."""

import pytest

from aiop import __version__
from aiop.runtime.client.builtin import CONFIGMAPS, DEPLOYMENTS, NODES
from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import AlreadyExists, ApiError, Conflict, Invalid, NotFound
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import HttpTransport
from support.clock import FakeClock
from support.loopback import Loopback, says
from support.writes import KEY, WRITES

OBJECTS = "/api/v1/namespaces/team/configmaps"


async def test_get_reads_one_object_and_gives_its_bytes(client: Client, server: Loopback) -> None:
    server.answer = says(200, b'{"data": {"n":1.0}}')
    assert await client.get(CONFIGMAPS, KEY) == b'{"data": {"n":1.0}}'
    assert (server.last.method, server.last.path, server.last.query) == ("GET", f"{OBJECTS}/a", {})
    assert server.last.headers["Accept"] == "application/json"


async def test_every_request_says_who_asks_and_with_which_token(client: Client, server: Loopback) -> None:
    await client.get(NODES, ObjectKey("", "n"))
    assert server.last.headers["User-Agent"] == f"aiop/{__version__}"
    assert server.last.headers["Authorization"] == "Bearer made-up"


async def test_another_program_asks_under_a_name_of_its_own(server: Loopback, kubeconfig: str) -> None:
    transport = HttpTransport(await load_connection(kubeconfig), user_agent="another/1")
    async with server.running(), Client(transport, clock=FakeClock()) as client:
        await client.get_path("/version")
    assert server.last.headers["User-Agent"] == "another/1"


async def test_a_name_that_looks_like_a_path_stays_one_name(client: Client, server: Loopback) -> None:
    await client.get(CONFIGMAPS, ObjectKey("team", "../secrets/a?b%2F"))
    assert (server.last.path, server.last.query) == (f"{OBJECTS}/..%2Fsecrets%2Fa%3Fb%252F", {})


async def test_a_path_of_the_servers_own_may_carry_a_query(client: Client, server: Loopback) -> None:
    await client.get_path("/readyz?verbose=1")
    assert (server.last.path, server.last.query) == ("/readyz", {"verbose": "1"})


async def test_create_posts_to_the_collection(client: Client, server: Loopback) -> None:
    await client.create(CONFIGMAPS, "team", {"metadata": {"name": "prüfung"}}, field_manager="me")
    assert (server.last.method, server.last.path) == ("POST", OBJECTS)
    assert server.last.query == {"fieldManager": "me", "timeout": "30s"}
    assert server.last.headers["Content-Type"] == "application/json"
    assert server.last.json == {"metadata": {"name": "prüfung"}}


@pytest.mark.parametrize(("force", "said"), [(True, "true"), (False, "false")])
async def test_apply_is_a_patch_of_its_own_type(client: Client, server: Loopback, force: bool, said: str) -> None:
    await client.apply(DEPLOYMENTS, KEY, b'{"spec":{}}', field_manager="me", force=force)
    assert (server.last.method, server.last.path) == ("PATCH", "/apis/apps/v1/namespaces/team/deployments/a")
    assert server.last.query == {"fieldManager": "me", "force": said, "timeout": "30s"}
    assert server.last.headers["Content-Type"] == "application/apply-patch+yaml"
    assert server.last.body == b'{"spec":{}}'


async def test_the_status_is_applied_by_its_subresource(client: Client, server: Loopback) -> None:
    await client.apply(DEPLOYMENTS, KEY, {"status": {}}, field_manager="me/status", subresource="status")
    assert server.last.path == "/apis/apps/v1/namespaces/team/deployments/a/status"
    assert server.last.query["fieldManager"] == "me/status"


@pytest.mark.parametrize(
    ("patch_type", "body"), [(PatchType.JSON, [{"op": "remove", "path": "/a"}]), (PatchType.MERGE, {"a": None})]
)
async def test_a_patch_says_which_kind_it_is(
    client: Client, server: Loopback, patch_type: PatchType, body: object
) -> None:
    await client.patch(CONFIGMAPS, KEY, body, patch_type=patch_type, field_manager="me")
    assert (server.last.method, server.last.path) == ("PATCH", f"{OBJECTS}/a")
    assert server.last.headers["Content-Type"] == patch_type.value
    assert server.last.json == body


async def test_replace_puts_the_whole_object(client: Client, server: Loopback) -> None:
    await client.replace(CONFIGMAPS, KEY, {"metadata": {"resourceVersion": "7"}}, field_manager="me")
    assert (server.last.method, server.last.path) == ("PUT", f"{OBJECTS}/a")
    assert server.last.json == {"metadata": {"resourceVersion": "7"}}


async def test_delete_leaves_out_what_it_was_not_told(client: Client, server: Loopback) -> None:
    await client.delete(CONFIGMAPS, KEY, propagation="Foreground")
    assert server.last.json == {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground"}


async def test_no_grace_at_all_is_said_and_is_not_the_same_as_none_given(client: Client, server: Loopback) -> None:
    await client.delete(CONFIGMAPS, KEY, grace_seconds=0)
    assert server.last.json["gracePeriodSeconds"] == 0


@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (422, "Invalid", Invalid),
    ],
)
async def test_a_refused_write_is_sent_once_and_raises_the_servers_reason(
    client: Client, server: Loopback, verb: str, status: int, reason: str, expected: type[ApiError]
) -> None:
    server.answer = says(status, {"kind": "Status", "code": status, "reason": reason, "message": "no"})
    with pytest.raises(expected, match=f"{status} {reason}: no"):
        await WRITES[verb](client)
    assert len(server.seen) == 1
