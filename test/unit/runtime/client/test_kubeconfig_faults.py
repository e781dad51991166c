"""Each way in which a kubeconfig can be no good is told with the place of the fault and its fix, in one line."""

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import ConfigurationFailed

GOOD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "dev",
    "contexts": [{"name": "dev", "context": {"cluster": "home", "user": "me"}}],
    "clusters": [{"name": "home", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "me", "user": {"token": "made-up"}}],
}

TEXTS = {
    "": "the file is empty",
    "# only a comment\n": "the file is empty",
    "just words": "the file is no kubeconfig: it holds no clusters, users and contexts",
    "[1, 2]": "the file is no kubeconfig: it holds no clusters, users and contexts",
    "{": "the file is no YAML: line 1, column 2: expected the node content, but found '<stream end>'",
    "a: [\n\n": "the file is no YAML: line 3, column 1: ",
    "\0\1": "the file is no YAML: it has the character '\\x00'",
}


def changed(*path: str, value: object) -> dict[str, Any]:
    """The good one with another value at that place; None takes it away."""
    config = copy.deepcopy(GOOD)
    place: Any = config
    for each in path[:-1]:
        place = place[0] if each == "0" else place[each]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return config


def user(**value: object) -> dict[str, Any]:
    return changed("users", "0", "user", value=value)


def cluster(**value: object) -> dict[str, Any]:
    return changed("clusters", "0", "cluster", value={**GOOD["clusters"][0]["cluster"], **value})


def plugin(command: str, **more: object) -> dict[str, Any]:
    spec = {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "interactiveMode": "Never", **more}
    return user(exec=spec)


CONFIGS: dict[str, tuple[dict[str, Any], str]] = {
    "no current context": (
        changed("current-context", value=None),
        "it has no current-context; name one of its contexts: dev",
    ),
    "an empty current context": (
        changed("current-context", value=""),
        "it has no current-context; name one of its contexts: dev",
    ),
    "no contexts": (changed("contexts", value=[]), "it has no context 'dev'; it has none at all"),
    "contexts that are no list": (changed("contexts", value={"a": 1}), "contexts is no list"),
    "an entry that is none": (changed("contexts", value=["dev"]), "contexts has an entry without a name"),
    "a context without its content": (
        changed("contexts", "0", "context", value=None),
        "the context 'dev' says nothing: give it a cluster and a user",
    ),
    "a cluster that is not there": (
        changed("clusters", value=[]),
        "the context 'dev' names the cluster 'home', which the file does not have",
    ),
    "a user that is not there": (
        changed("users", value=[]),
        "the context 'dev' names the user 'me', which the file does not have",
    ),
    "no server": (
        changed("clusters", "0", "cluster", "server", value=None),
        "the cluster 'home' has no server; give the API server's URL, like https://10.0.0.1:6443",
    ),
    "a server that is no URL": (
        cluster(server="nonsense"),
        "the cluster 'home' has the server 'nonsense'; give a whole URL, like https://10.0.0.1:6443",
    ),
    "a certificate that is not there": (
        cluster(**{"certificate-authority": "/nonexistent/ca.crt"}),
        "the cluster 'home' names /nonexistent/ca.crt as its certificate-authority, and there is no such file",
    ),
    "a key that is not there": (
        user(**{"client-certificate": "/dev/null", "client-key": "/nonexistent/key"}),
        "the user 'me' names /nonexistent/key as its client-key, and there is no such file",
    ),
    "a token file that is not there": (
        user(tokenFile="/nonexistent/token"),
        "the user 'me' names /nonexistent/token as its tokenFile, and there is no such file",
    ),
    "certificates that are not base64": (
        cluster(**{"certificate-authority-data": "abc"}),
        "the certificate-authority-data of the cluster 'home' is no base64",
    ),
    "a plugin that is not installed": (
        plugin("nosuchplugin"),
        "the user 'me' gets credentials from the program 'nosuchplugin', which is not installed or not on the PATH",
    ),
    "a plugin that fails": (
        plugin("sh", args=["-c", "echo no session >&2; exit 3"]),
        "the user 'me' gets credentials from the program 'sh', which failed: exec: process returned 3. no session",
    ),
    "a plugin with a hint": (
        plugin("nosuchplugin", installHint="get it from\nthe portal"),
        "not on the PATH: get it from the portal",
    ),
}


@pytest.mark.parametrize("text", TEXTS)
async def test_a_file_that_is_no_kubeconfig_is_told_as_what_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    assert TEXTS[text] in await fault(str(path))


@pytest.mark.parametrize("name", CONFIGS)
async def test_a_kubeconfig_with_a_fault_is_told_with_its_place_and_the_fix(tmp_path: Path, name: str) -> None:
    config, told = CONFIGS[name]
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    assert told in await fault(str(path))


async def test_a_file_that_is_not_there_or_cannot_be_read_is_told_so(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert f"by {missing}: there is no such file" in await fault(str(missing))
    assert f"by {tmp_path}: it is a folder" in await fault(str(tmp_path))


async def test_a_file_that_may_not_be_read_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config"
    path.write_text(json.dumps(GOOD))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", refuse)  # root may read everything
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert f"by {path}: the file cannot be read: Permission denied" in await fault(str(path))


async def test_bytes_that_are_no_text_are_told_so(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"\xff\xfe\xff binary")
    assert "the file is no text in UTF-8" in await fault(str(path))


async def test_what_the_environment_names_is_told_with_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    monkeypatch.setenv("KUBECONFIG", f"{first}{os.pathsep}{second}")
    assert f"by $KUBECONFIG ({first}{os.pathsep}{second}): there is no such file" in await fault(None)
    monkeypatch.setenv("KUBECONFIG", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "by ~/.kube/config ($KUBECONFIG is not set): there is no such file" in await fault(None)


async def test_of_several_files_the_one_at_fault_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text(json.dumps(GOOD))
    bad.write_text("{")
    monkeypatch.setenv("KUBECONFIG", f"{good}{os.pathsep}{tmp_path / 'missing'}{os.pathsep}{bad}")
    assert f"{bad}: the file is no YAML" in await fault(None)


async def test_of_several_files_what_one_lacks_another_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {"contexts": ("current-context", "contexts"), "rest": ("clusters", "users")}
    paths = [tmp_path / name for name in parts]
    for path, keys in zip(paths, parts.values(), strict=True):
        path.write_text(json.dumps({key: GOOD[key] for key in keys}))
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, paths)))
    connection = await load_connection()
    await connection.aclose()
    assert "it has no context 'other'; it has: dev" in await fault(None, "other")


async def test_a_file_beside_the_kubeconfig_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config"
    path.write_text(json.dumps(cluster(**{"certificate-authority": "ca.crt"})))
    monkeypatch.chdir("/")
    assert f"names {tmp_path / 'ca.crt'} as its certificate-authority" in await fault(str(path))
    (tmp_path / "ca.crt").write_text("")
    assert "there is no such file" not in await fault(str(path))


async def test_the_library_adds_no_line_of_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], without_log_handlers: Callable[[], None]
) -> None:
    without_log_handlers()
    await fault(str(tmp_path / "missing"))
    assert capfd.readouterr().err == ""


@pytest.fixture
def without_log_handlers(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """As in a program that set up no logging; to be called once pytest has put its own handlers in."""
    import logging  # noqa: PLC0415

    return lambda: monkeypatch.setattr(logging.getLogger(), "handlers", [])


async def fault(kubeconfig: str | None, context: str | None = None) -> str:
    with pytest.raises(ConfigurationFailed) as caught:
        await load_connection(kubeconfig, context)
    told = str(caught.value)
    assert told.startswith("cannot ")
    assert "\n" not in told
    return told
