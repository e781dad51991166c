import itertools
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.kubectl import eventually
from support.load import Load


class Moody(BaseHTTPRequestHandler):
    """Well, 503, hung up, in turn."""

    protocol_version = "HTTP/1.1"
    turns = itertools.cycle(range(3))
    turn = threading.Lock()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        with self.turn:
            mood = next(self.turns)
        if mood == 2:
            self.close_connection = True
            return
        content = (b"well", b"out of order")[mood]
        self.send_response((200, 503)[mood])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Moody) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_every_failure_is_counted_and_told_and_the_load_ends_by_itself(url: str) -> None:
    with Load(url, "models.test", {}, rate=1000, most=30) as load:
        eventually(lambda: load.count == 30)
    assert load.answers == {"well": 10}
    assert len(load.failures) == 20
    assert "10 x 503 out of order" in load.told
    assert "RemoteDisconnected" in load.told


def test_nothing_is_asked_after_the_end(url: str) -> None:
    with Load(url, "models.test", {}, rate=1000) as load:
        eventually(lambda: load.count >= 10)
    count = load.count
    assert load.rate > 0
    assert not any(caller.is_alive() for caller in load._callers)
    assert load.count == count
