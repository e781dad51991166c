"""The routes of the V2 protocol."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any

import msgspec
from aiohttp import web

from aiop.cli.demo.modelserver.errors import BadRequest
from aiop.cli.demo.modelserver.model import Model
from aiop.cli.demo.modelserver.protocol import answer, metadata

# A thousand long sentences fit; nobody fills the memory.
_LARGEST_BODY = 2**20
_SERVER = {"name": "aiop-demo", "version": "1", "extensions": []}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(model: Model, executor: Executor) -> web.Application:
    """Serves ``model``; its work is done on ``executor``, so that probes are answered under load."""
    app = web.Application(middlewares=[_errors_as_json], client_max_size=_LARGEST_BODY)
    routes = _Routes(model, executor)
    app.router.add_get("/v2", routes.server)
    app.router.add_get("/v2/health/{which:live|ready}", routes.healthy)
    for base in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
        app.router.add_get(base, routes.metadata)
        app.router.add_get(f"{base}/ready", routes.ready)
        app.router.add_post(f"{base}/infer", routes.infer)
    return app


class _Routes:
    def __init__(self, model: Model, executor: Executor) -> None:
        self._model = model
        self._executor = executor

    async def server(self, _request: web.Request) -> web.Response:
        return _json(_SERVER)

    async def healthy(self, request: web.Request) -> web.Response:
        return _json({request.match_info["which"]: True})

    async def metadata(self, request: web.Request) -> web.Response:
        return _json(metadata(self._known(request)))

    async def ready(self, request: web.Request) -> web.Response:
        return _json({"name": self._known(request).name, "ready": True})

    async def infer(self, request: web.Request) -> web.Response:
        model, body = self._known(request), await request.read()
        work = asyncio.get_running_loop().run_in_executor(self._executor, answer, body, model)
        return _json(await work)

    def _known(self, request: web.Request) -> Model:
        name, number = request.match_info["model"], request.match_info.get("version", self._model.number)
        if (name, number) != (self._model.name, self._model.number):
            raise web.HTTPNotFound(text=f"unknown model {name!r}, version {number!r}")
        return self._model


@web.middleware
async def _errors_as_json(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Every refusal as the protocol has it: ``{"error": …}``."""
    try:
        return await handler(request)
    except BadRequest as error:
        return _json({"error": str(error)}, 400)
    except web.HTTPException as error:
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _json({"error": error.text or error.reason}, error.status, headers)


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    body = msgspec.json.encode(content)
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)
