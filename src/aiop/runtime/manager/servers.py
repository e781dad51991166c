"""The small HTTP servers: health, readiness, metrics."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

# Answers take milliseconds; a client that hangs on may not hold up the end of the process.
_SHUTDOWN_SECONDS = 1.0
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Servers:
    """Serves `/healthz` and `/readyz` on one address and `/metrics` on another; an empty address serves nothing."""

    def __init__(
        self,
        *,
        health_address: str,
        metrics_address: str,
        healthy: Callable[[], str],
        ready: Callable[[], str],
        exposition: Callable[[], Awaitable[bytes]],
    ) -> None:
        self._addresses = (health_address, metrics_address)
        self._healthy = healthy
        self._ready = ready
        self._exposition = exposition
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """Listen; raises OSError if an address is taken."""
        health, metrics = self._addresses
        await self._listen(
            health,
            [web.get("/healthz", self._verdict(self._healthy)), web.get("/readyz", self._verdict(self._ready))],
        )
        await self._listen(metrics, [web.get("/metrics", self._metrics)])

    async def stop(self) -> None:
        """Stop listening."""
        await self._stack.aclose()

    async def _listen(self, address: str, routes: list[web.RouteDef]) -> None:
        if not address:
            return
        host, _, port = address.rpartition(":")
        app = web.Application()
        app.add_routes(routes)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, host.strip("[]") or None, int(port)).start()
        # Port 0 is whichever the system has free: who asked for it reads here what it got.
        for where in runner.addresses:
            log.info("the operator listens", paths=[route.path for route in routes], address=_shown(where))

    @staticmethod
    def _verdict(check: Callable[[], str]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """200 and ok if ``check`` finds nothing to say, else 503 and its words."""

        async def handler(_request: web.Request) -> web.Response:
            trouble = check()
            return web.Response(status=503 if trouble else 200, text=trouble or "ok")

        return handler

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=await self._exposition(), headers={"Content-Type": _METRICS_TYPE})


def _shown(address: tuple[Any, ...]) -> str:
    """A socket's address as it stands in a URL."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
