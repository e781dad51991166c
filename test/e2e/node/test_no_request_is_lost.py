"""What people do to a model that is asked all the time costs no request: a new version, an eviction, fewer servers.

Servers end the moment they are told to, so that only the order saves a request: out of the endpoints first, then the
signal. The load comes from this machine, goes through Traefik, and ends by itself.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hack.node.cluster import NodeCluster
from support import lightserver, models
from support.kubectl import Kubectl, eventually
from support.lightmodel import (
    ENDPOINT,
    GRACE_SECONDS,
    HOST,
    REQUESTS,
    asked_meanwhile,
    change,
    drain,
    has_ready,
    light_model,
    pods,
    ready,
    renew,
    shrink,
)
from support.load import Load
from support.servedmodels import GATEWAY, Models, ask, load_image
from support.workloads import workload


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
    route: dict[str, Any] = {"gateway": {**GATEWAY, "hostnames": [HOST]}, "ingress": None}
    exposed = {} if request.param == "ingress" else route
    team.apply(light_model(load_image(node, "python"), replicas=2, **exposed))
    ready(team)
    eventually(lambda: ask(node, HOST, ENDPOINT, {}) == (200, "v1"), told=lambda: ask(node, HOST, ENDPOINT, {}))
    return team


def over(*ways: str) -> pytest.MarkDecorator:
    """By which ways requests come to the light server; the order of a server's end is the same for both."""
    return pytest.mark.parametrize("light", ways, indirect=True)


def under_load(node: NodeCluster, act: Callable[[], None], body: dict[str, Any]) -> Load:
    """Act amidst requests; none of them fails."""
    load = asked_meanwhile(node, act, body)
    assert load.failures == [], load.told
    assert load.count >= REQUESTS
    assert load.rate >= 50, f"too few to prove anything: {load.told}"
    return load


@over("ingress", "gateway")
def test_a_new_version_loses_no_request(node: NodeCluster, light: Kubectl) -> None:
    load = under_load(node, lambda: renew(light), {})
    assert set(load.answers) == {"v1", "v2"}
    assert ask(node, HOST, ENDPOINT, {}) == (200, "v2")


@over("ingress")
def test_an_eviction_of_one_server_after_the_other_loses_no_request(node: NodeCluster, light: Kubectl) -> None:
    before = pods(light)
    under_load(node, lambda: drain(light), {})
    assert set(before).isdisjoint(pods(light))


@over("gateway")
def test_fewer_servers_lose_no_request(node: NodeCluster, light: Kubectl) -> None:
    light("scale", "aiworkload/served", "--replicas=3")
    eventually(lambda: has_ready(light, 3))
    under_load(node, lambda: shrink(light), {})


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
            terminationGracePeriodSeconds=GRACE_SECONDS,
            ingress={"host": HOST},
        )
    )
    ready(team)
    eventually(lambda: ask(node, HOST, ENDPOINT, model.request)[0] == 200)

    def next_version() -> None:
        change(team, modelVersion="2", modelUri="pvc://models/affine/2")
        ready(team)

    load = under_load(node, next_version, dict(model.request))
    assert sorted(json.loads(text)["outputs"][0]["data"] for text in load.answers) == [[0, 3, 6, 9], [1, 3, 5, 7]]
