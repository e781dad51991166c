"""What people do to a model that is asked all the time costs no request: a new version, an eviction, fewer servers.

Servers end the moment they are told to, so that only the order saves a request: out of the endpoints first, then the
signal. The load comes from this machine, goes through Traefik, and ends by itself.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hack.node.cluster import NodeCluster
from support import lightserver, models
from support.kubectl import Kubectl, eventually
from support.load import Load
from support.servedmodels import GATEWAY, Models, ask, load_image
from support.workloads import workload

RESOURCES = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}}
HOST, ENDPOINT = "models.test", "/api/v1/predict"
REQUESTS = 2000
# The least that there is: what deletes the test's namespace waits for half of it.
_GRACE_SECONDS = 10
# What a caller sees of a change comes within seconds of it: a proxy follows the endpoints at its own pace.
_AFTERWARDS_SECONDS = 5.0


@pytest.fixture
def claim(admin: Kubectl, team: Kubectl, tmp_path: Path) -> Iterator[Models]:
    made = Models(admin, team, tmp_path / "models")
    yield made
    made.close()


@pytest.fixture
def light(request: pytest.FixtureRequest, node: NodeCluster, team: Kubectl, claim: Models, released: str) -> Kubectl:
    """The namespace of a light server, two of them, over an Ingress and over an HTTPRoute."""
    for version in ("v1", "v2"):
        claim.put(Path(lightserver.__file__), f"light/{version}")
    exposed = (
        {"ingress": {"host": HOST}} if request.param == "ingress" else {"gateway": {**GATEWAY, "hostnames": [HOST]}}
    )
    command = ["python3", "$(AIOP_MODEL_PATH)/lightserver.py", "8080"]
    probes = {"readiness": {"path": "/", "periodSeconds": 1}}
    server = {"image": load_image(node, "python"), "command": command, "probes": probes, "ports": None}
    team.apply(
        workload(
            "served",
            modelName="light",
            modelVersion="v1",
            framework=None,
            modelUri="pvc://models/light/v1",
            replicas=2,
            resources=RESOURCES,
            inferenceEndpoint=ENDPOINT,
            terminationGracePeriodSeconds=_GRACE_SECONDS,
            **exposed,
            **server,
        )
    )
    ready(team)
    eventually(lambda: ask(node, HOST, ENDPOINT, {}) == (200, "v1"), told=lambda: ask(node, HOST, ENDPOINT, {}))
    return team


def over(*ways: str) -> pytest.MarkDecorator:
    """By which ways requests come to the light server; the order of a server's end is the same for both."""
    return pytest.mark.parametrize("light", ways, indirect=True)


def ready(team: Kubectl) -> None:
    team("wait", "--for=condition=Ready", "aiworkload/served", "--timeout=150s")


def change(team: Kubectl, **spec: Any) -> None:
    team("patch", "aiworkload", "served", "--type=merge", "--patch", json.dumps({"spec": spec}))


def pods(team: Kubectl) -> list[str]:
    """The names of those that are not on their way out."""
    return [pod["metadata"]["name"] for pod in team.items("pods") if "deletionTimestamp" not in pod["metadata"]]


def evict(team: Kubectl, pod: str) -> None:
    metadata = {"name": pod, "namespace": team.namespace}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    path = f"/api/v1/namespaces/{team.namespace}/pods/{pod}/eviction"
    # A budget that is used up refuses for a while; whoever drains asks again.
    eventually(lambda: team.run("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction)).returncode == 0)


def under_load(node: NodeCluster, act: Callable[[], None], body: dict[str, Any]) -> Load:
    """Act amidst requests, and go on asking until enough were asked, some of them well after it."""
    with Load(f"{node.traffic_url}{ENDPOINT}", HOST, body) as load:
        eventually(lambda: load.count >= REQUESTS // 4)
        act()
        acted = time.monotonic()
        eventually(lambda: load.count >= REQUESTS and time.monotonic() - acted > _AFTERWARDS_SECONDS)
    assert load.failures == [], load.told
    assert load.count >= REQUESTS
    assert load.rate >= 50, f"too few to prove anything: {load.told}"
    return load


@over("ingress", "gateway")
def test_a_new_version_loses_no_request(node: NodeCluster, light: Kubectl) -> None:
    def renew() -> None:
        change(light, modelVersion="v2", modelUri="pvc://models/light/v2")
        ready(light)

    load = under_load(node, renew, {})
    assert set(load.answers) == {"v1", "v2"}
    assert ask(node, HOST, ENDPOINT, {}) == (200, "v2")


@over("ingress")
def test_an_eviction_of_one_server_after_the_other_loses_no_request(node: NodeCluster, light: Kubectl) -> None:
    before = pods(light)

    def drain() -> None:
        for pod in before:
            evict(light, pod)
            eventually(lambda: light.get("aiworkload", "served")["status"]["readyReplicas"] == 2)
        eventually(lambda: set(before).isdisjoint(pods(light)))
        ready(light)

    under_load(node, drain, {})
    assert set(before).isdisjoint(pods(light))


@over("gateway")
def test_fewer_servers_lose_no_request(node: NodeCluster, light: Kubectl) -> None:
    light("scale", "aiworkload/served", "--replicas=3")
    eventually(lambda: light.get("aiworkload", "served")["status"]["readyReplicas"] == 3)

    def shrink() -> None:
        light("scale", "aiworkload/served", "--replicas=1")
        eventually(lambda: len(light.items("pods")) == 1)

    under_load(node, shrink, {})


@pytest.mark.usefixtures("released")
def test_a_new_version_on_the_real_triton_loses_no_request(node: NodeCluster, team: Kubectl, claim: Models) -> None:
    model = models.affine()
    for version in ("1", "2"):
        claim.put(model.files(version), f"affine/{version}")
    team.apply(
        workload(
            "served",
            modelName="affine",
            modelVersion="1",
            modelUri="pvc://models/affine/1",
            framework="ONNX",
            runtime="triton",
            image=load_image(node, "triton"),
            replicas=1,
            resources={"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
            inferenceEndpoint=ENDPOINT,
            terminationGracePeriodSeconds=_GRACE_SECONDS,
            ingress={"host": HOST},
        )
    )
    ready(team)
    eventually(lambda: ask(node, HOST, ENDPOINT, model.request)[0] == 200)

    def renew() -> None:
        change(team, modelVersion="2", modelUri="pvc://models/affine/2")
        ready(team)

    load = under_load(node, renew, dict(model.request))
    assert sorted(json.loads(text)["outputs"][0]["data"] for text in load.answers) == [[0, 3, 6, 9], [1, 3, 5, 7]]
