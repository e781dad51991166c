"""One pool of kept-open connections for each endpoint, thrown away with the endpoint."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from aiop.sim.network.balancer import Balancer
from aiop.sim.network.endpoints import Endpoint

# Shorter than the time after which common servers close an idle connection (uvicorn and Node 5 s): a request is
# seldom sent into a connection that its server is just closing.
_KEEP_SECONDS = 2.0
_CONNECT_SECONDS = 2.0
# As ingress-nginx waits for the next byte of an answer.
_READ_SECONDS = 60.0
# What servers send is bounded as what clients send is; see router.
_LONGEST_HEADER = 16 * 1024


class Upstreams:
    """Sessions by endpoint. ``close`` it.

    Promised: an endpoint that is retired keeps its session for as long as a request is under way there, and no longer.
    """

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self._sessions: dict[Endpoint, aiohttp.ClientSession] = {}
        self._retired: set[Endpoint] = set()
        self._closing: set[asyncio.Task[None]] = set()

    @contextmanager
    def session(self, endpoint: Endpoint) -> Iterator[aiohttp.ClientSession]:
        """The session of that endpoint, which counts as busy meanwhile."""
        if endpoint not in self._sessions:
            self._sessions[endpoint] = _session()
        try:
            with self._balancer.under_way(endpoint):
                yield self._sessions[endpoint]
        finally:
            if endpoint in self._retired and not self._balancer.busy(endpoint):
                self._drop(endpoint)

    def keep(self, usable: set[Endpoint]) -> None:
        """Retire every endpoint that gets no more connections."""
        self._retired = {each for each in self._sessions if each not in usable}
        for endpoint in list(self._retired):
            if not self._balancer.busy(endpoint):
                self._drop(endpoint)

    async def close(self) -> None:
        """Cut every connection."""
        for endpoint in list(self._sessions):
            self._drop(endpoint)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _drop(self, endpoint: Endpoint) -> None:
        self._retired.discard(endpoint)
        task = asyncio.get_running_loop().create_task(self._sessions.pop(endpoint).close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _session() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS)
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_SECONDS)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
        max_line_size=_LONGEST_HEADER,
        max_field_size=_LONGEST_HEADER,
    )
