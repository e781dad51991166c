"""Requests that are answered before anybody looks where they lead, as ingress-nginx answers them."""

from aiohttp import web

from aiop.sim.network.errors import NotForwarded

# As nginx: a tunnel is no request, and an echo of all headers helps nobody but a thief of cookies.
_REFUSED_METHODS = frozenset({"CONNECT", "TRACE"})
_FIRST_VERSION = (1, 0)
_CHUNKS_SINCE = (1, 1)
# Twice what nginx holds of a head as ingress-nginx sets it up (large_client_header_buffers: 4 of 8 KiB).
_LONGEST_HEAD = 64 * 1024


def refuse_what_is_odd(request: web.BaseRequest) -> None:
    """Raises NotForwarded with a 4xx or 501 for what a pod might read otherwise than we do.

    The parser has refused before, with 400: a second Host or Content-Length, Content-Length beside Transfer-Encoding,
    folded lines, control characters, spaces in or after names, lines without CR.
    """
    if request.method in _REFUSED_METHODS:
        raise NotForwarded(405, f"{request.method} is not served")
    if request.version < _FIRST_VERSION:
        raise NotForwarded(400, "HTTP/1.0 or HTTP/1.1 is served")
    if sum(len(name) + len(value) for name, value in request.raw_headers) > _LONGEST_HEAD:
        raise NotForwarded(431, f"the request's headers take more than {_LONGEST_HEAD} bytes")
    coding = request.headers.get("Transfer-Encoding")
    if coding is not None and request.version < _CHUNKS_SINCE:
        raise NotForwarded(400, "HTTP/1.0 has no Transfer-Encoding")
    if coding is not None and coding.strip().lower() != "chunked":
        raise NotForwarded(501, f"the Transfer-Encoding {coding!r} is not served, only chunked is")
