"""`kubectl port-forward` to pods that are processes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from support.embedded import following
from support.kubectl import eventually
from unit.sim.server.streams.conftest import Pods
from unit.sim.server.streams.test_traffic import READY, ask


@contextmanager
def forwarded(kubectl: Pods, *what: str) -> Iterator[str]:
    """The URL at which kubectl listens."""
    with following(kubectl, "port-forward", *what) as lines:
        found = eventually(lambda: re.search(r"127\.0\.0\.1:\d+", "\n".join(lines)), told=lambda: lines)
        yield f"http://{found.group()}"


def web_pod(kubectl: Pods, name: str) -> None:
    """One that listens: at the first connection that fails kubectl gives up."""
    main = {"name": "main", "image": "web:1", "ports": [{"containerPort": 8080}], "readinessProbe": READY}
    spec = {"terminationGracePeriodSeconds": 1, "containers": [main]}
    kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")


def test_a_port_of_a_pod_is_reached_again_and_again(kubectl: Pods) -> None:
    web_pod(kubectl, "a")
    with forwarded(kubectl, "pod/a", ":8080") as url:
        eventually(lambda: ask(f"{url}/x") == "/x", told=lambda: ask(f"{url}/x"))
        assert [ask(f"{url}/{number}") for number in range(20)] == [f"/{number}" for number in range(20)]


def test_much_data_passes_whole(kubectl: Pods) -> None:
    web_pod(kubectl, "a")
    long = "x" * 60_000
    with forwarded(kubectl, "pod/a", ":8080") as url:
        eventually(lambda: ask(f"{url}/{long}") == f"/{long}")


def test_a_port_where_nobody_listens_costs_its_connection_only(kubectl: Pods) -> None:
    web_pod(kubectl, "a")
    with forwarded(kubectl, "pod/a", ":8080", ":9") as url, following(kubectl, "get", "pods", "-w"):
        eventually(lambda: ask(f"{url}/x") == "/x")
    with forwarded(kubectl, "pod/a", ":9") as url:
        assert "no answer" in ask(f"{url}/x")
