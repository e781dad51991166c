"""Which kubeconfig is read, and what is said of one that is no good."""

import json
from pathlib import Path

import pytest

from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import ConfigurationFailed
from support.loopback import Loopback

DANGLING = '{"current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "b"}}], "clusters": []}'


def two_contexts(path: Path) -> str:
    content = {
        "current-context": "first",
        "contexts": [{"name": name, "context": {"cluster": name}} for name in ("first", "second")],
        "clusters": [{"name": name, "cluster": {"server": f"http://{name}:1/"}} for name in ("first", "second")],
    }
    path.write_text(json.dumps(content))
    return str(path)


@pytest.fixture
def contexts(tmp_path: Path) -> str:
    return two_contexts(tmp_path / "two")


@pytest.fixture(
    params=[
        ("the file is not there", None),
        ("no YAML", "{unclosed: ["),
        ("not even a mapping", "just words"),
        ("no context", '{"clusters": []}'),
        (
            "a cluster that is not there",
            '{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"b"}}],"clusters":[]}',
        ),
    ],
    ids=lambda param: param[0],
)
def spoilt(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = tmp_path / "spoilt"
    if request.param[1] is not None:
        path.write_text(request.param[1])
    return str(path)


@pytest.fixture
def in_environment(contexts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", contexts)


@pytest.fixture
def with_a_missing_plugin(server: Loopback) -> str:
    return server.kubeconfig(user={"exec": {"apiVersion": "v1", "command": "/nonexistent/plugin"}})


async def host_of(kubeconfig: str | None, context: str | None = None) -> str:
    connection = await load_connection(kubeconfig, context)
    await connection.aclose()
    return connection.host


async def test_the_current_context_is_taken_unless_another_is_named(contexts: str) -> None:
    assert await host_of(contexts) == "http://first:1"
    assert await host_of(contexts, "second") == "http://second:1"


@pytest.mark.usefixtures("in_environment")
async def test_without_a_kubeconfig_the_environment_names_it() -> None:
    assert await host_of(None) == "http://first:1"
    assert await host_of(None, "second") == "http://second:1"


async def test_a_kubeconfig_that_is_no_good_is_named_with_its_fault(spoilt: str) -> None:
    with pytest.raises(ConfigurationFailed, match=f"cannot find the API server by {spoilt}: ."):
        await load_connection(spoilt)


async def test_a_context_that_is_not_there_is_named(contexts: str) -> None:
    with pytest.raises(ConfigurationFailed, match="third"):
        await load_connection(contexts, "third")


async def test_a_plugin_that_is_not_installed_is_named(with_a_missing_plugin: str) -> None:
    with pytest.raises(ConfigurationFailed, match="/nonexistent/plugin"):
        await load_connection(with_a_missing_plugin)
