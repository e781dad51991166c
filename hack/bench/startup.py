"""From apply to the first right prediction on a real node, beside a plain Deployment of the same pod."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from hack.bench.figures import Figure, scaled
from hack.bench.node import Team, released_node
from hack.bench.spread import middle, spread
from support.kubectl import eventually
from support.lightmodel import ENDPOINT, light_model
from support.servedmodels import ask

_ROUNDS = 7
_BOUND_SECONDS = 120.0
# Short beside what is measured, and few enough requests to cost the cores nothing.
_POLL_SECONDS = 0.02
_GOAL_SECONDS = 1.0
_FIRST = "first"


class NoPrediction(Exception):
    """Raised when what was applied does not answer as it should; the text has its last answer."""


def measure_startup(scale: float) -> list[Figure]:
    """Both by turns, each under a host of its own; what was measured stays to the end, so that nothing ends amidst."""
    ours, plain = list[float](), list[float]()
    with released_node().team("bench-startup") as team:
        # It has its image unpacked and its caches warm, and shows what the operator makes of it.
        _seconds(team, [_workload(team, _FIRST)], _FIRST)
        children = _children(team)
        for number in range(scaled(_ROUNDS, scale)):
            turns = [(ours, f"ours-{number}"), (plain, f"plain-{number}")]
            for measured, name in turns if number % 2 else reversed(turns):
                what = [_workload(team, name)] if measured is ours else [plainly(each, name) for each in children]
                measured.append(_seconds(team, what, name))
    return figures_of(ours, plain)


def figures_of(ours: Sequence[float], plain: Sequence[float]) -> list[Figure]:
    """Of seconds as they were measured."""
    how = "a light server on the real node, through Traefik; from the start of `kubectl apply`; "
    same = "Deployment, Service and Ingress of the same pod by one `kubectl apply`, by turns in the same run; "
    more = middle(ours) - middle(plain)
    return [
        Figure("apply to the first right prediction", middle(ours), "s", how + spread(ours, "s")),
        Figure("… of a plain Deployment", middle(plain), "s", same + spread(plain, "s")),
        Figure("… which an AIWorkload takes longer", more, "s", "of the two medians", goal=_GOAL_SECONDS),
    ]


def plainly(child: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A child of the first workload as somebody would write it by hand, under another name; nobody owns it."""
    spec = json.loads(json.dumps(child["spec"]).replace(_host(_FIRST), _host(name)))
    labels = {"app": name}
    if child["kind"] == "Deployment":
        spec["selector"] = {"matchLabels": labels}
        spec["template"]["metadata"] = {"labels": labels}
    elif child["kind"] == "Service":
        spec = {"selector": labels, "ports": spec["ports"]}
    else:
        for path in (path for rule in spec["rules"] for path in rule["http"]["paths"]):
            path["backend"]["service"]["name"] = name
    return {
        "apiVersion": child["apiVersion"],
        "kind": child["kind"],
        "metadata": {"name": name, "annotations": _settings(child)},
        "spec": spec,
    }


def _settings(child: Mapping[str, Any]) -> dict[str, str]:
    """What the controller of an Ingress is told; other annotations are accounts of who wrote them."""
    return dict(child["metadata"].get("annotations", {})) if child["kind"] == "Ingress" else {}


def _children(team: Team) -> list[dict[str, Any]]:
    # The Deployment has its revision's name; no other workload is there yet.
    (deployment,) = team.kubectl.items("deployments")
    return [deployment, team.kubectl.get("service", _FIRST), team.kubectl.get("ingress", _FIRST)]


def _workload(team: Team, name: str) -> dict[str, Any]:
    return light_model(team.image, name, ingress={"host": _host(name)}, replicas=1)


def _host(name: str) -> str:
    return f"{name}.bench.test"


def _seconds(team: Team, manifests: Sequence[Mapping[str, Any]], name: str) -> float:
    began = time.monotonic()
    team.kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))
    while (answer := ask(team.node, _host(name), ENDPOINT, {})) != (200, "v1"):
        if time.monotonic() - began > _BOUND_SECONDS:
            message = f"{name} answers {answer} after {_BOUND_SECONDS:.0f} s"
            raise NoPrediction(message)
        time.sleep(_POLL_SECONDS)
    seconds = time.monotonic() - began
    # The next one shall not be measured while this one's status is still on its way.
    eventually(lambda: all(pod["status"]["phase"] == "Running" for pod in team.kubectl.items("pods")))
    return seconds
