"""Whom we trust, and who we are by certificate."""

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import web

from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import ConfigurationFailed, ConnectionFailed, Unauthorized
from aiop.runtime.client.transport import HttpTransport
from support.certificates import Authority, Pair, client_name
from support.clock import FakeClock
from support.execplugin import ExecPlugin
from support.loopback import Answer, Loopback


async def connected(kubeconfig: str) -> Client:
    return Client(HttpTransport(await load_connection(kubeconfig)), clock=FakeClock())


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def only(name: str) -> Answer:
    """Knows the client whose certificate has this name."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=200 if client_name(request) == name else 401)

    return answer


def secured(server: Loopback, cluster: Mapping[str, object], user: Mapping[str, object] | None = None) -> str:
    return server.kubeconfig(scheme="https", user=user, **cluster)


def shown(pair: Pair) -> dict[str, str]:
    return {"clientCertificateData": pair.certificate, "clientKeyData": pair.key}


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def trusting(server: Loopback, authority: Authority) -> str:
    return secured(server, {"certificate-authority-data": encoded(authority.pem)})


@pytest.fixture
def trusting_a_name(server: Loopback, authority: Authority) -> str:
    data = encoded(authority.pem)
    return secured(server, {"certificate-authority-data": data, "tls-server-name": "api.example.org"})


@pytest.fixture
def careless(server: Loopback) -> str:
    return secured(server, {"insecure-skip-tls-verify": True})


@pytest.fixture
def with_certificate(server: Loopback, authority: Authority) -> str:
    pair = authority.client("alice")
    user = {"client-certificate-data": encoded(pair.certificate), "client-key-data": encoded(pair.key)}
    return secured(server, {"certificate-authority-data": encoded(authority.pem)}, user)


@pytest.fixture
def with_broken_certificate(server: Loopback, authority: Authority) -> str:
    user = {"client-certificate-data": encoded("no certificate"), "client-key-data": encoded("no key")}
    return secured(server, {"certificate-authority-data": encoded(authority.pem)}, user)


@pytest.fixture
def with_plugin(tmp_path: Path, server: Loopback, authority: Authority) -> str:
    plugin = ExecPlugin(tmp_path, *(shown(authority.client(name)) for name in ("old", "new")))
    return secured(server, {"certificate-authority-data": encoded(authority.pem)}, plugin.user)


async def test_a_server_that_our_authority_vouches_for_is_trusted(
    trusting: str, server: Loopback, authority: Authority
) -> None:
    async with server.running(authority.server()), await connected(trusting) as client:
        assert await client.get_path("/version") == b"{}"


async def test_a_server_of_another_name_gets_no_request(trusting: str, server: Loopback, authority: Authority) -> None:
    async with server.running(authority.server("api.example.org")), await connected(trusting) as client:
        with pytest.raises(ConnectionFailed, match=r"(?i)certificate"):
            await client.get_path("/version")
    assert server.seen == []


async def test_the_name_that_the_kubeconfig_gives_is_the_one_that_counts(
    trusting_a_name: str, server: Loopback, authority: Authority
) -> None:
    async with server.running(authority.server("api.example.org")), await connected(trusting_a_name) as client:
        assert await client.get_path("/version") == b"{}"


async def test_only_who_asks_for_it_trusts_everybody(careless: str, server: Loopback, authority: Authority) -> None:
    async with server.running(authority.server()), await connected(careless) as client:
        assert await client.get_path("/version") == b"{}"


async def test_a_client_certificate_says_who_we_are(
    with_certificate: str, server: Loopback, authority: Authority
) -> None:
    server.answer = only("alice")
    async with server.running(authority.server(ask_clients=True)), await connected(with_certificate) as client:
        assert await client.get_path("/version") == b"{}"
    assert "Authorization" not in server.last.headers


async def test_a_client_certificate_that_is_none_is_told_before_anything_is_sent(with_broken_certificate: str) -> None:
    with pytest.raises(ConfigurationFailed, match="cannot use the certificates"):
        await load_connection(with_broken_certificate)


async def test_a_plugins_new_certificate_is_used_after_a_401(
    with_plugin: str, server: Loopback, authority: Authority
) -> None:
    server.answer = only("new")
    async with server.running(authority.server(ask_clients=True)), await connected(with_plugin) as client:
        assert await client.get_path("/version") == b"{}"
        assert await client.get_path("/version") == b"{}"
    assert len(server.seen) == 3


async def test_a_certificate_that_nobody_renews_stays_unauthorized(
    with_certificate: str, server: Loopback, authority: Authority
) -> None:
    server.answer = only("bob")
    async with server.running(authority.server(ask_clients=True)), await connected(with_certificate) as client:
        with pytest.raises(Unauthorized):
            await client.get_path("/version")
    assert len(server.seen) == 2
