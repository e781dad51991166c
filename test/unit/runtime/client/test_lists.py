"""Lists come a page at a time."""

import pytest

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import Expired, ProtocolError
from support.loopback import Answer, Loopback, in_turn, says


def page(token: str, *names: str) -> Answer:
    items = [{"metadata": {"name": name}} for name in names]
    return says(200, {"metadata": {"resourceVersion": "7", "continue": token}, "items": items})


async def test_a_list_is_read_page_by_page_and_each_page_only_when_asked_for(client: Client, server: Loopback) -> None:
    server.answer = in_turn(page("t/1=", "a", "b"), page("", "c"))
    pages = client.list_pages(PODS, namespace="team", page_size=2)
    first = await anext(pages)
    assert (len(first.items), len(server.seen)) == (2, 1)
    second = await anext(pages)
    assert second.items == (b'{"metadata": {"name": "c"}}',)
    assert [page async for page in pages] == []
    assert [seen.query for seen in server.seen] == [{"limit": "2"}, {"limit": "2", "continue": "t/1="}]


async def test_who_stops_reading_asks_for_no_further_page(client: Client, server: Loopback) -> None:
    server.answer = in_turn(page("more", "a"))
    pages = client.list_pages(PODS)
    await anext(pages)
    await pages.aclose()  # type: ignore[attr-defined]  # an async generator
    assert len(server.seen) == 1


async def test_a_selection_goes_with_every_page_but_the_version_only_with_the_first(
    client: Client, server: Loopback
) -> None:
    server.answer = in_turn(page("more", "a"), page("", "b"))
    pages = client.list_pages(PODS, label_selector="app in (x,y)", field_selector="a=b", resource_version="0")
    assert len([page async for page in pages]) == 2
    selection = {"labelSelector": "app in (x,y)", "fieldSelector": "a=b", "limit": "500"}
    assert server.seen[0].query == selection | {"resourceVersion": "0"}
    assert server.seen[1].query == selection | {"continue": "more"}
    assert server.seen[1].path == "/api/v1/pods"


async def test_a_token_that_is_too_old_raises_expired(client: Client, server: Loopback) -> None:
    server.answer = in_turn(page("old", "a"), says(410, {"reason": "Expired", "message": "the token is too old"}))
    pages = client.list_pages(PODS)
    await anext(pages)
    with pytest.raises(Expired, match="the token is too old"):
        await anext(pages)


async def test_a_page_that_is_no_list_is_a_protocol_error(client: Client, server: Loopback) -> None:
    server.answer = says(200, b"<html>welcome</html>")
    with pytest.raises(ProtocolError, match="not a list"):
        await anext(client.list_pages(PODS))
