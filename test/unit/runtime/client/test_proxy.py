"""By way of a proxy: the kubeconfig's, else the environment's."""

import pytest

from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.transport import HttpTransport
from support.clock import FakeClock
from support.loopback import Loopback

FAR = "http://api.example.org:6443"


async def connected(kubeconfig: str) -> Client:
    return Client(HttpTransport(await load_connection(kubeconfig)), clock=FakeClock())


@pytest.fixture
def proxy(server: Loopback) -> str:
    """The loopback server, as a proxy: it answers for every host."""
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def far(server: Loopback) -> str:
    """A kubeconfig for a server that only the proxy can reach."""
    return server.kubeconfig(server=FAR)


@pytest.fixture
def by_proxy(server: Loopback, proxy: str) -> str:
    proxied = {"server": FAR, "proxy-url": proxy}
    return server.kubeconfig(**proxied)  # type: ignore[arg-type]  # names that are no identifiers


async def test_the_proxy_of_the_kubeconfig_is_asked_for_the_server(by_proxy: str, server: Loopback) -> None:
    async with server.running(), await connected(by_proxy) as client:
        await client.get_path("/version")
    assert server.last.path == f"{FAR}/version"
    assert server.last.headers["Authorization"] == "Bearer made-up"


async def test_the_proxy_of_the_environment_is_asked_where_the_kubeconfig_names_none(
    far: str, proxy: str, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    async with server.running(), await connected(far) as client:
        await client.get_path("/version")
    assert server.last.path == f"{FAR}/version"


async def test_a_server_that_no_proxy_names_is_reached_directly(
    kubeconfig: str, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    async with server.running(), await connected(kubeconfig) as client:
        await client.get_path("/version")
    assert server.last.path == "/version"


async def test_a_proxy_for_another_scheme_is_none_of_ours(
    kubeconfig: str, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with server.running(), await connected(kubeconfig) as client:
        await client.get_path("/version")
    assert server.last.path == "/version"
