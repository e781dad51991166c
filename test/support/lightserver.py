"""A model server that costs next to nothing: it answers with its version, and ends at once when it is told to.

It lies among a model's files and runs in an image that has Python and nothing else.
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # callers keep their connections

    def do_GET(self) -> None:
        self._answer(b"ready")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._answer(os.environ["AIOP_MODEL_VERSION"].encode())

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing: there are thousands of requests."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main(port: int) -> None:
    # The least polite of servers: what is under way is cut off, so that only the right order of things saves it.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    Server(("", port), Handler).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
