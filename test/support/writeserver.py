"""An HTTP server in threads of its own: it answers whatever a test's event loop does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiop.runtime.kit.clock import SystemClock


class WriteServer:
    """``arrived`` are the moments at which writes came, whole."""

    def __init__(self, kubeconfig: str) -> None:
        self.kubeconfig = kubeconfig
        self.arrived: list[float] = []


class _Server(ThreadingHTTPServer):
    request_queue_size = 64  # connections that come at once are not to be turned away


@contextmanager
def write_server(folder: Path) -> Iterator[WriteServer]:
    clock, kubeconfig = SystemClock(), folder / "kubeconfig"
    told = WriteServer(str(kubeconfig))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.arrived.append(clock.monotonic())
            self.send_response(201)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            """Say nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        write_kubeconfig(kubeconfig, server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


def write_kubeconfig(path: Path, port: int) -> None:
    """For the HTTP server at that port of this machine."""
    config = {
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "test", "user": {"token": "made-up"}}],
    }
    path.write_text(json.dumps(config), encoding="utf-8")
