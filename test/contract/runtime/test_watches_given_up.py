"""A watch that its reader gives up, over TLS as in every cluster: it ends as it was told to, and by nothing else."""

import asyncio
import json
from asyncio import sslproto
from pathlib import Path
from typing import Any

import pytest

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client
from aiop.runtime.client.connection import load_connection
from aiop.runtime.client.transport import HttpTransport
from support.certificates import Authority
from support.clock import FakeClock
from support.loopback import loopback, stalls_after

PATIENCE = 30
EVENT = json.dumps({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "5"}}}).encode() + b"\n"


@pytest.fixture
def _old_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of Python 3.11.2, which is Debian's."""

    def abort(transport: Any) -> None:
        transport._closed = True
        transport._ssl_protocol._abort()

    monkeypatch.setattr(sslproto._SSLProtocolTransport, "abort", abort)


@pytest.mark.usefixtures("_old_tls")
async def test_a_reader_that_is_cancelled_between_two_events_is_cancelled_and_fails_by_nothing(tmp_path: Path) -> None:
    authority = Authority()
    with loopback(tmp_path) as server:
        trusted: dict[str, Any] = {"certificate-authority": authority.write(tmp_path / "authority.pem")}
        config = server.kubeconfig(scheme="https", **trusted)
        server.answer = stalls_after(EVENT)
        async with (
            server.running(authority.server()),
            Client(HttpTransport(await load_connection(config)), clock=FakeClock()) as client,
        ):
            heard = asyncio.Event()

            async def read() -> None:
                async for _ in client.watch(CONFIGMAPS, resource_version="4", timeout_seconds=60):
                    heard.set()

            reader = asyncio.create_task(read())
            await asyncio.wait_for(heard.wait(), PATIENCE)
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
