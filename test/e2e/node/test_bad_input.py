"""Bad input on a real node, all of it at once: each is named, and a neighbour answers all through."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hack.images import ensure_image
from hack.node.cluster import NodeCluster
from support.asking import Asked, answers, asked_all_through
from support.kubectl import Kubectl, eventually
from support.workloads import conditions, restricted_namespace, workload

GOOD = "good.test"
SERVE = "exec httpd -f -p 8080 -h /tmp"
# What a CGI program of this server says first decides what the answer is.
REDIRECTS = (
    "mkdir -p /tmp/cgi-bin; "
    "printf '#!/bin/sh\\necho HTTP/1.0 302 Found\\necho Location: {to}\\necho\\n' > /tmp/cgi-bin/moved; "
    "chmod +x /tmp/cgi-bin/moved; "
)
# Ten megabytes, as quickly as they can be written, and the word that matters at the end.
FLOOD = "head -c 10000000 /dev/zero | tr '\\0' x | fold -w 1000; echo; echo the model is damaged; exit 3"
MOVED = {"readiness": {"type": "HTTP", "path": "/cgi-bin/moved", "periodSeconds": 1}}


def server(name: str, image: str, script: str, **spec: Any) -> dict[str, Any]:
    """A workload that runs a shell's script."""
    given = {
        "framework": None,
        "image": image,
        "command": ["sh", "-c", script],
        "ports": [{"name": "web", "containerPort": 8080}],
        "resources": {"limits": {"cpu": "200m", "memory": "64Mi"}},
        "terminationGracePeriodSeconds": 10,
        **spec,
    }
    return workload(name, **given)


@dataclass(frozen=True)
class Bad:
    """A workload and what its condition says of it: ``reason`` and the parts of its message."""

    name: str
    manifest: Callable[[str], dict[str, Any]]
    kind: str
    reason: str
    words: tuple[str, ...]


BAD = (
    Bad(
        "nowhere",
        lambda image: server("nowhere", image, SERVE, modelUri="pvc://no-such-claim/iris"),
        "Degraded",
        "MissingClaim",
        ('"no-such-claim" not found', "create the claim in this namespace"),
    ),
    Bad(
        "elsewhere",
        lambda image: server("elsewhere", image, SERVE, modelUri="pvc://theirs/iris"),
        "Degraded",
        "MissingClaim",
        ('"theirs" not found', "create the claim in this namespace"),
    ),
    Bad(
        "second",
        lambda image: server("second", image, SERVE, inferenceEndpoint="/", ingress=_ingress(GOOD)),
        "Accepted",
        "PathTaken",
        ("by the IngressClass 'traefik', belongs to the older workload 'good'; set another path",),
    ),
    Bad(
        "never-binds",
        lambda image: server("never-binds", image, "exec sleep 100000"),
        "Ready",
        "PodsNotReady",
        ("has not answered its readiness probe (a connection to port http", "does not listen there"),
    ),
    Bad(
        "goes-round",
        lambda image: server("goes-round", image, REDIRECTS.format(to="/cgi-bin/moved") + SERVE, probes=MOVED),
        "Ready",
        "PodsNotReady",
        ("has not answered its readiness probe (GET /cgi-bin/moved on port http, every 1 s)",),
    ),
    Bad(
        "floods",
        lambda image: server("floods", image, FLOOD),
        "Degraded",
        "CrashLoop",
        ("exit code 3", "the model is damaged"),
    ),
)


def _ingress(host: str) -> dict[str, str]:
    return {"host": host, "className": "traefik"}


@dataclass(frozen=True)
class Town:
    """The neighbour and all that is bad, in one namespace."""

    team: Kubectl
    image: str
    asked: Asked


@pytest.fixture(scope="module")
def town(node: NodeCluster, admin: Kubectl, released: str) -> Iterator[Town]:
    made = ensure_image("busybox")
    node.load(made.archive)
    for name in ("bad-input", "bad-input-others"):
        admin.apply(restricted_namespace(name))
    others = Kubectl(admin.kubeconfig, "bad-input-others")
    others.apply(_claim("theirs"))
    team = Kubectl(admin.kubeconfig, "bad-input")
    eventually(lambda: team.run("get", "serviceaccount", "default").returncode == 0)
    hello = f"echo hello > /tmp/index.html; {SERVE}"
    team.apply(server("good", made.reference, hello, inferenceEndpoint="/", ingress=_ingress(GOOD)))
    eventually(lambda: answers(node.address, GOOD))
    before, neighbours = _operators(admin, released), _restarts(team, "good")
    with asked_all_through(node.address, GOOD) as asked:
        team.apply({"apiVersion": "v1", "kind": "List", "items": [bad.manifest(made.reference) for bad in BAD]})
        yield Town(team, made.reference, asked)
        admin("delete", "namespace", others.namespace, "--wait=false")
    assert asked.failures == [], "the neighbour was hurt"
    assert asked.answers > 0
    assert _restarts(team, "good") == neighbours, "the neighbour's server was hurt"
    assert _operators(admin, released) == before, "the operator was hurt"
    admin("delete", "namespace", team.namespace, "--wait=false")


def _claim(name: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def _operators(admin: Kubectl, namespace: str) -> set[tuple[str, int]]:
    """The operator's pods, and how often each was started again."""
    return _restarts(Kubectl(admin.kubeconfig, namespace), "")


def _restarts(kubectl: Kubectl, name: str) -> set[tuple[str, int]]:
    """Of the pods of that AIWorkload, or of all pods."""
    pods = kubectl.items("pods", *(("-l", f"geartickler.com/aiworkload={name}") if name else ()))
    there = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    return {(pod["metadata"]["name"], pod["status"]["containerStatuses"][0]["restartCount"]) for pod in there}


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_each_is_named_with_what_to_do(town: Town, bad: Bad) -> None:
    def told() -> dict[str, Any]:
        found: dict[str, Any] = conditions(town.team, bad.name).get(bad.kind, {})
        return found

    eventually(
        lambda: told().get("reason") == bad.reason and all(each in told()["message"] for each in bad.words), told=told
    )
    assert len(told()["message"]) < 2000


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"modelUri": "pvc://models/../../etc"}, "modelUri must not contain '..'"),
        ({"modelUri": "pvc://../etc"}, "spec.modelUri"),
        ({"modelUri": "pvc://bad-input-others:theirs/iris"}, "spec.modelUri"),
        ({"inferenceEndpoint": "/api/../admin"}, "inferenceEndpoint must be a plain path"),
        ({"inferenceEndpoint": "/api/%2e%2e/admin"}, "spec.inferenceEndpoint"),
        ({"inferenceEndpoint": "/api?model=other"}, "spec.inferenceEndpoint"),
        ({"inferenceEndpoint": "/an api"}, "spec.inferenceEndpoint"),
        ({"inferenceEndpoint": "/prédire"}, "spec.inferenceEndpoint"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(town: Town, spec: dict[str, Any], words: str) -> None:
    manifest = json.dumps(workload("refused", **spec))
    assert words in town.team.refusal("create", "--dry-run=server", "-f", "-", stdin=manifest)


def test_a_probe_that_is_sent_to_another_host_succeeds_and_the_kubelet_warns(town: Town) -> None:
    # Kubernetes' own rule: it does not follow there. Nothing is wrong that the operator could see.
    script = REDIRECTS.format(to="http://elsewhere.invalid/") + SERVE
    town.team.apply(server("sent-away", town.image, script, probes=MOVED))
    eventually(lambda: conditions(town.team, "sent-away").get("Ready", {}).get("status") == "True")
    eventually(lambda: any("Readiness probe warning" in each["message"] for each in town.team.items("events")))


def test_a_server_that_ignores_its_signal_is_gone_when_its_time_is_up(town: Town) -> None:
    script = "trap '' TERM; httpd -f -p 8080 -h /tmp & while true; do sleep 1; done"
    town.team.apply(server("stays", town.image, script))
    eventually(lambda: conditions(town.team, "stays").get("Ready", {}).get("status") == "True")
    (pod,) = [each for each in town.team.items("pods") if "stays" in each["metadata"]["name"]]
    town.team("delete", "aiworkload", "stays", "--cascade=foreground", "--timeout=60s")
    assert town.team.run("get", "pod", pod["metadata"]["name"]).returncode != 0
    events = [each for each in town.team.items("events") if each["involvedObject"].get("uid") == pod["metadata"]["uid"]]
    assert any(each["reason"] == "Killing" for each in events)
