"""The ingress controller's part of the embedded cluster: an HTTP router by the Ingresses of its own class."""

import posixpath
import re

from aiohttp import web

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.cluster.objects import spec_of, terminating
from aiop.sim.network.errors import NotForwarded
from aiop.sim.network.forwarding import Forwarder
from aiop.sim.network.rules import Route, Rules
from aiop.sim.network.services import NotThere, find_port

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


class Router:
    """Answers HTTP on every address it is told to listen on; ``close`` it.

    Promised: hosts, paths and backends as the Ingress API has them; bodies are streamed; a request is led only to a
    pod that is ready; what cannot be led on is answered by 400, 404, 502, 503 or 504 and a sentence. Not promised: TLS,
    upgraded connections, HTTP/2.
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
            return _said(error.status, str(error))
        except NotThere as error:
            return _said(503, str(error))
        finally:
            self._under_way -= 1

    async def _lead(self, request: web.BaseRequest) -> web.StreamResponse:
        if not request.path.startswith("/"):
            return _said(400, "the request names no path")
        host, path = _without_port(request.host), _normal(request.path)
        route = self._current().find(host, path)
        if route is None:
            return _said(404, f'no Ingress of the class "{CLASS_NAME}" leads the path {path} of the host {host}')
        if route.rewrite and not _PLAIN_TARGET.fullmatch(route.rewrite):
            return _said(500, f'the rewrite target "{route.rewrite}" is not a plain path, and no other is played here')
        port = find_port(self._services, route.service, route.port)
        return await self._forwarder.forward(request, port, _target(request, route))


def is_ours(ingress: Object) -> bool:
    """True for an Ingress of the router's class that is to stay."""
    return spec_of(ingress).get("ingressClassName") == CLASS_NAME and not terminating(ingress)


def _target(request: web.BaseRequest, route: Route) -> str:
    raw = request.rel_url
    path = route.rewrite or raw.raw_path
    return f"{path}?{raw.raw_query_string}" if raw.raw_query_string else path


def _without_port(host: str) -> str:
    return host.rsplit(":", 1)[0] if not host.endswith("]") else host


def _normal(path: str) -> str:
    """The path without doubled slashes and dot segments, so that no spelling leads past a rule."""
    normal = posixpath.normpath("/" + path.lstrip("/"))
    return f"{normal}/" if path.endswith("/") and normal != "/" else normal


def _said(status: int, sentence: str) -> web.Response:
    return web.Response(status=status, text=f"{sentence}\n")
