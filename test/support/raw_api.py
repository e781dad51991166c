"""The Kubernetes API spoken by hand, so that a contract test sees what is on the wire and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

# Long enough for a real API server on a busy machine with two cores; a watch that should speak has spoken by then.
_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        version: str = self.body["metadata"]["resourceVersion"]
        return version


class Watch:
    """A watch in progress; `next` returns the next event, bookmarks left out unless asked for."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status

    async def next(self, *, bookmarks: bool = False) -> dict[str, Any]:
        while True:
            line = await asyncio.wait_for(self._response.content.readline(), _PATIENCE_SECONDS)
            if not line:
                return {"type": "END"}
            event: dict[str, Any] = json.loads(line)
            if bookmarks or event["type"] != "BOOKMARK":
                return event


class RawAPI:
    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base.rstrip("/")

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        **query: str,
    ) -> Answer:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Accept": accept} | ({"Content-Type": content_type} if data is not None else {})
        async with self._session.request(
            method, self._base + path, data=data, headers=headers, params=query
        ) as response:
            raw = await response.read()
            decoded = json.loads(raw) if raw[:1] in (b"{", b"[") else raw.decode(errors="replace")
            return Answer(response.status, decoded, response.headers)

    async def get(self, path: str, **query: str) -> Answer:
        return await self.call("GET", path, **query)

    async def post(self, path: str, body: Any, **query: str) -> Answer:
        return await self.call("POST", path, body, **query)

    async def put(self, path: str, body: Any, **query: str) -> Answer:
        return await self.call("PUT", path, body, **query)

    async def delete(self, path: str, body: Any = None, **query: str) -> Answer:
        return await self.call("DELETE", path, body, **query)

    async def patch(self, path: str, body: Any, content_type: str = MERGE_PATCH, **query: str) -> Answer:
        return await self.call("PATCH", path, body, content_type=content_type, **query)

    async def apply(self, path: str, body: Any, manager: str, **query: str) -> Answer:
        return await self.patch(path, body, APPLY_PATCH, fieldManager=manager, **query)

    @asynccontextmanager
    async def watch(self, path: str, **query: str) -> AsyncIterator[Watch]:
        params = {"watch": "true"} | query
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(self._base + path, params=params, timeout=timeout) as response:
            try:
                yield Watch(response)
            finally:
                # A farewell by TLS could outlive the test's event loop.
                if response.connection is not None and response.connection.transport is not None:
                    response.connection.transport.abort()
