"""Leads one HTTP request to a ready pod, and to another one where that is safe."""

from enum import StrEnum

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from aiop.sim.network.balancer import Balancer
from aiop.sim.network.body import Body, body_of
from aiop.sim.network.endpoints import Endpoint, Endpoints, ServicePort
from aiop.sim.network.errors import NotForwarded
from aiop.sim.network.headers import onward, to_server
from aiop.sim.network.patience import taken
from aiop.sim.network.reach import Reach, Unreachable
from aiop.sim.network.upstreams import Upstreams

_PIECE = 64 * 1024
_ATTEMPTS = 5
# RFC 9110, 9.2.2: what may be sent again without knowing whether it was done. TRACE never comes so far.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class Repeat(StrEnum):
    """What may be sent to a second pod when the first one took it and went without an answer.

    What a pod did not take is always sent to another. EVERYTHING is right where the servers only compute, as those of
    models do.
    """

    IDEMPOTENT = "idempotent"
    EVERYTHING = "everything"


class Forwarder:
    """Sends requests on. Raises NotForwarded with 502, 503 or 504 where no pod answers."""

    def __init__(self, endpoints: Endpoints, reach: Reach, *, repeat: Repeat = Repeat.IDEMPOTENT) -> None:
        self._endpoints = endpoints
        self._reach = reach
        self._repeat = repeat
        self._balancer = Balancer()
        self._upstreams = Upstreams(self._balancer)
        endpoints.subscribe(lambda _: self._upstreams.keep(endpoints.everything()))

    async def close(self) -> None:
        """Cut every connection to pods."""
        await self._upstreams.close()

    async def forward(
        self, request: web.BaseRequest, port: ServicePort, target: str, authority: str
    ) -> web.StreamResponse:
        """The pod's answer, sent to the client already. ``target`` is the encoded path and query."""
        body = await body_of(request)
        headers = to_server(request.headers, authority, remote=request.remote or "", scheme=request.scheme)
        tried: list[Endpoint] = []
        failed = ""
        while (endpoint := self._choose(port, tried)) is not None:
            tried.append(endpoint)
            try:
                return await self._attempt(request, endpoint, target, headers, body)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, Unreachable) as error:
                failed = f"{endpoint} does not take connections: {_words(error)}"
                if body.begun:
                    break
            except (aiohttp.ClientError, OSError) as error:
                if body.refusal is not None:
                    raise body.refusal from error
                failed = f"{endpoint} broke off before it answered: {_words(error)}"
                if not self._may_repeat(request, body):
                    break
        if not tried:
            raise NotForwarded(503, f'the Service "{port.service.name}" has no ready pod')
        raise NotForwarded(502, failed)

    def _choose(self, port: ServicePort, tried: list[Endpoint]) -> Endpoint | None:
        if len(tried) >= _ATTEMPTS:
            return None
        return self._balancer.choose(self._endpoints.usable(port), tried)

    def _may_repeat(self, request: web.BaseRequest, body: Body) -> bool:
        if body.held is None and body.begun:
            return False
        return self._repeat is Repeat.EVERYTHING or request.method in _IDEMPOTENT

    async def _attempt(
        self, request: web.BaseRequest, endpoint: Endpoint, target: str, headers: CIMultiDict[str], body: Body
    ) -> web.StreamResponse:
        address = self._reach.address(endpoint)
        url = URL(f"http://{address.host}:{address.port}{target}", encoded=True)
        data = body.held if body.held is not None else body.pieces()
        with self._upstreams.session(endpoint) as session:
            try:
                answer = await session.request(
                    request.method, url, headers=headers, data=data or None, allow_redirects=False
                )
            except aiohttp.SocketTimeoutError as error:
                sentence = f"{endpoint} did not answer in time"
                raise NotForwarded(504, sentence) from error
            async with answer:
                return await _hand_back(request, answer)


async def _hand_back(request: web.BaseRequest, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """The answer as it comes; one that breaks off in the middle breaks off for the client too."""
    # Raises while nothing has been sent yet, so that another pod may be asked.
    whole = await answer.read() if _is_short(answer) else None
    headers = onward(answer.headers)
    if whole is None or request.method == "HEAD":
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
    else:
        headers.popall("Content-Length", None)
        response = web.Response(status=answer.status, reason=answer.reason, headers=headers, body=whole)
    try:
        if whole is None:
            await taken(response.prepare(request))
            async for piece in answer.content.iter_chunked(_PIECE):
                await taken(response.write(piece))
            await taken(response.write_eof())
        else:
            await taken(_send(request, response))
    except (aiohttp.ClientError, OSError):
        if request.transport is not None:
            request.transport.abort()  # the only way to say that what was sent is not the whole
    return response


async def _send(request: web.BaseRequest, response: web.StreamResponse) -> None:
    await response.prepare(request)
    await response.write_eof()


def _is_short(answer: aiohttp.ClientResponse) -> bool:
    return answer.content_length is not None and answer.content_length <= _PIECE


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
