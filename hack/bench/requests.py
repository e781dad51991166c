"""Requests that fail while people change a model on a real node: a new version, evictions, fewer servers."""

from collections.abc import Callable

from hack.bench.figures import Figure, scaled
from hack.bench.node import released_node
from support.kubectl import Kubectl, eventually
from support.lightmodel import (
    ENDPOINT,
    HOST,
    NAME,
    REQUESTS,
    asked_meanwhile,
    drain,
    has_ready,
    light_model,
    ready,
    renew,
    shrink,
)
from support.load import Load
from support.servedmodels import ask

# In this order each begins with the two servers that the one before has left.
_SCENARIOS: dict[str, Callable[[Kubectl], None]] = {
    "modelVersion changes": renew,
    "both servers are evicted, one after the other": drain,
    "two servers become one": shrink,
}


def measure_requests(scale: float) -> list[Figure]:
    """Two light servers over an Ingress, asked all the time."""
    requests = scaled(REQUESTS, scale)
    with released_node().team("bench-requests") as team:
        team.kubectl.apply(light_model(team.image, replicas=2))
        ready(team.kubectl)
        eventually(lambda: ask(team.node, HOST, ENDPOINT, {}) == (200, "v1"))
        return [_figure(what, _load(team.kubectl, act, requests)) for what, act in _SCENARIOS.items()]


def _load(kubectl: Kubectl, act: Callable[[Kubectl], None], requests: int) -> Load:
    eventually(lambda: has_ready(kubectl, 2), told=lambda: kubectl("describe", "aiworkload", NAME))
    return asked_meanwhile(released_node().node, lambda: act(kubectl), {}, requests)


def _figure(what: str, load: Load) -> Figure:
    how = f"two light servers on the real node, through Traefik: {load.told}"
    return Figure(f"failed requests while {what}", len(load.failures), "requests", how, goal=0)
