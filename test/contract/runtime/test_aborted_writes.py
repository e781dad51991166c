"""A write that is given up is gone: what was not sent is never sent, and the server is told by a reset.

Who loses the lease cancels its workers, and so its writes: no byte of theirs may come after another leader took over.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.errors import RequestTimedOut
from aiop.runtime.client.transport import HttpTransport
from hack.ports import free_port
from support.certificates import Authority
from support.clock import FakeClock
from support.deaf import Accepted, Deaf
from support.writes import Until

# The kernel holds the first whole, so that it counts on the kernel to drop it; the second is too large for that.
BODIES = [b'"' + b"x" * 2**19 + b'"', b'"' + b"x" * 2**25 + b'"']
PATIENCE = 30

pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")


@pytest.fixture(params=["http", "https"])
def authority(request: pytest.FixtureRequest) -> Authority | None:
    return Authority() if request.param == "https" else None


def kubeconfig(folder: Path, port: int, authority: Authority | None, **cluster: object) -> str:
    known = {"server": f"{'https' if authority else 'http'}://127.0.0.1:{port}", **cluster}
    if authority:
        known["certificate-authority-data"] = base64.b64encode(authority.pem).decode()
    content = {
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": known}],
        "users": [{"name": "test", "user": {"token": "made-up"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return str(path)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def config(tmp_path: Path, port: int, authority: Authority | None) -> str:
    return kubeconfig(tmp_path, port, authority)


@asynccontextmanager
async def listening(port: int, authority: Authority | None) -> AsyncIterator[Deaf]:
    deaf = Deaf()
    async with deaf.running(port, authority.server() if authority else None):
        yield deaf


@asynccontextmanager
async def connected(config: str, gate: Until | None = None) -> AsyncIterator[Client]:
    async with Client(HttpTransport(await load_connection(config)), clock=FakeClock(), gate=gate) as client:
        yield client


async def reset_without_the_rest(accepted: Accepted, body: bytes) -> None:
    """It was begun, and it ended by a reset; of a large one the kernel had taken less than half by then."""
    accepted.listen()
    error = await asyncio.wait_for(accepted.lost, PATIENCE)
    assert isinstance(error, ConnectionResetError)
    assert len(accepted.got) < (len(body) if body is BODIES[0] else len(body) // 2)


@pytest.mark.promise("S30")
@pytest.mark.parametrize("body", BODIES, ids=["small", "large"])
async def test_a_cancelled_write_ends_in_a_reset_and_its_rest_is_never_sent(
    config: str, port: int, authority: Authority | None, body: bytes
) -> None:
    """Unlike S30's library this one lets no process end for it: cancelling the worker is enough."""
    async with listening(port, authority) as deaf, connected(config) as client:
        write = asyncio.create_task(client.create(CONFIGMAPS, "team", body, field_manager="me"))
        begun = await asyncio.wait_for(deaf.begun.get(), PATIENCE)
        write.cancel()
        await asyncio.wait([write])
        assert write.cancelled()
        await reset_without_the_rest(begun, body)


@pytest.mark.promise("S30")
@pytest.mark.parametrize("body", BODIES, ids=["small", "large"])
async def test_a_write_whose_permit_ends_is_reset_too(
    config: str, port: int, authority: Authority | None, body: bytes
) -> None:
    async with listening(port, authority) as deaf, connected(config, Until(1.0)) as client:
        with pytest.raises(RequestTimedOut, match="POST"):
            await client.create(CONFIGMAPS, "team", body, field_manager="me")
        await reset_without_the_rest(deaf.begun.get_nowait(), body)


async def test_connections_that_new_certificates_brought_abort_their_writes_too(
    config: str, port: int, authority: Authority | None
) -> None:
    connection = await load_connection(config)
    await connection._reopen()
    async with listening(port, authority) as deaf, Client(HttpTransport(connection), clock=FakeClock()) as client:
        write = asyncio.create_task(client.create(CONFIGMAPS, "team", BODIES[1], field_manager="me"))
        begun = await asyncio.wait_for(deaf.begun.get(), PATIENCE)
        write.cancel()
        await asyncio.wait([write])
        await reset_without_the_rest(begun, BODIES[1])


async def test_a_write_that_is_given_up_while_its_answer_comes_is_reset_too(
    config: str, port: int, authority: Authority | None
) -> None:
    async with listening(port, authority) as deaf, connected(config) as client:
        write = asyncio.create_task(client.create(CONFIGMAPS, "team", BODIES[1], field_manager="me"))
        begun = await asyncio.wait_for(deaf.begun.get(), PATIENCE)
        seen = asyncio.Event()
        client._transport._observe = lambda *_: seen.set()  # type: ignore[attr-defined]  # tells when the head has come
        begun.say(b"HTTP/1.1 422 Unprocessable Entity\r\nContent-Length: 100\r\n\r\n{")
        await asyncio.wait_for(seen.wait(), PATIENCE)
        write.cancel()
        await asyncio.wait([write])
        await reset_without_the_rest(begun, BODIES[1])
