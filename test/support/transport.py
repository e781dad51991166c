"""A transport that is a function: requests in, answers out, and all of them remembered."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from aiop.runtime.client.transport import Request, Response

Answer = Callable[[Request], Awaitable[Response]]


def ok(body: object) -> Response:
    return Response(200, {}, msgspec.json.encode(body))


def refusal(status: int, reason: str, message: str = "") -> Response:
    body = {"kind": "Status", "status": "Failure", "code": status, "reason": reason, "message": message or reason}
    return Response(status, {}, msgspec.json.encode(body))


async def echo(request: Request) -> Response:
    """What was sent is what is stored."""
    return Response(200, {}, request.body or b"{}")


class ScriptedTransport:
    """Answers each request by ``answer``, which a test may replace on the way."""

    def __init__(self, answer: Answer = echo) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.closed = False

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        return await self.answer(request)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Any]:
        message = f"{request.method} {request.path}: this transport has no streams"
        raise AssertionError(message)
        yield  # pragma: no cover

    async def aclose(self) -> None:
        self.closed = True

    def lines(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.requests]

    def bodies(self) -> list[Any]:
        return [msgspec.json.decode(request.body or b"null") for request in self.requests]
