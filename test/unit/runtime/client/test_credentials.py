"""Who we are, by every way of a kubeconfig that carries a token, and how it is renewed."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from aiop.runtime.client.builtin import PODS
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import ConfigurationFailed, Unauthorized
from aiop.runtime.client.transport import HttpTransport
from support.clock import FakeClock
from support.execplugin import ExecPlugin
from support.loopback import Answer, Loopback, streams


async def connected(kubeconfig: str) -> Client:
    return Client(HttpTransport(await load_connection(kubeconfig)), clock=FakeClock())


def only(token: str) -> Answer:
    """Knows the bearer of this token and nobody else."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {token}":
            return web.json_response({"reason": "Unauthorized", "code": 401}, status=401)
        return await streams()(request) if "watch" in request.query else web.json_response({})

    return answer


def bearers(server: Loopback) -> list[str]:
    return [seen.headers.get("Authorization", "").removeprefix("Bearer ") for seen in server.seen]


@pytest.fixture
def token_file(tmp_path: Path, server: Loopback) -> Path:
    """A token file written by hand, with a line end; the kubeconfig names it."""
    path = tmp_path / "token"
    path.write_text("from-file\n")
    server.kubeconfig(user={"tokenFile": str(path)})
    return path


@pytest.fixture
def renewing(tmp_path: Path, server: Loopback) -> ExecPlugin:
    """A plugin whose first token is old and whose later tokens are good."""
    plugin = ExecPlugin(tmp_path, {"token": "old"}, {"token": "new"})
    server.kubeconfig(user=plugin.user)
    server.answer = only("new")
    return plugin


@pytest.fixture
def failing(tmp_path: Path, server: Loopback) -> ExecPlugin:
    """A plugin that has a token that is not good, once, and then none."""
    plugin = ExecPlugin(tmp_path, {"token": "old"}, None)
    server.kubeconfig(user=plugin.user)
    server.answer = only("new")
    return plugin


@pytest.fixture
def basic(server: Loopback) -> str:
    return server.kubeconfig(user={"username": "me", "password": "secret"})


async def test_a_token_file_is_read_without_the_line_end_of_its_author(
    token_file: Path, tmp_path: Path, server: Loopback
) -> None:
    async with server.running(), await connected(str(tmp_path / "kubeconfig")) as client:
        await client.get_path("/version")
    assert bearers(server) == ["from-file"]


async def test_a_user_name_and_a_password_are_sent_as_basic_authentication(basic: str, server: Loopback) -> None:
    async with server.running(), await connected(basic) as client:
        await client.get_path("/version")
    assert server.last.headers["Authorization"] == "Basic bWU6c2VjcmV0"


async def test_a_401_asks_the_plugin_again_and_the_request_once_more(
    renewing: ExecPlugin, tmp_path: Path, server: Loopback
) -> None:
    async with server.running(), await connected(str(tmp_path / "kubeconfig")) as client:
        await client.create(PODS, "team", {"metadata": {"name": "a"}}, field_manager="me")
        await client.get_path("/version")
    assert bearers(server) == ["old", "new", "new"]
    assert server.seen[0].body == server.seen[1].body
    assert await renewing.runs() == 2


async def test_many_that_are_refused_at_once_ask_the_plugin_once(
    renewing: ExecPlugin, tmp_path: Path, server: Loopback
) -> None:
    async with server.running(), await connected(str(tmp_path / "kubeconfig")) as client:
        await asyncio.gather(*(client.get_path("/version") for _ in range(5)))
    assert await renewing.runs() == 2


async def test_who_is_refused_with_new_credentials_too_is_unauthorized(
    renewing: ExecPlugin, tmp_path: Path, server: Loopback
) -> None:
    server.answer = only("another")
    async with server.running(), await connected(str(tmp_path / "kubeconfig")) as client:
        with pytest.raises(Unauthorized):
            await client.get_path("/version")
        with pytest.raises(Unauthorized):
            await anext(client.watch(PODS, resource_version="7", timeout_seconds=300))
    assert bearers(server) == ["old", "new", "new", "new"]


async def test_a_plugin_that_fails_later_is_an_error_of_ours_with_its_words(
    failing: ExecPlugin, tmp_path: Path, server: Loopback
) -> None:
    async with server.running(), await connected(str(tmp_path / "kubeconfig")) as client:
        with pytest.raises(ConfigurationFailed, match="the plugin has no credentials"):
            await client.get_path("/version")
        with pytest.raises(ConfigurationFailed, match="the plugin has no credentials"):
            await anext(client.watch(PODS, resource_version="7", timeout_seconds=300))
    assert await failing.runs() == 3
