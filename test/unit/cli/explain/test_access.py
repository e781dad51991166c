"""`aiop explain` where the API server cannot be reached: one line that names file, context and address, and the fix."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support.certificates import Authority
from support.explaining import Said, say
from support.loopback import Loopback, loopback, says


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Loopback]:
    with loopback(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(autouse=True)
def no_log_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a person calls it: Python itself prints what a library warns of, if nobody else does."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])


def refused(*arguments: str) -> str:
    """The one line of an explanation that is not to be had."""
    said = say("aiw/a", *arguments)
    return the_line(said)


def the_line(said: Said) -> str:
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1), said
    assert said.err.startswith("aiop explain: ")
    return said.err


@asynccontextmanager
async def unauthorized(server: Loopback) -> AsyncIterator[None]:
    server.answer = says(401, {"kind": "Status", "code": 401, "reason": "Unauthorized", "message": "Unauthorized"})
    async with server.running():
        yield


def test_a_kubeconfig_that_is_not_there_is_named() -> None:
    line = refused("--kubeconfig", "/nonexistent")
    assert "cannot find the API server by /nonexistent: there is no such file" in line
    assert "see --kubeconfig and --context" in line


def test_bytes_that_are_no_text_end_in_a_line_too(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"\xff\xfe\xff")
    assert f"by {path}: the file is no text in UTF-8" in refused("--kubeconfig", str(path))


def test_a_context_that_is_not_there_is_told_with_those_that_are(server: Loopback) -> None:
    assert "it has no context 'nope'; it has: test" in refused("--kubeconfig", server.kubeconfig(), "--context", "nope")


def test_a_server_that_refuses_the_connection_is_named_with_its_address(server: Loopback) -> None:
    # Bound, and nobody listens.
    line = refused("--kubeconfig", server.kubeconfig())
    assert f"nothing listens at http://127.0.0.1:{server.port}, the API server of the context 'test'" in line
    assert "start it, or see --kubeconfig and --context" in line


def test_a_host_that_nobody_knows_is_named(server: Loopback) -> None:
    path = server.kubeconfig(server="https://nosuchhost.invalid:6443")
    line = refused("--kubeconfig", path)
    assert "the host of https://nosuchhost.invalid:6443, the API server of the context 'test', is not known" in line


async def test_a_certificate_that_is_not_trusted_is_told_with_what_to_set(
    server: Loopback, authority: Authority
) -> None:
    path = server.kubeconfig(scheme="https")
    async with server.running(authority.server()):
        line = the_line(await asyncio.to_thread(say, "aiw/a", "--kubeconfig", path))
    where = f"https://127.0.0.1:{server.port}, the API server of the context 'test'"
    assert f"the certificate of {where}, is not trusted: " in line
    assert "certificate-authority" in line


async def test_a_token_that_the_server_does_not_take_is_told_with_whose_it_is(server: Loopback) -> None:
    path = server.kubeconfig()
    async with unauthorized(server):
        line = the_line(await asyncio.to_thread(say, "aiw/a", "--kubeconfig", path, "-o", "json"))
    where = f"http://127.0.0.1:{server.port}, the API server of the context 'test'"
    assert f"{where}, does not take the credentials of the user 'test' (401)" in line
    assert "expired" in line
    assert "log in anew" in line


async def test_a_server_that_has_a_fault_of_its_own_is_told_with_its_words(server: Loopback) -> None:
    path = server.kubeconfig()
    server.answer = says(500, {"kind": "Status", "code": 500, "reason": "InternalError", "message": "etcd is gone"})
    async with server.running():
        line = the_line(await asyncio.to_thread(say, "aiw/a", "--kubeconfig", path))
    assert f"http://127.0.0.1:{server.port}, the API server of the context 'test', gives no answer: 500" in line
    assert "etcd is gone" in line


async def test_what_is_no_api_server_is_told_so(server: Loopback) -> None:
    path = server.kubeconfig()
    server.answer = says(200, b"<html>welcome</html>")
    async with server.running():
        line = the_line(await asyncio.to_thread(say, "aiw/a", "--kubeconfig", path))
    assert f"http://127.0.0.1:{server.port}, the API server of the context 'test', gives no answer: " in line
    assert "the answer is no Kubernetes object" in line


def test_nothing_of_a_token_is_shown(server: Loopback) -> None:
    assert "made-up" not in refused("--kubeconfig", server.kubeconfig(user={"token": "made-up"}))
