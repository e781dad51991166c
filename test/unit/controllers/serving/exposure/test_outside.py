"""What people are told of the outside, and the URL that they get."""

from typing import Any

import msgspec
import pytest

from aiop.controllers.serving.exposure.cluster import Cluster
from aiop.controllers.serving.exposure.gateways import GatewayView, Listener, decode_gateway, gateway_url
from aiop.controllers.serving.exposure.kinds import HTTPROUTES
from aiop.controllers.serving.exposure.outside import Outside, outside
from aiop.runtime.client.builtin import INGRESSES
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.views.meta import ObjectMeta
from support.servingworld import World

ROUTE = "/v2/models/bert-base-uncased/infer"
CLUSTER = Cluster(
    gateway_api=True, ingress_classes={"nginx": "k8s.io/ingress-nginx", "alb": "alb"}, default_class="nginx"
)
GATEWAY = {"name": "public", "namespace": "infra"}


def world(cluster: Cluster = CLUSTER, **spec: Any) -> World:
    made = World(cluster=cluster)
    made.change(**spec)
    made.settle()
    return made


def said(made: World) -> Outside:
    observed = made.observe()
    return outside(observed, made.plan().exposure)


def answer(kind: str, status: str = "True", reason: str = "", message: str = "", generation: int = 1) -> dict[str, Any]:
    found = {"type": kind, "status": status, "reason": reason or kind, "message": message}
    return {**found, "observedGeneration": generation}


def answered(made: World, *conditions: dict[str, Any], parent: dict[str, str] | None = None) -> World:
    """The Gateway says so."""
    made.child_status[HTTPROUTES] = {"parents": [{"parentRef": parent or GATEWAY, "conditions": list(conditions)}]}
    return made


def test_inside_the_cluster_there_is_nothing_to_wait_for() -> None:
    found = said(world(inferenceEndpoint=None))
    assert (found.ok, found.reason, found.url) == (True, "EndpointsReady", "")


def test_a_gateway_that_says_nothing_is_waited_for_and_named() -> None:
    found = said(world(gateway=GATEWAY))
    assert (found.ok, found.reason) == (False, "GatewayPending")
    assert "infra/public" in found.message


def test_what_a_gateway_said_of_an_older_generation_does_not_count() -> None:
    made = world(gateway=GATEWAY)
    made.of(HTTPROUTES)[0].generation = 2
    assert said(answered(made, answer("Accepted"), answer("ResolvedRefs"))).reason == "GatewayPending"
    later = (answer("Accepted", generation=2), answer("ResolvedRefs", generation=2))
    assert said(answered(made, *later)).ok


def test_what_another_gateway_says_does_not_count() -> None:
    made = world(gateway=GATEWAY)
    for parent in ({"name": "public"}, {**GATEWAY, "sectionName": "http"}):
        assert (
            said(answered(made, answer("Accepted"), answer("ResolvedRefs"), parent=parent)).reason == "GatewayPending"
        )


def test_half_an_answer_is_waited_for() -> None:
    made = world(gateway=GATEWAY)
    for half in ("Accepted", "ResolvedRefs"):
        assert said(answered(made, answer(half))).reason == "GatewayPending"
    unknown = answered(made, answer("Accepted", "Unknown"), answer("ResolvedRefs"))
    assert said(unknown).reason == "GatewayPending"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("NotAllowedByListeners", "NotAllowedByListeners"),
        ("NoMatchingListenerHostname", "NoMatchingListenerHostname"),
        ("NoMatchingParent", "NoMatchingParent"),
        ("UnsupportedValue", "RouteRefused"),
        ("SomethingNew", "RouteRefused"),
    ],
)
def test_a_gateways_refusal_is_told_in_its_own_words(theirs: str, ours: str) -> None:
    made = world(gateway=GATEWAY)
    found = said(answered(made, answer("Accepted", "False", theirs, "not\nyours")))
    assert (found.ok, found.reason) == (False, ours)
    assert f"{theirs}: not yours" in found.message


def test_servers_that_a_gateway_cannot_find_are_told() -> None:
    made = world(gateway=GATEWAY)
    found = said(answered(made, answer("Accepted"), answer("ResolvedRefs", "False", "BackendNotFound", "x" * 9999)))
    assert (found.ok, found.reason) == (False, "RouteUnresolved")
    assert len(found.message) < 600


def test_one_controller_that_serves_is_enough() -> None:
    made = world(gateway=GATEWAY)
    refused = {"parentRef": GATEWAY, "conditions": [answer("Accepted", "False", "Pending")]}
    serves = {"parentRef": GATEWAY, "conditions": [answer("Accepted"), answer("ResolvedRefs")]}
    made.child_status[HTTPROUTES] = {"parents": [refused, serves]}
    assert said(made).ok


def test_a_status_that_makes_no_sense_is_no_answer() -> None:
    made = world(gateway=GATEWAY)
    made.child_status[HTTPROUTES] = {"parents": "none"}
    assert said(made).reason == "GatewayPending"


def test_a_route_that_is_served_has_the_gateways_url() -> None:
    made = answered(world(gateway=GATEWAY), answer("Accepted"), answer("ResolvedRefs"))
    assert said(made).url == ""
    listeners = (Listener("http", "", 80, "HTTP"),)
    made.gateways[ObjectKey("infra", "public")] = GatewayView(ObjectMeta(), listeners, ("192.0.2.1",))
    found = said(made)
    assert (found.ok, found.url) == (True, "http://192.0.2.1/api/v1/predict")
    assert f"leads /api/v1/predict to {ROUTE}" in found.message


def test_a_gateway_api_that_is_missing_is_told_with_the_fix_and_without_losing_the_ingress() -> None:
    made = world(Cluster(ingress_classes=CLUSTER.ingress_classes, default_class="nginx"))
    made.change(gateway=GATEWAY)
    made.settle()
    found = said(made)
    assert (found.ok, found.reason) == (False, "GatewayAPIMissing")
    assert "install its CRDs" in found.message
    assert "The Ingress of the last good spec stays" in found.message


def test_a_class_that_rewrites_nothing_is_told_with_the_path_that_works() -> None:
    made = world(ingress={"className": "alb", "host": "a.example"})
    found = said(made)
    assert (found.ok, found.reason, found.url) == (True, "PathNotRewritten", f"http://a.example{ROUTE}")
    assert "the IngressClass 'alb' is not known to rewrite paths" in found.message
    assert f"clients use the server's own route {ROUTE}" in found.message


def test_an_ingress_without_any_class_is_not_called_one() -> None:
    assert "an Ingress without a class" in said(world(Cluster())).message


def test_a_host_or_else_the_controllers_address_is_the_url() -> None:
    made = world()
    assert said(made).url == ""
    made.child_status[INGRESSES] = {"loadBalancer": {"ingress": [{"ip": "2001:db8::1"}]}}
    assert said(made).url == "http://[2001:db8::1]/api/v1/predict"
    made.change(ingress={"host": "*.a.example"})
    assert said(made).url == "http://[2001:db8::1]/api/v1/predict"
    made.change(ingress={"host": "a.example", "tlsSecretName": "cert"})
    assert said(made).url == "https://a.example/api/v1/predict"


@pytest.mark.parametrize(
    ("ports", "tls", "url"),
    [
        ([8080], "", "http://192.0.2.1:8080/api/v1/predict"),
        ([443, 80], "", "http://192.0.2.1/api/v1/predict"),
        ([80, 443], "cert", "https://192.0.2.1/api/v1/predict"),
        ([8443], "cert", "https://192.0.2.1:8443/api/v1/predict"),
    ],
)
def test_ports_that_the_controller_lists_stand_in_the_url_unless_they_are_the_usual(
    ports: list[int], tls: str, url: str
) -> None:
    made = world(ingress={"tlsSecretName": tls} if tls else {})
    address = {"ip": "192.0.2.1", "ports": [{"port": port, "protocol": "TCP"} for port in ports]}
    made.child_status[INGRESSES] = {"loadBalancer": {"ingress": [address]}}
    assert said(made).url == url


def test_an_ingress_without_an_address_tells_that_its_class_is_nowhere() -> None:
    assert said(world(ingress={"className": "alb"})).message.count("there is no") == 0
    nowhere = world(ingress={"className": "nosuch"})
    assert "has no address from a controller yet, and there is no IngressClass 'nosuch'" in said(nowhere).message
    nowhere.child_status[INGRESSES] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    assert "there is no" not in said(nowhere).message
    assert "names no IngressClass, and there is no default one" in said(world(Cluster())).message


def test_what_is_not_there_yet_is_not_called_ready() -> None:
    made = World(cluster=CLUSTER)
    assert (said(made).ok, said(made).reason) == (False, "NotExposed")
    made.change(gateway=GATEWAY)
    assert said(made).reason == "NotExposed"


def test_a_spec_that_makes_no_sense_leaves_what_is_said_of_the_old_one() -> None:
    made = world(gateway=GATEWAY)
    made.change(framework="Fortran")
    assert said(made).reason == "GatewayPending"
    assert said(answered(made, answer("Accepted"), answer("ResolvedRefs"))).ok
    ingress = world()
    ingress.change(framework="Fortran")
    assert "its Ingress has no address" in said(ingress).message
    nothing = World()
    nothing.change(framework="Fortran")
    assert said(nothing).ok


@pytest.mark.parametrize(
    ("section", "hosts", "url"),
    [
        ("", (), "https://a.example:8443/p"),
        ("http", (), "http://192.0.2.1/p"),
        ("https", (), "https://a.example:8443/p"),
        ("", ("*.b.example", "c.example"), "https://c.example:8443/p"),
        ("http", ("*.b.example",), "http://192.0.2.1/p"),
        ("none", (), "http://192.0.2.1/p"),
    ],
)
def test_a_gateways_url_is_by_host_listener_and_address(section: str, hosts: tuple[str, ...], url: str) -> None:
    listeners = (Listener("http", "", 80, "HTTP"), Listener("https", "a.example", 8443, "HTTPS"))
    assert gateway_url(GatewayView(ObjectMeta(), listeners, ("192.0.2.1",)), section, hosts, "/p") == url


def test_a_gateway_is_read_from_what_the_api_server_sends() -> None:
    raw = {
        "metadata": {"name": "public", "namespace": "infra"},
        "spec": {"listeners": [{"name": "h", "port": 80, "protocol": "HTTP", "hostname": None}]},
        "status": {"addresses": [{"type": "IPAddress", "value": "192.0.2.1"}], "listeners": [{"attachedRoutes": 3}]},
    }
    found = decode_gateway(msgspec.json.encode(raw))
    assert found.listeners == (Listener("h", "", 80, "HTTP"),)
    assert found.addresses == ("192.0.2.1",)
    assert gateway_url(GatewayView(ObjectMeta()), "", (), "/p") == ""
