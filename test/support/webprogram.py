"""A server for tests, to be run by path: answers on the pod's address as its paths say."""

import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def say(line: str) -> None:
    """Into the log."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path
        if path.startswith("/redirect/"):
            self.send_response(302)
            self.send_header("Location", path.removeprefix("/redirect/"))
            self.end_headers()
        elif path.startswith("/status/"):
            self._say(int(path.removeprefix("/status/")), path)
        elif path.startswith("/slow"):
            time.sleep(30)
        elif path.startswith("/header/"):
            name = path.removeprefix("/header/")
            say(f"{name}: {self.headers.get(name, '')}")
            self._say(200, "")
        else:
            self._say(200, path)

    def _say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
host, port = os.environ["AIOP_POD_IP"], int(os.environ.get(f"AIOP_PORT_{port}", port))
server = ThreadingHTTPServer((host, port), Handler)
say(f"listening on {host}:{port}")
server.serve_forever()
