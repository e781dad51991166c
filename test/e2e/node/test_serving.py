"""Models that answer: the real Triton and the real MLServer, asked from outside through Traefik."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hack.node.cluster import NodeCluster
from support import models
from support.explaining import explained
from support.helm import CHART, Helm
from support.kubectl import Kubectl, eventually
from support.models import ServedModel
from support.servedmodels import GATEWAY, Models, ask, load_image, prediction
from support.workloads import conditions, wait_for, workload

# More than one server fits on a node of two cores, and each may use a core while it starts.
RESOURCES = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
ENDPOINT = "/api/v1/predict"
HOST = "models.test"


@pytest.fixture
def claim(admin: Kubectl, team: Kubectl, tmp_path: Path) -> Iterator[Models]:
    made = Models(admin, team, tmp_path / "models")
    yield made
    made.close()


@pytest.fixture
def store(admin: Kubectl, released: str) -> Iterator[None]:
    """While the test runs, the operator looks for models in a folder of each namespace's claim `models`."""
    keep_models_in(admin, released, "pvc://models/store")
    yield
    keep_models_in(admin, released, "")


def keep_models_in(admin: Kubectl, namespace: str, place: str) -> None:
    setting = f"models.store={place}"
    words = ["--reuse-values", "--set-string", setting, "--wait", "--timeout=100s"]
    Helm(admin.kubeconfig, namespace)("upgrade", "aiop", CHART, *words)


def served(model: ServedModel, **spec: Any) -> dict[str, Any]:
    """One server of the model, by the runtime that its framework has unless another is named."""
    defaults = {
        "modelName": model.name,
        "modelVersion": "1",
        "framework": model.framework,
        "replicas": 1,
        "resources": RESOURCES,
        "terminationGracePeriodSeconds": 10,
        "inferenceEndpoint": ENDPOINT,
        "ingress": {"host": HOST},
    }
    return workload("served", **{**defaults, **spec})


def answers(node: NodeCluster, model: ServedModel, version: str) -> None:
    eventually(
        lambda: prediction(ask(node, HOST, ENDPOINT, model.request)) == model.answers[version],
        told=lambda: ask(node, HOST, ENDPOINT, model.request),
    )


def change(team: Kubectl, **spec: Any) -> None:
    team("patch", "aiworkload", "served", "--type=merge", "--patch", json.dumps({"spec": spec}))


def pods(team: Kubectl) -> set[str]:
    return {pod["metadata"]["uid"] for pod in team.items("pods")}


def ready(team: Kubectl) -> None:
    team("wait", "--for=condition=Ready", "aiworkload/served", "--timeout=150s")


def answers_over_ingress_and_httproute(node: NodeCluster, team: Kubectl, model: ServedModel) -> None:
    """The right prediction at exactly the endpoint, by both ways, from the same pod."""
    answers(node, model, "1")
    assert ask(node, HOST, f"{ENDPOINT}/more", model.request)[0] == 404
    before = pods(team)
    change(team, ingress=None, gateway={**GATEWAY, "hostnames": [HOST]})
    eventually(lambda: team.items("httproutes") and not team.items("ingresses"))
    ready(team)
    answers(node, model, "1")
    assert ask(node, HOST, f"{ENDPOINT}/more", model.request)[0] == 404
    assert pods(team) == before


def a_corrupt_version_is_named(node: NodeCluster, team: Kubectl, model: ServedModel, good: str, words: str) -> None:
    """By the conditions and by explain, as its own server tells it; the good version goes on answering."""
    assert words in wait_for(team, "Degraded", "True", "CrashLoop", "served")["message"]
    # A server that has just ended well is not known to crash until kubelet says that it waits.
    eventually(lambda: words in (explained(team, "served")["cause"] or {}).get("message", ""))
    answers(node, model, good)
    assert conditions(team, "served")["Available"]["status"] == "True"


def refused_writing(team: Kubectl, python: str) -> str:
    """What a server is told that tries to write where its model lies."""
    (pod,) = team.items("pods")
    (mount,) = [each for each in pod["spec"]["containers"][0]["volumeMounts"] if each["name"] == "model"]
    return team.refusal("exec", pod["metadata"]["name"], "--", python, "-c", f"open('{mount['mountPath']}/x', 'w')")


@pytest.mark.usefixtures("released")
def test_an_onnx_model_on_triton_answers_from_a_claim_over_ingress_and_httproute_and_beside_a_corrupt_one(
    node: NodeCluster, team: Kubectl, claim: Models
) -> None:
    model = models.affine()
    claim.put(model.files("1"), "anywhere/affine-1")
    team.apply(
        served(model, runtime="triton", image=load_image(node, "triton"), modelUri="pvc://models/anywhere/affine-1")
    )
    ready(team)
    answers_over_ingress_and_httproute(node, team, model)
    assert "Read-only file system" in refused_writing(team, "python3")
    (address,) = [pod["status"]["podIP"] for pod in team.items("pods")]
    asking = node.inside("curl", "-s", "-m", "5", f"http://{address}:8002/metrics")
    shown = subprocess.run(asking, check=True, capture_output=True, text=True).stdout
    assert 'nv_inference_request_success{model="affine",version="1"}' in shown
    claim.put(model.files("corrupt"), "anywhere/affine-3")
    change(team, modelVersion="3", modelUri="pvc://models/anywhere/affine-3")
    a_corrupt_version_is_named(node, team, model, "1", "failed to load all models")


@pytest.mark.usefixtures("store")
def test_a_scikit_learn_model_on_mlserver_answers_from_the_model_store_over_both_and_beside_a_corrupt_one(
    node: NodeCluster, team: Kubectl, claim: Models
) -> None:
    model = models.iris()
    for version in ("1", "2"):
        claim.put(model.files(version), f"store/iris/{version}")
    team.apply(served(model, runtime="mlserver-sklearn", image=load_image(node, "mlserver")))
    ready(team)
    answers_over_ingress_and_httproute(node, team, model)
    assert "Read-only file system" in refused_writing(team, "python3")
    change(team, modelVersion="2")
    answers(node, model, "2")
    ready(team)
    uris = [version["modelUri"] for version in team.get("aiworkload", "served")["status"]["versions"]]
    assert uris == ["pvc://models/store/iris/2"]
    claim.put(model.files("corrupt"), "store/iris/3")
    change(team, modelVersion="3")
    # MLServer ends as if all were well.
    a_corrupt_version_is_named(node, team, model, "2", "exit code 0 (Completed) though a server goes on")
