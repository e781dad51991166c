"""A request reaches what it names, at the server that it names, or nothing at all."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from aiop.runtime.client.builtin import CONFIGMAPS, PODS
from aiop.runtime.client.client import Client, PatchType
from aiop.runtime.client.errors import InvalidName, ProtocolError
from aiop.runtime.client.resource import ObjectKey
from support.loopback import Answer, Loopback
from support.writes import KEY, WRITES


async def _list(client: Client) -> object:
    return await anext(client.list_pages(PODS))


async def _watch(client: Client) -> object:
    return await anext(client.watch(PODS, resource_version="7", timeout_seconds=300))


VERBS: dict[str, Callable[[Client], Awaitable[object]]] = {
    **WRITES,
    "get": lambda client: client.get(CONFIGMAPS, KEY),
    "get_path": lambda client: client.get_path("/version"),
    "list": _list,
    "watch": _watch,
}

NAMED: dict[str, Callable[[Client, ObjectKey], Awaitable[object]]] = {
    "get": lambda client, key: client.get(PODS, key),
    "apply": lambda client, key: client.apply(PODS, key, {}, field_manager="me"),
    "patch": lambda client, key: client.patch(PODS, key, {}, patch_type=PatchType.MERGE, field_manager="me"),
    "replace": lambda client, key: client.replace(PODS, key, {}, field_manager="me"),
    "delete": lambda client, key: client.delete(PODS, key),
}


def leads(status: int, location: str) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": location})

    return answer


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("verb", VERBS)
async def test_a_redirect_is_an_error_that_names_the_other_host_and_is_never_followed(
    client: Client, server: Loopback, verb: str, status: int
) -> None:
    server.answer = leads(status, f"http://user:pass@localhost:{server.port}/elsewhere?token=private")
    with pytest.raises(ProtocolError, match=rf": {status}, a redirect to the host 'localhost'") as caught:
        await VERBS[verb](client)
    assert len(server.seen) == 1
    assert not any(word in str(caught.value) for word in ("private", "elsewhere", "pass"))


@pytest.mark.parametrize("location", ["/elsewhere", "", "http://[no-url"])
async def test_a_redirect_to_nowhere_in_particular_is_an_error_too(
    client: Client, server: Loopback, location: str
) -> None:
    server.answer = leads(302, location)
    with pytest.raises(ProtocolError, match="302, a redirect; name the API server's own URL"):
        await client.get(CONFIGMAPS, KEY)
    assert len(server.seen) == 1


@pytest.mark.parametrize("name", ["", ".", ".."])
@pytest.mark.parametrize("verb", NAMED)
async def test_a_name_that_would_lead_a_request_to_a_collection_is_refused_before_anything_is_sent(
    client: Client, server: Loopback, verb: str, name: str
) -> None:
    with pytest.raises(InvalidName, match=f"name '{name}'"):
        await NAMED[verb](client, ObjectKey("team", name))
    assert server.seen == []


@pytest.mark.parametrize("namespace", [".", ".."])
async def test_a_namespace_that_would_lead_a_request_elsewhere_is_refused_before_anything_is_sent(
    client: Client, server: Loopback, namespace: str
) -> None:
    requests: list[Awaitable[object]] = [
        client.create(PODS, namespace, {}, field_manager="me"),
        anext(client.list_pages(PODS, namespace=namespace)),
        anext(client.watch(PODS, namespace=namespace, resource_version="7", timeout_seconds=1)),
        *(verb(client, ObjectKey(namespace, "a")) for verb in NAMED.values()),
    ]
    for request in requests:
        with pytest.raises(InvalidName, match=f"namespace '{namespace}'"):
            await request
    assert server.seen == []


@pytest.mark.parametrize(("name", "segment"), [("a..b", "a..b"), ("...", "..."), ("../a", "..%2Fa"), ("%2e", "%252e")])
async def test_any_other_name_arrives_as_one_segment(client: Client, server: Loopback, name: str, segment: str) -> None:
    await client.delete(PODS, ObjectKey("team", name))
    assert server.last.path == f"/api/v1/namespaces/team/pods/{segment}"
