"""A web server over TLS that behaves as it is told, for the fetcher's sources that speak HTTP."""

import base64
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

_PIECE = 256 * 1024


@dataclass(frozen=True)
class Body:
    """``size`` bytes that are made as they are sent; ``etag`` stands for them."""

    size: int
    etag: str = '"made"'

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self.size)
        pattern = bytes(range(256))
        shift = start % 256
        return ((pattern * ((stop - start) // 256 + 2))[shift:])[: stop - start]

    def __len__(self) -> int:
        return self.size


@dataclass
class Request:
    """What came: ``path`` unquoted, without its query."""

    handler: BaseHTTPRequestHandler
    method: str
    path: str
    query: str

    @property
    def authorization(self) -> str:
        return self.handler.headers.get("Authorization", "")

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A small answer; underscores in header names mean dashes."""
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        if self.method != "HEAD":
            self.handler.wfile.write(body)

    def serve(
        self,
        content: "bytes | Body",
        etag: str = '"1"',
        *,
        ranges: bool = True,
        length: bool = True,
        cut: int | None = None,
        **headers: str,
    ) -> None:
        """``content`` or the part that is asked for; after ``cut`` bytes the connection breaks off."""
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.handler.headers.get("Range", "") if ranges else "")
        start = int(wanted[1]) if wanted else 0
        stop = min(int(wanted[2]) + 1 if wanted and wanted[2] else len(content), len(content))
        if wanted and start >= len(content):
            self.answer(416, Content_Range=f"bytes */{len(content)}")
            return
        self.handler.send_response(206 if wanted else 200)
        if wanted:
            self.handler.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        for name, value in {"ETag": etag, **headers}.items():
            self.handler.send_header(name.replace("_", "-"), value)
        if length:
            self.handler.send_header("Content-Length", str(stop - start))
        else:
            self.handler.send_header("Connection", "close")
            self.handler.close_connection = True
        self.handler.end_headers()
        if self.method != "HEAD":
            self._pour(content, start, stop, cut)

    def _pour(self, content: "bytes | Body", start: int, stop: int, cut: int | None) -> None:
        end = stop if cut is None else min(stop, start + cut)
        for offset in range(start, end, _PIECE):
            self.handler.wfile.write(content[offset : min(offset + _PIECE, end)])
        if end < stop:
            self.handler.wfile.flush()
            self.handler.close_connection = True
            self.handler.connection.shutdown(socket.SHUT_RDWR)


@dataclass
class Host:
    """Answers paths by the longest prefix in ``routes``; ``requests`` records method, path and Authorization."""

    port: int = 0
    routes: dict[str, Callable[[Request], None]] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"localhost:{self.port}"

    def url(self, path: str) -> str:
        return f"https://{self.address}{path}"

    def files(self, **contents: "bytes | Body") -> None:
        """Serve ``contents`` below /files/; double underscores in names mean dots."""
        for name, content in contents.items():
            self.routes[f"/files/{name.replace('__', '.')}"] = partial(Request.serve, content=content)

    def handle(self, request: Request) -> None:
        self.requests.append((request.method, request.path, request.authorization))
        found = [prefix for prefix in self.routes if request.path.startswith(prefix)]
        if found:
            self.routes[max(found, key=len)](request)
        else:
            request.answer(404, b"no such file")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Host]:
    """A host on a free port of the loopback, over TLS if there is a context."""
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments: Any) -> None:
            pass

        def _any(self) -> None:
            parts = urlsplit(self.path)
            try:
                host.handle(Request(self, self.command, unquote(parts.path), parts.query))
            except OSError:  # the client has gone, or was sent away
                self.close_connection = True

        do_GET = do_HEAD = do_POST = _any  # noqa: N815 - the names that the library looks for

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_arguments: Any) -> None:
            pass

        def finish_request(self, request: Any, client_address: Any) -> None:
            with context.wrap_socket(request, server_side=True) if context else request as secured:
                super().finish_request(secured, client_address)

        def shutdown_request(self, request: Any) -> None:
            request.close()

    server = Server(("127.0.0.1", 0), Handler)
    host.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
