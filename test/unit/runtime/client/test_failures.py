"""Whatever the network does becomes an error of ours, and nothing is left behind."""

import pytest

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import ConnectionFailed
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.client.transport import HttpTransport
from support.clock import FakeClock
from support.loopback import Loopback, breaks_off, says

KEY = ObjectKey("team", "a")


async def test_no_error_shows_a_body_a_query_or_a_header(client: Client, server: Loopback) -> None:
    server.answer = breaks_off()
    with pytest.raises(ConnectionFailed) as caught:
        await client.create(PODS, "team", {"data": "private"}, field_manager="manager-name")
    assert "POST /api/v1/namespaces/team/pods" in str(caught.value)
    assert not any(word in str(caught.value) for word in ("private", "made-up", "manager-name"))


async def test_every_answer_is_counted_with_method_host_and_status(server: Loopback, kubeconfig: str) -> None:
    counted: list[tuple[str, str, int]] = []
    transport = HttpTransport(await load_connection(kubeconfig), observe=lambda *what: counted.append(what))
    async with server.running(), Client(transport, clock=FakeClock()) as client:
        await client.get_path("/version")
        server.answer = says(500, b"")
        with pytest.raises(Exception, match="500"):
            await client.create(PODS, "team", {}, field_manager="me")
    host = f"http://127.0.0.1:{server.port}"
    assert counted == [("GET", host, 200), ("POST", host, 500)]
