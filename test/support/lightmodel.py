"""A light model on a real node that is asked all the time, and what people do to it meanwhile."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from hack.node.cluster import NodeCluster
from support.kubectl import Kubectl, eventually
from support.load import Load
from support.workloads import workload

NAME, ENDPOINT, HOST = "served", "/api/v1/predict", "models.test"
# The least that there is: what deletes the test's namespace waits for half of it.
GRACE_SECONDS = 10
REQUESTS = 2000
_RESOURCES = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}}
# What a caller sees of a change comes within seconds of it: a proxy follows the endpoints at its own pace.
_AFTERWARDS_SECONDS = 5.0


def light_model(image: str, name: str = NAME, **spec: Any) -> dict[str, Any]:
    """A workload of `support.lightserver`, which lies in the claim as `light/v1`; an Ingress for HOST unless told."""
    defaults: dict[str, Any] = {
        "modelName": "light",
        "modelVersion": "v1",
        "framework": None,
        "modelUri": "pvc://models/light/v1",
        "image": image,
        "command": ["python3", "$(AIOP_MODEL_PATH)/lightserver.py", "8080"],
        "probes": {"readiness": {"path": "/", "periodSeconds": 1}},
        "resources": _RESOURCES,
        "inferenceEndpoint": ENDPOINT,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "ingress": {"host": HOST},
    }
    return workload(name, **{**defaults, **spec})


def ready(team: Kubectl) -> None:
    """Wait until it is Ready."""
    team("wait", "--for=condition=Ready", f"aiworkload/{NAME}", "--timeout=150s")


def has_ready(team: Kubectl, count: int) -> bool:
    """Whether so many servers are ready by its status."""
    return bool(team.get("aiworkload", NAME)["status"].get("readyReplicas", 0) == count)


def change(team: Kubectl, **spec: Any) -> None:
    """Change its spec."""
    team("patch", "aiworkload", NAME, "--type=merge", "--patch", json.dumps({"spec": spec}))


def pods(team: Kubectl) -> list[str]:
    """The names of those that are not on their way out."""
    return [pod["metadata"]["name"] for pod in team.items("pods") if "deletionTimestamp" not in pod["metadata"]]


def renew(team: Kubectl) -> None:
    """A new modelVersion, until it is Ready."""
    change(team, modelVersion="v2", modelUri="pvc://models/light/v2")
    ready(team)


def drain(team: Kubectl) -> None:
    """Evict one of two servers after the other, each once the one before is replaced."""
    before = pods(team)
    for pod in before:
        _evict(team, pod)
        eventually(lambda: has_ready(team, 2))
    eventually(lambda: set(before).isdisjoint(pods(team)))
    ready(team)


def shrink(team: Kubectl) -> None:
    """Scale it down to one server."""
    team("scale", f"aiworkload/{NAME}", "--replicas=1")
    eventually(lambda: len(team.items("pods")) == 1)


def asked_meanwhile(
    node: NodeCluster, act: Callable[[], None], body: Mapping[str, Any], requests: int = REQUESTS
) -> Load:
    """Act amidst requests, and go on asking until enough were asked, some of them well after it."""
    with Load(f"{node.traffic_url}{ENDPOINT}", HOST, body) as load:
        eventually(lambda: load.count >= requests // 4)
        act()
        acted = time.monotonic()
        eventually(lambda: load.count >= requests and time.monotonic() - acted > _AFTERWARDS_SECONDS)
    return load


def _evict(team: Kubectl, pod: str) -> None:
    metadata = {"name": pod, "namespace": team.namespace}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    path = f"/api/v1/namespaces/{team.namespace}/pods/{pod}/eviction"
    # A budget that is used up refuses for a while; whoever drains asks again.
    eventually(lambda: team.run("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction)).returncode == 0)
