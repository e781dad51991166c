"""In a pod: the ServiceAccount's token and certificate authority, and the token's rotation."""

import asyncio
import itertools
from pathlib import Path

import pytest
from aiohttp import web

from aiop.runtime.client import connection as connection_module
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import ConfigurationFailed
from aiop.runtime.client.transport import HttpTransport
from support.certificates import Authority
from support.clock import FakeClock
from support.loopback import Answer, Loopback


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def token(tmp_path: Path, server: Loopback, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pod's environment and files; gives the token's file."""
    path = tmp_path / "token"
    path.write_text("first")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
    monkeypatch.setattr(connection_module, "SERVICE_TOKEN_FILENAME", str(path))
    monkeypatch.setattr(connection_module, "SERVICE_CERT_FILENAME", authority.write(tmp_path / "ca.crt"))
    return path


async def connected() -> Client:
    return Client(HttpTransport(await load_connection()), clock=FakeClock())


async def rotate(token: Path, content: str | None) -> None:
    """What the kubelet does to the file; None takes it away."""
    await asyncio.to_thread(token.unlink if content is None else lambda: token.write_text(content))


def bearers(server: Loopback) -> list[str]:
    return [seen.headers.get("Authorization", "") for seen in server.seen]


def refuses_the_first() -> Answer:
    turn = itertools.count()

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=200 if next(turn) else 401)

    return answer


async def test_a_pod_is_its_service_account_and_trusts_the_clusters_authority(
    token: Path, server: Loopback, authority: Authority
) -> None:
    async with server.running(authority.server()), await connected() as client:
        await client.get_path("/version")
    assert bearers(server) == ["Bearer first"]


async def test_a_rotated_token_is_taken_up_when_the_file_is_due(
    token: Path, server: Loopback, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server.running(authority.server()), await connected() as client:
        await rotate(token, "second")
        await client.get_path("/version")
        monkeypatch.setattr(connection_module, "_TOKEN_READ_SECONDS", 0.0)
        await client.get_path("/version")
    assert bearers(server) == ["Bearer first", "Bearer second"]


async def test_a_401_takes_up_a_rotated_token_at_once(token: Path, server: Loopback, authority: Authority) -> None:
    server.answer = refuses_the_first()
    async with server.running(authority.server()), await connected() as client:
        await rotate(token, "second")
        await client.get_path("/version")
    assert bearers(server) == ["Bearer first", "Bearer second"]


async def test_a_token_that_cannot_be_read_for_a_moment_is_used_on(
    token: Path, server: Loopback, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_TOKEN_READ_SECONDS", 0.0)
    async with server.running(authority.server()), await connected() as client:
        await rotate(token, None)
        await client.get_path("/version")
        await rotate(token, "third")
        await client.get_path("/version")
    assert bearers(server) == ["Bearer first", "Bearer third"]


async def test_a_token_that_is_refused_and_cannot_be_read_is_an_error_of_ours(
    token: Path, server: Loopback, authority: Authority
) -> None:
    server.answer = refuses_the_first()
    async with server.running(authority.server()), await connected() as client:
        await rotate(token, None)
        with pytest.raises(ConfigurationFailed, match=r"by the pod's ServiceAccount: .*token file"):
            await client.get_path("/version")


async def test_a_pod_without_a_token_says_so(token: Path) -> None:
    await rotate(token, None)
    with pytest.raises(ConfigurationFailed, match=r"by the pod's ServiceAccount: .*token file"):
        await load_connection()


async def test_a_kubeconfig_that_is_named_wins_over_the_pods_own(
    token: Path, kubeconfig: str, server: Loopback
) -> None:
    connection = await load_connection(kubeconfig)
    assert await connection.authorization() == {"Authorization": "Bearer made-up"}
    assert connection.host == f"http://127.0.0.1:{server.port}"
    await connection.aclose()
