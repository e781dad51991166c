"""The API server over HTTP: routes, credentials and answers. What the verbs mean is the registry's business."""

import asyncio
import base64
import json
import random as random_module
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog
from aiohttp import web

from aiop.runtime.client.builtin import NAMESPACES, PODS
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import Clock
from aiop.sim.metrics.podmetrics import ResourceMetrics
from aiop.sim.processes.podaccess import PodAccess
from aiop.sim.semantics.table import columns_of, table_of
from aiop.sim.server import discovery, openapi, resourcemetrics
from aiop.sim.server.admission import Admission
from aiop.sim.server.bodies import APPLY, allowed_review, delete_options, number_in, object_in, patch_in, write_options
from aiop.sim.server.eviction import evict
from aiop.sim.server.inprocess import InProcessAPI
from aiop.sim.server.kinds import Kind, Kinds
from aiop.sim.server.listing import Pages, check_version, list_body
from aiop.sim.server.refusals import Refused, internal_error, no_such_path, refused
from aiop.sim.server.registry import Registry, matcher
from aiop.sim.server.requests import WriteOptions
from aiop.sim.server.scale import scale_of, with_scale
from aiop.sim.server.stopping import cut
from aiop.sim.server.streams import subresources
from aiop.sim.server.tls import Identity
from aiop.sim.server.watching import WatchRequest, watch_lines
from aiop.sim.storage.store import Store, Stored

log = structlog.get_logger(__name__)
Handler = Callable[["_Call"], Awaitable[web.StreamResponse]]

_JSON = "application/json"
_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
# etcd takes requests of 1.5 MiB; the API server bodies of 3 MiB.
_LARGEST_BODY = 3 * 1024 * 1024
# A watch without a time-out of its own ends between half an hour and an hour.
_WATCH_SECONDS = 1800
_UNAUTHORIZED = refused(401, "Unauthorized", "Unauthorized")


class _Call:
    """One request, its path taken apart: /api|apis/[group/]version/[namespaces/ns/]plural[/name[/subresource]]."""

    def __init__(self, request: web.Request, kind: Kind, namespace: str, rest: Sequence[str], body: bytes) -> None:
        self.request = request
        self.kind = kind
        self.namespace = namespace
        self.name = rest[0] if rest else ""
        self.subresource = rest[1] if len(rest) > 1 else ""
        self.query = request.query
        self.body = body
        self.accept = request.headers.get("Accept", "")
        self.content_type = request.content_type
        self.options: WriteOptions = write_options(self.query, request.headers.get("User-Agent", ""))

    @property
    def key(self) -> ObjectKey:
        return ObjectKey(self.namespace, self.name)


class APIServer:
    """An API server in this process; `start` it, and `stop` it. The clock and all randomness are passed in.

    Services get addresses that begin with ``service_network``, two numbers of four. Its construction reads the
    built-in schemas from the disk: inside an event loop, do it in a thread.
    """

    def __init__(self, clock: Clock, *, random: random_module.Random, service_network: str = "10.96") -> None:
        self.clock = clock
        self.store = Store()
        self.kinds = Kinds()
        self.registry = Registry(self.store, self.kinds, Admission(clock, random), service_network=service_network)
        # No part of the simulation: who can guess it is administrator.
        self.token = secrets.token_urlsafe(24)
        self.url = ""
        # Whoever runs pods as processes says so here; without, logs and exec say that pods are simulated.
        self.pods: PodAccess | None = None
        # Whoever measures pods says so here; then metrics.k8s.io is served.
        self.metrics: ResourceMetrics | None = None
        self._identity: Identity | None = None
        self._random = random
        self._pages = Pages()
        self._runner: web.AppRunner | None = None
        for name in _NAMESPACES:
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self.registry.create(self.kinds.of(NAMESPACES), "", body, WriteOptions(manager="embedded-server"))

    def in_process(self) -> InProcessAPI:
        """The same server without HTTP."""
        return InProcessAPI(self.registry)

    def compact(self) -> None:
        """Forget history and open lists, as etcd's compaction does."""
        self.store.compact()
        self._pages.clear()

    @property
    def certificate_authority(self) -> str:
        """What signs the server's certificate, as PEM; empty before `start`."""
        return self._identity.certificate_authority if self._identity is not None else ""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen with TLS and return the URL."""
        self._identity = await asyncio.to_thread(Identity.for_hosts, host, "localhost")
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=self._identity.context)
        await site.start()
        address = self._runner.addresses[0]
        self.url = f"https://{address[0]}:{address[1]}"
        return self.url

    async def stop(self) -> None:
        """Cut every connection and stop listening."""
        if self._runner is not None:
            await cut(self._runner)

    def kubeconfig(self) -> str:
        """An administrator's kubeconfig (JSON is YAML)."""
        authority = base64.b64encode(self.certificate_authority.encode()).decode()
        cluster = {"server": self.url, "certificate-authority-data": authority}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "embedded", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self.token}}],
            "contexts": [
                {"name": "embedded", "context": {"cluster": "embedded", "user": "admin", "namespace": "default"}}
            ],
            "current-context": "embedded",
        }
        return json.dumps(config, indent=2) + "\n"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            self._authenticate(request)
            return await self._route(request)
        except Refused as refusal:
            return _json(refusal.status, status=refusal.status["code"])
        except (web.HTTPException, ConnectionError):
            raise
        except Exception as error:
            log.exception("request failed", method=request.method, path=request.path)
            if _watches(request):
                raise  # its answer may have begun
            return _json(internal_error(error).status, status=500)

    def _authenticate(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise _UNAUTHORIZED

    async def _route(self, request: web.Request) -> web.StreamResponse:
        parts = [part for part in request.path.split("/") if part]
        match parts:
            case ["healthz" | "readyz" | "livez", *_]:
                return web.Response(text="ok")
            case ["api", version, first, *rest]:
                return await self._resource(request, "", version, [first, *rest])
            case ["apis", resourcemetrics.GROUP, "v1beta1", first, *rest] if self.metrics is not None:
                selector = request.query.get("labelSelector", "")
                return _json(resourcemetrics.answer(self.registry, self.metrics, [first, *rest], selector))
            case ["apis", group, version, first, *rest]:
                return await self._resource(request, group, version, [first, *rest])
        return _json(_or_404(self._document(parts)))

    def _document(self, parts: list[str]) -> dict[str, Any] | None:
        """What discovery says at that path."""
        documents: dict[str, Callable[..., dict[str, Any] | None]] = {
            "version": lambda: discovery.VERSION,
            "api": lambda: {"kind": "APIVersions", "versions": ["v1"]},
            "api/*": lambda version: discovery.resources(self.kinds, "", version),
            "apis": lambda: discovery.groups(self.kinds, self._further_groups()),
            "apis/*": lambda name: discovery.group(self.kinds, name),
            "apis/*/*": lambda name, version: discovery.resources(self.kinds, name, version),
        }
        if parts[1:2] == [resourcemetrics.GROUP] and self.metrics is not None:
            return resourcemetrics.document(parts[2:])
        if parts[:2] == ["openapi", "v3"]:
            path = "/".join(parts[2:])
            return openapi.document(self.kinds, path) if path else openapi.index(self.kinds)
        rest = parts[1:]
        read = documents.get("/".join([*parts[:1], *("*" for _ in rest)]))
        return read(*rest) if read else None

    def _further_groups(self) -> list[dict[str, Any]]:
        return [resourcemetrics.GROUP_DOCUMENT] if self.metrics is not None else []

    async def _resource(self, request: web.Request, group: str, version: str, rest: list[str]) -> web.StreamResponse:
        if group == "authorization.k8s.io" and request.method == "POST":
            return _json(allowed_review(await request.read(), request.content_type), status=201)
        namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in {"status", "finalize"}:  # noqa: PLR2004 - namespaces/<name>/<plural>
            namespace, rest = rest[1], rest[2:]
        kind = self.kinds.get(group, version, rest[0])
        if kind is None:
            raise no_such_path()
        call = _Call(request, kind, namespace, rest[1:], await request.read())
        return await self._verb(call)(call)

    def _verb(self, call: _Call) -> Handler:
        if call.subresource == "scale" and call.kind.scale:
            return self._scale
        if call.kind.resource == PODS and call.subresource in subresources.SUBRESOURCES:
            return self._pod_stream
        if call.kind.resource == PODS and call.subresource == "eviction" and call.request.method == "POST":
            return self._evict
        resizes = call.kind.resource == PODS and call.subresource == "resize"
        if call.subresource not in {"", "status", "finalize"} and not resizes:
            raise no_such_path()
        verbs: dict[tuple[str, bool], Handler] = {
            ("GET", False): self._watch if _watches(call.request) else self._list,
            ("GET", True): self._get,
            ("POST", False): self._create,
            ("PUT", True): self._update,
            ("PATCH", True): self._patch,
            ("DELETE", True): self._delete,
            ("DELETE", False): self._delete_collection,
        }
        handler = verbs.get((call.request.method, bool(call.name)))
        if handler is None:
            raise refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        return handler

    async def _get(self, call: _Call) -> web.StreamResponse:
        stored = self.registry.get(call.kind, call.key)
        if "as=Table" in call.accept:
            return _json(self._table(call.kind, [stored]))
        return web.Response(body=self._rendered(call, stored), content_type=_JSON)

    async def _list(self, call: _Call) -> web.StreamResponse:
        version = call.query.get("resourceVersion", "")
        limit = number_in(call.query, "limit")
        if token := call.query.get("continue"):
            page, token, remaining, at = self._pages.more(token, limit)
        else:
            check_version(self.store, version, call.query.get("resourceVersionMatch", ""))
            found = self.registry.list(call.kind, call.namespace, *_selectors(call))
            at = self.store.version
            page, token, remaining = self._pages.page(found, at, limit)
        if "as=Table" in call.accept:
            table = self._table(call.kind, page)
            table["metadata"] = {"resourceVersion": str(at), **({"continue": token} if token else {})}
            return _json(table)
        items = [self._rendered(call, stored) for stored in page]
        body = list_body(call.kind, items, at, token, remaining)
        if "as=PartialObjectMetadataList" in call.accept:
            head = msgspec.json.decode(body)
            body = msgspec.json.encode({**head, "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"})
        return web.Response(body=body, content_type=_JSON)

    async def _watch(self, call: _Call) -> web.StreamResponse:
        fields = call.query.get("fieldSelector", "")
        if call.name:
            fields = f"metadata.name={call.name}"
        seconds = number_in(call.query, "timeoutSeconds")
        watch = WatchRequest(
            kind=call.kind,
            namespace=call.namespace,
            match=matcher(call.kind, call.query.get("labelSelector", ""), fields),
            version=call.query.get("resourceVersion", ""),
            timeout_seconds=float(seconds) or _WATCH_SECONDS * (1 + self._random.random()),
            bookmarks=call.query.get("allowWatchBookmarks") in {"true", "1"},
            initial_events=call.query.get("sendInitialEvents") in {"true", "1"},
        )
        response = web.StreamResponse(headers={"Content-Type": _JSON, "Transfer-Encoding": "chunked"})
        await response.prepare(call.request)
        lines = watch_lines(self.store, watch, self.clock, lambda stored: self._watched(call, stored))
        try:
            async for line in lines:
                await response.write(line)
            await response.write_eof()
        except ConnectionResetError:
            pass  # the client has heard enough
        finally:
            await lines.aclose()  # type: ignore[attr-defined]  # an async generator
        return response

    async def _create(self, call: _Call) -> web.StreamResponse:
        obj = object_in(call.body, call.content_type)
        created = self.registry.create(call.kind, call.namespace, obj, call.options)
        return self._written(call, created, status=201)

    async def _update(self, call: _Call) -> web.StreamResponse:
        obj = object_in(call.body, call.content_type)
        if call.subresource == "finalize":
            self.registry.finalize(call.kind, call.key)
            return _json(obj)
        updated = self.registry.update(call.kind, call.key, obj, call.options, subresource=call.subresource)
        return self._written(call, updated)

    async def _patch(self, call: _Call) -> web.StreamResponse:
        if call.content_type in APPLY:
            if not call.query.get("fieldManager"):
                fault = (
                    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
                )
                raise refused(422, "Invalid", fault)
            config = object_in(call.body, call.content_type)
            applied, created = self.registry.apply(
                call.kind, call.key, config, call.options, subresource=call.subresource
            )
            return self._written(call, applied, status=201 if created else 200)
        change = patch_in(call.body, call.content_type, call.kind)
        patched = self.registry.patch(call.kind, call.key, change, call.options, subresource=call.subresource)
        return self._written(call, patched)

    async def _delete(self, call: _Call) -> web.StreamResponse:
        options = delete_options(call.query, call.body, call.content_type)
        last, gone = self.registry.delete(call.kind, call.key, options)
        if not gone or call.kind.resource.kind == "Pod":
            return _json(last)
        details = {"name": call.name, "kind": call.kind.resource.plural, "uid": last["metadata"]["uid"]}
        if call.kind.resource.group:
            details["group"] = call.kind.resource.group
        return _json({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})

    async def _delete_collection(self, call: _Call) -> web.StreamResponse:
        found = self.registry.list(call.kind, call.namespace, *_selectors(call))
        options = delete_options(call.query, call.body, call.content_type)
        for stored in found:
            meta = stored.obj["metadata"]
            self.registry.delete(call.kind, ObjectKey(meta.get("namespace", ""), meta["name"]), options)
        body = list_body(call.kind, [stored.data for stored in found], self.store.version, "", 0)
        return web.Response(body=body, content_type=_JSON)

    async def _scale(self, call: _Call) -> web.StreamResponse:
        live = self.registry.get(call.kind, call.key).obj
        if call.request.method == "GET":
            return _json(scale_of(call.kind, live))
        if call.request.method == "PATCH":
            wanted = patch_in(call.body, call.content_type, call.kind)(scale_of(call.kind, live))
        else:
            wanted = object_in(call.body, call.content_type)
        changed = self.registry.patch(
            call.kind, call.key, lambda obj: with_scale(call.kind, obj, wanted), call.options, subresource="scale"
        )
        return _json(scale_of(call.kind, changed))

    async def _evict(self, call: _Call) -> web.StreamResponse:
        asked = object_in(call.body, call.content_type)
        return _json(evict(self.registry, call.key, asked, dry_run=call.options.dry_run), status=201)

    async def _pod_stream(self, call: _Call) -> web.StreamResponse:
        pod = self.registry.get(call.kind, call.key).obj
        return await subresources.answer(call.request, call.subresource, pod, self.pods)

    def _written(self, call: _Call, obj: dict[str, Any], *, status: int = 200) -> web.Response:
        if "as=Table" in call.accept:
            return _json(self._table(call.kind, [Stored(obj, 0)]), status=status, warnings=call.options.warnings)
        return _json(obj, status=status, warnings=call.options.warnings)

    def _rendered(self, call: _Call, stored: Stored) -> bytes:
        if "as=PartialObjectMetadata" in call.accept:
            head = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
            return msgspec.json.encode({**head, "metadata": stored.obj["metadata"]})
        return stored.data

    def _watched(self, call: _Call, stored: Stored) -> bytes:
        if "as=Table" in call.accept:
            return msgspec.json.encode(self._table(call.kind, [stored]))
        return self._rendered(call, stored)

    def _table(self, kind: Kind, page: Sequence[Stored]) -> dict[str, Any]:
        columns = columns_of(kind.resource.kind, kind.columns)
        return table_of([stored.obj for stored in page], columns, self.clock.now(), str(self.store.version))


def _watches(request: web.Request) -> bool:
    return request.query.get("watch") in {"true", "1"}


def _selectors(call: _Call) -> tuple[str, str]:
    return call.query.get("labelSelector", ""), call.query.get("fieldSelector", "")


def _or_404(found: dict[str, Any] | None) -> dict[str, Any]:
    if found is None:
        raise no_such_path()
    return found


def _json(body: Any, *, status: int = 200, warnings: Sequence[str] = ()) -> web.Response:
    response = web.Response(body=msgspec.json.encode(body), status=status, content_type=_JSON)
    for warning in warnings:
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response
