"""Fixtures: an API server on loopback that says what a test wants, and a client of it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.transport import HttpTransport
from support.clock import FakeClock
from support.loopback import Loopback, loopback


@pytest.fixture(autouse=True)
def no_proxy_and_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's environment says must not lead these tests astray."""
    names = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "KUBECONFIG", "KUBERNETES_SERVICE_HOST")
    for name in names:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Loopback]:
    with loopback(tmp_path) as made:
        yield made


@pytest.fixture
def kubeconfig(server: Loopback) -> str:
    return server.kubeconfig()


@pytest.fixture
async def transport(server: Loopback, kubeconfig: str) -> AsyncIterator[HttpTransport]:
    """A transport whose server runs."""
    async with server.running():
        made = HttpTransport(await load_connection(kubeconfig))
        yield made
        await made.aclose()


@pytest.fixture
def client(transport: HttpTransport) -> Client:
    return Client(transport, clock=FakeClock())
