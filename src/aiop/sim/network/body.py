"""The body of a request on its way to a pod: held where it is small, so that it can be sent twice, else streamed."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from aiop.sim.network.errors import NotForwarded
from aiop.sim.network.patience import Patience

# Bodies up to this size are held; larger ones are streamed and sent once.
_HELD_BYTES = 64 * 1024
_PIECE = 64 * 1024


class Body:
    """``held`` is the whole body, or None for one that is streamed; ``begun`` once a piece of that has been taken.

    ``refusal`` is what the client is told if its body did not come whole, which is no fault of the pod.
    """

    def __init__(self, request: web.BaseRequest) -> None:
        self.held: bytes | None = None
        self.begun = False
        self.refusal: NotForwarded | None = None
        self._content = request.content
        self._patience = Patience(asyncio.get_running_loop().time)

    async def pieces(self) -> AsyncIterator[bytes]:
        """As they come. Raises NotForwarded for a client that is too slow or sends what is no body."""
        self.begun = True
        while piece := await self._next():
            yield piece

    async def hold(self) -> None:
        """Read all of it."""
        if self._content.is_eof() and self._content.exception() is None:
            self.held = self._content.read_nowait(-1)  # it has come with its head, as most do
            return
        pieces = []
        while piece := await self._next():
            pieces.append(piece)
        self.held = b"".join(pieces)

    async def _next(self) -> bytes:
        try:
            return await self._patience.piece(self._content.read(_PIECE))
        except NotForwarded as refusal:
            self.refusal = refusal
            raise
        except web.RequestPayloadError as error:
            self.refusal = NotForwarded(400, "the request's body is not as its headers say")
            raise self.refusal from error


async def body_of(request: web.BaseRequest) -> Body:
    """The body, held already if it is small. Raises NotForwarded as `Body.pieces`."""
    body = Body(request)
    if not request.can_read_body:
        body.held = b""
    elif request.content_length is not None and request.content_length <= _HELD_BYTES:
        await body.hold()
    return body
