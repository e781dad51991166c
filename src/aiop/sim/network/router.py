"""The ingress controller's part of the embedded cluster: an HTTP router by the Ingresses of its own class."""

import logging
import re

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.cluster.objects import spec_of, terminating
from aiop.sim.network.errors import NotForwarded
from aiop.sim.network.forwarding import Forwarder
from aiop.sim.network.patience import SECONDS
from aiop.sim.network.refusals import refuse_what_is_odd
from aiop.sim.network.rules import Rules
from aiop.sim.network.services import NotThere, find_port
from aiop.sim.network.target import target_of

# The class that the router serves. Its controller is of ingress-nginx's family, whose rewrite annotation it obeys.
CLASS_NAME = "embedded"
CONTROLLER = "k8s.io/ingress-nginx/embedded"
# Twice ingress-nginx's own bound of one header; all of them are bounded by their number.
_LONGEST_HEADER = 16 * 1024
_MOST_HEADERS = 100
# Each costs some 100 KiB at most (a held body, a piece each way).
_MOST_UNDER_WAY = 2048
# What a rewrite target may be: a path. Groups of a regular expression are not played.
_PLAIN_TARGET = re.compile(r"/[A-Za-z0-9._~!&'()*+,;=:@%/-]*")
_STOP_SECONDS = 1.0
# What says that a pod is missing, slow or broken; the connection may go on.
_OF_PODS = frozenset({502, 503, 504})


class Router:
    """Answers HTTP on every address it is told to listen on; ``close`` it.

    Promised: hosts, paths and backends as the Ingress API has them; bodies are streamed; a request is led only to a
    pod that is ready; what cannot be led on is answered by a 4xx or 5xx and a sentence. No client holds a place without
    end: see patience. Not promised: TLS, upgraded connections, HTTP/2.
    """

    def __init__(self, ingresses: Mirror, services: Mirror, forwarder: Forwarder) -> None:
        self._ingresses = ingresses
        self._services = services
        self._forwarder = forwarder
        self._rules: Rules | None = None
        self._under_way = 0
        self._runner: web.ServerRunner | None = None
        ingresses.subscribe(self._changed)

    async def listen(self, host: str, port: int) -> int:
        """Listen there too, and return the port; raises OSError."""
        if self._runner is None:
            server = web.Server(
                self._answer,
                handler_cancellation=True,
                max_line_size=_LONGEST_HEADER,
                max_field_size=_LONGEST_HEADER,
                max_headers=_MOST_HEADERS,
                auto_decompress=False,
                access_log=None,
                # For the head of a request, and for the next request of a connection.
                keepalive_timeout=SECONDS,
                logger=_faults(),
            )
            self._runner = web.ServerRunner(server, shutdown_timeout=_STOP_SECONDS)
            await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        return int(self._runner.addresses[-1][1])

    async def close(self) -> None:
        """Stop listening; what is under way gets a second."""
        if self._runner is not None:
            await self._runner.cleanup()
        await self._forwarder.close()

    def _changed(self, _old: Object | None, _new: Object | None) -> None:
        self._rules = None

    def _current(self) -> Rules:
        if self._rules is None:
            self._rules = Rules(each for each in self._ingresses.objects.values() if is_ours(each))
        return self._rules

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._under_way >= _MOST_UNDER_WAY:
            return _said(503, f"{_MOST_UNDER_WAY} requests are under way already")
        self._under_way += 1
        try:
            return await self._lead(request)
        except NotForwarded as error:
            return _said(error.status, str(error), last=error.status not in _OF_PODS)
        except NotThere as error:
            return _said(503, str(error))
        finally:
            self._under_way -= 1

    async def _lead(self, request: web.BaseRequest) -> web.StreamResponse:
        refuse_what_is_odd(request)
        target = target_of(request.raw_path, request.headers.get("Host"))
        route = self._current().find(target.host, target.path)
        if route is None:
            where = f"the path {target.path} of the host {target.host}"
            return _said(404, f'no Ingress of the class "{CLASS_NAME}" leads {where}')
        if route.rewrite and not _PLAIN_TARGET.fullmatch(route.rewrite):
            return _said(500, f'the rewrite target "{route.rewrite}" is not a plain path, and no other is played here')
        port = find_port(self._services, route.service, route.port)
        return await self._forwarder.forward(request, port, target.led_to(route.rewrite), target.authority)


def is_ours(ingress: Object) -> bool:
    """True for an Ingress of the router's class that is to stay."""
    return spec_of(ingress).get("ingressClassName") == CLASS_NAME and not terminating(ingress)


def _faults() -> logging.Logger:
    """Tells of faults of ours alone: what a client sends is its own affair, and no reason to fill anybody's screen."""
    logger = logging.getLogger(__name__)
    logger.addFilter(_is_ours_to_tell)
    return logger


def _is_ours_to_tell(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _said(status: int, sentence: str, *, last: bool = False) -> web.Response:
    """``last``: the connection ends with it, for the rest of the request is not wanted."""
    response = web.Response(status=status, text=f"{sentence}\n")
    if last:
        response.force_close()
    return response
