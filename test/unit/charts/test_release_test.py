"""What `helm test` runs: the script of its pod, run here against a server that answers, and one that does not."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from hack.generated.chart import rendered_chart
from support.podsecurity import violations

ROOT = Path(__file__).parents[3]


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/metrics" else 404)
        self.end_headers()
        self.wfile.write(b"aiop_build_info 1\n")

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Metrics) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def pod() -> Any:
    (found,) = [each for each in rendered_chart(ROOT) if each["kind"] == "Pod"]
    return found


def run(pod: Any, url: str, patience: str = "0") -> subprocess.CompletedProcess[str]:
    """The pod's own command, with this Python, another address and another patience (seconds)."""
    python, *options, _, _ = pod["spec"]["containers"][0]["command"]
    assert python in (ROOT / "Dockerfile").read_text()
    command = [sys.executable, *options, patience, url]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_release_that_answers_passes(pod: Any, server: str) -> None:
    done = run(pod, f"{server}/metrics")
    assert (done.returncode, done.stdout) == (0, "200 18 bytes of metrics\n")


def test_a_release_that_answers_a_moment_later_passes(pod: Any, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def late(handler: Metrics) -> None:
        asked.append(handler.path)
        handler.send_response(503 if len(asked) == 1 else 200)
        handler.end_headers()

    monkeypatch.setattr(Metrics, "do_GET", late)
    done = run(pod, f"{server}/metrics", "50")
    assert (done.returncode, done.stdout, len(asked)) == (0, "200 0 bytes of metrics\n", 2)


def test_a_release_that_does_not_answer_fails(pod: Any, server: str) -> None:
    assert run(pod, f"{server}/elsewhere").returncode != 0
    assert run(pod, "http://127.0.0.1:9/metrics").returncode != 0


def test_it_asks_the_releases_own_service(pod: Any) -> None:
    (service,) = [each for each in rendered_chart(ROOT) if each["kind"] == "Service"]
    metadata = service["metadata"]
    host = f"{metadata['name']}.{metadata['namespace']}.svc:{service['spec']['ports'][0]['port']}"
    assert pod["spec"]["containers"][0]["command"][-1] == f"http://{host}/metrics"


def test_its_pod_is_restricted_and_has_no_token(pod: Any) -> None:
    assert violations(pod["spec"]) == []
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
