"""Workloads reached from outside, on the real API server: by Ingress, by Gateway, one path to one workload, scraped.

No ingress controller and no gateway runs here: what they would say is written into the objects' status.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hack.definitions import GATEWAY_API, PROMETHEUS_OPERATOR, definitions
from support.controlplane import Cluster
from support.kubectl import Kubectl, eventually
from support.operator import Operator
from support.workloads import conditions, restricted_namespace, wait_for, workload

ROUTE = "/v2/models/iris/infer"
PREDICT = "/predict"
REWRITE = "nginx.ingress.kubernetes.io/rewrite-target"
MIDDLEWARES = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "middlewares.traefik.io"},
    "spec": {
        "group": "traefik.io",
        "scope": "Namespaced",
        "names": {
            "kind": "Middleware",
            "plural": "middlewares",
            "singular": "middleware",
            "listKind": "MiddlewareList",
        },
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


def ingress_class(name: str, controller: str) -> dict[str, Any]:
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass"}
    return {**kind, "metadata": {"name": name}, "spec": {"controller": controller}}


@pytest.fixture(scope="module")
def classes(admin: Kubectl, installed: None) -> Iterator[None]:
    """Two IngressClasses; neither is the cluster's default."""
    for each in (ingress_class("nginx", "k8s.io/ingress-nginx"), ingress_class("plain", "example.com/plain")):
        admin.apply(each)
    yield
    admin("delete", "ingressclass", "nginx", "plain")


@contextmanager
def served(admin: Kubectl, *files: Path) -> Iterator[None]:
    """The APIs of these definitions are served, for a while."""
    for path in files:
        admin("apply", "--server-side", "-f", str(path))
    admin("wait", "--for=condition=Established", *(f"--filename={path}" for path in files), "--timeout=120s")
    try:
        yield
    finally:
        admin("delete", *(f"--filename={path}" for path in files))


def other_namespace(kubectl: Kubectl, admin: Kubectl) -> Kubectl:
    """Another tenant's."""
    name = f"{kubectl.namespace}-other"
    admin.apply(restricted_namespace(name))
    other = Kubectl(kubectl.kubeconfig, name)
    eventually(lambda: other.run("get", "serviceaccount", "default").returncode == 0)
    return other


def in_a_later_second(kubectl: Kubectl, name: str) -> None:
    """The API server's times are of whole seconds: of two workloads of one second neither is the older."""
    created = datetime.fromisoformat(kubectl.get("aiworkload", name)["metadata"]["creationTimestamp"])
    eventually(lambda: datetime.now(UTC) - created >= timedelta(seconds=1))


def ingress(kubectl: Kubectl, name: str = "demo") -> dict[str, Any]:
    found = kubectl.run("get", "ingress", name, "-o", "json")
    return {} if found.returncode else dict(json.loads(found.stdout))


def paths(found: dict[str, Any]) -> list[tuple[str, str]]:
    rules = found.get("spec", {}).get("rules", [])
    return [(each["path"], each["pathType"]) for rule in rules for each in rule["http"]["paths"]]


def url(kubectl: Kubectl, name: str = "demo") -> str:
    return str(kubectl.get("aiworkload", name)["status"]["url"])


def exists(kubectl: Kubectl, kind: str, name: str = "demo") -> bool:
    return kubectl.run("get", kind, name).returncode == 0


def write_status(kubectl: Kubectl, kind: str, name: str, status: dict[str, Any]) -> None:
    """As a controller of that kind would."""
    patch = json.dumps({"status": status})
    kubectl("patch", kind, name, "--subresource=status", "--type=merge", "-p", patch)


def answer(kubectl: Kubectl, gateway: dict[str, str], *, accepted: str = "True", reason: str = "Accepted") -> None:
    """The Gateway says what it makes of the HTTPRoute as it is now."""
    generation = kubectl.get("httproute", "demo")["metadata"]["generation"]
    common = {"observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z", "message": "said so"}
    said = [
        {"type": "Accepted", "status": accepted, "reason": reason, **common},
        {"type": "ResolvedRefs", "status": "True", "reason": "ResolvedRefs", **common},
    ]
    parent = {"parentRef": gateway, "controllerName": "example.com/gateway", "conditions": said}
    write_status(kubectl, "httproute", "demo", {"parents": [parent]})


def unmoved(kubectl: Kubectl, operator: Operator, *objects: str) -> None:
    """A pass over a workload that is as it should be writes nothing."""

    def passes() -> float:
        found = re.findall(
            r'controller_runtime_reconcile_total\{controller="serving",result="\w+"\} (\S+)',
            operator.fetch(operator.metrics),
        )
        return sum(map(float, found))

    def versions() -> list[str]:
        return [str(kubectl.get(each)["metadata"]["resourceVersion"]) for each in objects]

    before, done = versions(), passes()
    kubectl("annotate", "aiworkload", "demo", f"example.com/looked-at={done}", "--overwrite")
    eventually(lambda: passes() > done)
    assert versions() == before


def strictly_valid(kubectl: Kubectl, kind: str, name: str = "demo") -> None:
    """The server takes the object as we sent it, and knows each of its fields."""
    live = kubectl.get(kind, name)
    sent = {part: live[part] for part in ("apiVersion", "kind", "spec")} | {"metadata": {"name": f"{name}-again"}}
    kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(sent))


def test_a_class_rewrites_the_path_and_the_host_is_the_url(kubectl: Kubectl, classes: None) -> None:
    host = f"{kubectl.namespace}.example"
    given = {"className": "nginx", "host": host, "tlsSecretName": "certificate"}
    kubectl.apply(workload(inferenceEndpoint=PREDICT, ingress=given))
    wait_for(kubectl, "EndpointReady", "True", "EndpointsReady")
    found = ingress(kubectl)
    assert paths(found) == [(PREDICT, "Exact")]
    assert found["metadata"]["annotations"][REWRITE] == ROUTE
    assert found["spec"]["ingressClassName"] == "nginx"
    assert url(kubectl) == f"https://{host}{PREDICT}"
    write_status(kubectl, "ingress", "demo", {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}})
    eventually(lambda: "is at 192.0.2.1" in conditions(kubectl)["EndpointReady"]["message"])


def test_a_class_that_is_learnt_of_later_rewrites_from_then_on(kubectl: Kubectl, admin: Kubectl) -> None:
    name = f"late-{kubectl.namespace}"
    kubectl.apply(workload(inferenceEndpoint=PREDICT, ingress={"className": name}))
    wait_for(kubectl, "EndpointReady", "True", "PathNotRewritten")
    assert paths(ingress(kubectl)) == [(PREDICT, "Prefix"), (ROUTE, "Exact")]
    admin.apply(ingress_class(name, "haproxy.org/ingress-controller/prod"))
    try:
        eventually(lambda: paths(ingress(kubectl)) == [(PREDICT, "Exact")], told=lambda: ingress(kubectl))
        wait_for(kubectl, "EndpointReady", "True", "EndpointsReady")
        annotations = ingress(kubectl)["metadata"]["annotations"]
        assert annotations["haproxy.org/path-rewrite"] == ROUTE
        assert "geartickler.com/route" not in annotations
    finally:
        admin("delete", "ingressclass", name)


def test_traefik_rewrites_by_a_middleware_from_when_its_api_is_served(
    kubectl: Kubectl, admin: Kubectl, operator: Operator, tmp_path: Path
) -> None:
    name = f"traefik-{kubectl.namespace}"
    admin.apply(ingress_class(name, "traefik.io/ingress-controller"))
    definition = tmp_path / "middlewares.json"
    definition.write_text(json.dumps(MIDDLEWARES))
    try:
        kubectl.apply(workload(inferenceEndpoint=PREDICT, ingress={"className": name}))
        wait_for(kubectl, "EndpointReady", "True", "PathNotRewritten")
        with served(admin, definition):
            wait_for(kubectl, "EndpointReady", "True", "EndpointsReady")
            (middleware,) = kubectl.items("middlewares")
            assert middleware["spec"] == {"replacePath": {"path": ROUTE}}
            unmoved(kubectl, operator, "ingress/demo", f"middleware/{middleware['metadata']['name']}")
            found = ingress(kubectl)
            named = found["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.middlewares"]
            assert named == f"{kubectl.namespace}-{middleware['metadata']['name']}@kubernetescrd"
            kubectl.apply(workload(inferenceEndpoint=PREDICT, ingress={"className": name}, framework="tensorflow"))
            other = "/v1/models/iris:predict"
            eventually(
                lambda: [each["spec"]["replacePath"]["path"] for each in kubectl.items("middlewares")] == [other]
            )
            kubectl.apply(workload())
            eventually(lambda: not kubectl.items("middlewares") and not ingress(kubectl))
    finally:
        admin("delete", "ingressclass", name)


def test_a_gateway_is_used_from_when_its_api_is_served_and_answers_in_its_own_words(
    kubectl: Kubectl, admin: Kubectl, operator: Operator, classes: None
) -> None:
    other = other_namespace(kubectl, admin)
    gateway = {"name": "public", "namespace": other.namespace}
    kubectl.apply(workload(inferenceEndpoint=PREDICT, ingress={"className": "nginx"}))
    wait_for(kubectl, "EndpointReady", "True", "EndpointsReady")
    kubectl.apply(workload(inferenceEndpoint=PREDICT, gateway={**gateway, "hostnames": ["*.models.example"]}))
    missing = wait_for(kubectl, "EndpointReady", "False", "GatewayAPIMissing")
    assert "install its CRDs" in missing["message"]
    with served(admin, *definitions(GATEWAY_API)):
        wait_for(kubectl, "EndpointReady", "False", "GatewayPending")
        strictly_valid(kubectl, "httproute")
        rule = kubectl.get("httproute", "demo")["spec"]["rules"][0]
        assert rule["matches"][0]["path"] == {"type": "Exact", "value": PREDICT}
        assert rule["filters"][0]["urlRewrite"]["path"] == {"type": "ReplaceFullPath", "replaceFullPath": ROUTE}
        answer(kubectl, gateway, accepted="False", reason="NotAllowedByListeners")
        refused = wait_for(kubectl, "EndpointReady", "False", "NotAllowedByListeners")
        assert "NotAllowedByListeners: said so" in refused["message"]
        assert exists(kubectl, "ingress"), "what serves goes only when the Gateway serves"
        answer(kubectl, gateway)
        wait_for(kubectl, "EndpointReady", "True", "EndpointsReady")
        eventually(lambda: not exists(kubectl, "ingress"))
        unmoved(kubectl, operator, "httproute/demo")
        listener = {"name": "https", "port": 8443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "c"}]}}
        other.apply(
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "Gateway",
                "metadata": {"name": "public"},
                "spec": {"gatewayClassName": "example", "listeners": [listener]},
            }
        )
        write_status(other, "gateway", "public", {"addresses": [{"type": "IPAddress", "value": "192.0.2.7"}]})
        eventually(lambda: url(kubectl) == f"https://192.0.2.7:8443{PREDICT}", told=lambda: url(kubectl))
        kubectl.apply(workload(inferenceEndpoint=PREDICT))
        eventually(lambda: not exists(kubectl, "httproute") and exists(kubectl, "ingress"))
    admin("delete", "namespace", other.namespace, "--wait=false")


def test_an_api_that_is_taken_away_is_told_as_missing(kubectl: Kubectl, admin: Kubectl) -> None:
    with served(admin, *definitions(GATEWAY_API)):
        kubectl.apply(workload(inferenceEndpoint=PREDICT, gateway={"name": "public"}))
        wait_for(kubectl, "EndpointReady", "False", "GatewayPending")
        wait_for(kubectl, "Available", "True")
    wait_for(kubectl, "EndpointReady", "False", "GatewayAPIMissing")
    wait_for(kubectl, "Ready", "False", "GatewayAPIMissing")
    assert conditions(kubectl)["Available"]["status"] == "True"


def test_the_operators_own_gateway_class_and_labels_are_the_default(
    kubectl: Kubectl, admin: Kubectl, operator: Operator, cluster: Cluster, classes: None, tmp_path: Path
) -> None:
    with served(admin, *definitions(GATEWAY_API), *definitions(PROMETHEUS_OPERATOR)):
        operator.stop()
        options = ("--gateway", "infra/public", "--ingress-class", "nginx", "--monitor-labels", "release=prometheus")
        own = operator.with_options(tmp_path / "log", *options)
        own.start()
        try:
            kubectl.apply(workload(inferenceEndpoint=PREDICT))
            wait_for(kubectl, "EndpointReady", "False", "GatewayPending")
            parent = kubectl.get("httproute", "demo")["spec"]["parentRefs"][0]
            assert (parent["namespace"], parent["name"]) == ("infra", "public")
            assert kubectl.get("servicemonitor", "demo")["metadata"]["labels"]["release"] == "prometheus"
            kubectl.apply(workload("by-ingress", inferenceEndpoint=PREDICT, ingress={}))
            eventually(lambda: ingress(kubectl, "by-ingress").get("spec", {}).get("ingressClassName") == "nginx")
        finally:
            own.stop()
            operator.start()


def test_a_path_belongs_to_the_older_workload_and_is_handed_over(kubectl: Kubectl, classes: None) -> None:
    given = {"className": "nginx", "host": f"{kubectl.namespace}.example"}
    kubectl.apply(workload("first", inferenceEndpoint=PREDICT, ingress=given))
    wait_for(kubectl, "Ready", "True", name="first")
    kubectl.apply(workload("second", inferenceEndpoint=PREDICT, ingress=given))
    taken = wait_for(kubectl, "Accepted", "False", "PathTaken", name="second")
    assert "belongs to the older workload 'first'" in taken["message"]
    wait_for(kubectl, "Available", "True", name="second")
    assert conditions(kubectl, "second")["Ready"]["reason"] == "PathTaken"
    assert not exists(kubectl, "ingress", "second")
    kubectl("delete", "aiworkload", "first")
    wait_for(kubectl, "Ready", "True", name="second")
    assert paths(ingress(kubectl, "second")) == [(PREDICT, "Exact")]


def test_what_was_exposed_stays_while_another_path_is_waited_for(kubectl: Kubectl, classes: None) -> None:
    given = {"className": "nginx", "host": f"{kubectl.namespace}.example"}
    kubectl.apply(workload("first", inferenceEndpoint="/first", ingress=given))
    wait_for(kubectl, "Ready", "True", name="first")
    kubectl.apply(workload("second", inferenceEndpoint="/second", ingress=given))
    wait_for(kubectl, "Ready", "True", name="second")
    kubectl.apply(workload("second", inferenceEndpoint="/first", ingress=given))
    wait_for(kubectl, "Accepted", "False", "PathTaken", name="second")
    assert paths(ingress(kubectl, "second")) == [("/second", "Exact")]
    kubectl.apply(workload("first", inferenceEndpoint="/else", ingress=given))
    wait_for(kubectl, "Ready", "True", name="second")
    assert paths(ingress(kubectl, "second")) == [("/first", "Exact")]


def test_the_bert_manifest_in_two_namespaces_is_exposed_once_and_names_no_tenant(
    kubectl: Kubectl, admin: Kubectl, bert: str
) -> None:
    other = other_namespace(kubectl, admin)
    kubectl.apply(bert)
    # Earlier tests leave namespaces that are on their way out: whatever they claimed comes free by itself.
    wait_for(kubectl, "Accepted", "True", name="bert-sentiment")
    in_a_later_second(kubectl, "bert-sentiment")
    other.apply(re.sub(r"modelName: .*", r"\g<0>\n  modelUri: hf://owner/model", bert))
    taken = wait_for(other, "Accepted", "False", "PathTaken", name="bert-sentiment")
    assert "an older workload of another namespace" in taken["message"]
    assert not re.search(rf"{kubectl.namespace}(?!-other)", taken["message"])
    kubectl("delete", "aiworkload", "bert-sentiment")
    wait_for(other, "Accepted", "True", name="bert-sentiment")
    eventually(lambda: exists(other, "ingress", "bert-sentiment"))
    admin("delete", "namespace", other.namespace, "--wait=false")


def test_a_host_of_another_tenant_is_refused_and_its_owner_unaffected(
    kubectl: Kubectl, admin: Kubectl, classes: None
) -> None:
    other = other_namespace(kubectl, admin)
    host = f"{kubectl.namespace}.example"
    kubectl.apply(workload(inferenceEndpoint=PREDICT, ingress={"className": "nginx", "host": host}))
    wait_for(kubectl, "Ready", "True")
    before = kubectl.get("ingress", "demo")["metadata"]["resourceVersion"]
    for theirs in (host, "*.example"):
        own = {"className": "plain", "host": theirs}
        other.apply(workload(inferenceEndpoint="/other", ingress=own, modelUri="hf://owner/model"))
        taken = wait_for(other, "Accepted", "False", "HostTaken")
        assert f"spec.ingress.host: '{theirs}'" in taken["message"]
        assert not exists(other, "ingress")
    assert kubectl.get("ingress", "demo")["metadata"]["resourceVersion"] == before
    other.apply(workload(inferenceEndpoint="/other", ingress={"host": "other.test"}, modelUri="hf://owner/model"))
    wait_for(other, "Accepted", "True")
    admin("delete", "namespace", other.namespace, "--wait=false")


def test_servers_are_scraped_by_the_one_kind_of_monitor_that_the_cluster_serves(
    kubectl: Kubectl, admin: Kubectl, operator: Operator
) -> None:
    services, pods = definitions(PROMETHEUS_OPERATOR)
    kubectl.apply(workload())
    wait_for(kubectl, "Ready", "True")
    with served(admin, pods):
        eventually(lambda: exists(kubectl, "podmonitor"))
        strictly_valid(kubectl, "podmonitor")
        with served(admin, services):
            eventually(lambda: exists(kubectl, "servicemonitor") and not exists(kubectl, "podmonitor"))
            strictly_valid(kubectl, "servicemonitor")
            unmoved(kubectl, operator, "servicemonitor/demo", "service/demo")
            spec = kubectl.get("servicemonitor", "demo")["spec"]
            wanted = spec["selector"]["matchLabels"]["geartickler.com/aiworkload"]
            chosen = kubectl.items("services", "-l", f"geartickler.com/aiworkload={wanted},geartickler.com/revision")
            assert len(chosen) == 1, "the revision's own, and not the stable one too"
            assert spec["endpoints"][0]["port"] in {port["name"] for port in chosen[0]["spec"]["ports"]}
            kubectl.apply(workload(framework="tensorflow"))
            eventually(lambda: not kubectl.items("servicemonitors"))
        eventually(lambda: not kubectl.items("podmonitors"))
    assert conditions(kubectl)["Available"]["status"] == "True"
