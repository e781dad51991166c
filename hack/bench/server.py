"""Pods over loopback: `python -m hack.bench.server`. As much of an API server as lists, watches and kopf ask for.

A process of its own, so that its processor time is nobody's figure. Plain HTTP/1.1, nothing compressed; a watch has one
HTTP chunk an event, as a real API server sends it. All bytes are made before the first request.
"""

import argparse
import asyncio
import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from hack.bench.pods import watch_lines

# So many events are handed to the socket at a time: about as much as its buffer takes.
_EVENTS_AT_ONCE = 16


def _kinds(group_version: str, **plurals: str) -> dict[str, object]:
    verbs = ["list", "watch"]
    resources = [
        {"name": plural, "singularName": kind.lower(), "kind": kind, "namespaced": plural == "pods", "verbs": verbs}
        for plural, kind in plurals.items()
    ]
    return {"kind": "APIResourceList", "groupVersion": group_version, "resources": resources}


_CRDS = "apiextensions.k8s.io/v1"
_DISCOVERY: dict[str, dict[str, object]] = {
    "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.2"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {
        "kind": "APIGroupList",
        "groups": [
            {
                "name": "apiextensions.k8s.io",
                "versions": [{"groupVersion": _CRDS, "version": "v1"}],
                "preferredVersion": {"groupVersion": _CRDS, "version": "v1"},
            }
        ],
    },
    "/api/v1": _kinds("v1", pods="Pod", namespaces="Namespace"),
    f"/apis/{_CRDS}": _kinds(_CRDS, customresourcedefinitions="CustomResourceDefinition"),
}
# kopf lists and watches these too before it looks at any pod.
_EMPTY = frozenset({"/api/v1/namespaces", f"/apis/{_CRDS}/customresourcedefinitions"})
_PODS = "/api/v1/pods"
_NOT_FOUND = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
# As an API server says it whose feature WatchList is off.
_NO_STREAM = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "reason": "Invalid",
    "message": "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
    "code": 422,
}


@dataclass(frozen=True, slots=True)
class Content:
    """``listed`` is each listed pod's JSON, ``lines`` the events of a watch after the list."""

    listed: list[bytes]
    lines: list[bytes]
    streams_lists: bool

    @property
    def version(self) -> int:
        """The resourceVersion of the list; the events of the watch come after it."""
        return len(self.listed) + 1


class Server:
    """Answers one request after the other on each connection; prints each request's line."""

    def __init__(self, content: Content) -> None:
        self._content = content

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until its other side leaves."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode()
                print(target, flush=True)
                await self._answer(target, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # that is how clients leave
        finally:
            writer.close()

    async def _answer(self, target: str, writer: asyncio.StreamWriter) -> None:
        url = urlsplit(target)
        query = dict(parse_qsl(url.query))
        content = self._content if url.path == _PODS else Content([], [], streams_lists=False)
        if url.path not in {_PODS, *_EMPTY}:
            found = _DISCOVERY.get(url.path)
            await _send(writer, 200 if found else 404, json.dumps(found or _NOT_FOUND).encode())
        elif query.get("watch") not in {"true", "True", "1"}:
            await _send(writer, 200, _page(content, int(query.get("limit", 0)), int(query.get("continue", 0))))
        elif query.get("sendInitialEvents") == "true" and not content.streams_lists:
            await _send(writer, 422, json.dumps(_NO_STREAM).encode())
        else:
            await _watch(writer, content, from_start=query.get("sendInitialEvents") == "true")


def _page(content: Content, limit: int, begin: int) -> bytes:
    pods = content.listed
    end = begin + limit if limit else len(pods)
    meta = {"resourceVersion": str(content.version)} | ({"continue": str(end)} if end < len(pods) else {})
    head = b'{"kind":"PodList","apiVersion":"v1","metadata":%s,"items":[' % json.dumps(meta).encode()
    return head + b",".join(pods[begin:end]) + b"]}"


async def _watch(writer: asyncio.StreamWriter, content: Content, *, from_start: bool) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    if from_start:
        await _send_chunks(writer, (b'{"type":"ADDED","object":%s}\n' % pod for pod in content.listed))
        await _send_chunks(writer, iter([_end_of_list(content.version)]))
    # Without a last chunk it stays open, and says nothing more, until its client leaves.
    await _send_chunks(writer, iter(content.lines))


async def _send(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


async def _send_chunks(writer: asyncio.StreamWriter, lines: Iterator[bytes]) -> None:
    while block := [b"%x\r\n%s\r\n" % (len(line), line) for line in itertools.islice(lines, _EVENTS_AT_ONCE)]:
        writer.write(b"".join(block))
        await writer.drain()


def _end_of_list(version: int) -> bytes:
    annotations = {"k8s.io/initial-events-end": "true"}
    meta = {"resourceVersion": str(version), "creationTimestamp": None, "annotations": annotations}
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": {"containers": None}, "status": {}}
    return json.dumps({"type": "BOOKMARK", "object": pod}, separators=(",", ":")).encode() + b"\n"


def make_content(listed: int, watched: int, versions: int, *, streams_lists: bool) -> Content:
    """``listed`` pods in the list; after it ``watched`` pods, each in so many versions."""
    head, tail = b'{"type":"ADDED","object":', b"}\n"
    pods = [line[len(head) : -len(tail)] for line in watch_lines(listed)]
    return Content(pods, list(watch_lines(watched, versions=versions, after=listed + 1)), streams_lists)


async def _run(content: Content, kubeconfig: Path) -> None:
    server = await asyncio.start_server(Server(content).serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await asyncio.to_thread(_write_kubeconfig, kubeconfig, f"http://127.0.0.1:{port}")
    await server.serve_forever()


def _write_kubeconfig(path: Path, url: str) -> None:
    """Atomically: once the file is there, the server listens."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        "clusters": [{"name": "bench", "cluster": {"server": url}}],
        "users": [{"name": "bench", "user": {"token": "made-up"}}],
    }
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(content))
    unfinished.rename(path)


def main() -> int:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True, help="is written once the server listens")
    parser.add_argument("--listed", type=int, default=0, help="pods in the list")
    parser.add_argument("--watched", type=int, default=0, help="pods that a watch tells of after the list")
    parser.add_argument("--versions", type=int, default=1, help="in how many versions each")
    parser.add_argument("--no-streamed-lists", action="store_true", help="refuse sendInitialEvents, as old servers do")
    options = parser.parse_args()
    streams = not options.no_streamed_lists
    content = make_content(options.listed, options.watched, options.versions, streams_lists=streams)
    asyncio.run(_run(content, options.kubeconfig))
    return 0


if __name__ == "__main__":
    sys.exit(main())
