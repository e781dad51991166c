"""What is made for the outside, by the way that is asked for and by what the cluster has."""

from collections.abc import Iterable
from typing import Any

import kubernetes_validate
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.controllers.serving.exposure.asked import GatewayName, asked_of
from aiop.controllers.serving.exposure.cluster import Cluster, class_controllers, default_class
from aiop.controllers.serving.exposure.exposing import ExposurePlan
from aiop.controllers.serving.exposure.kinds import HTTPROUTES, MIDDLEWARES
from aiop.controllers.serving.exposure.ways import DefaultWays
from aiop.controllers.serving.settings import ServingSettings
from aiop.runtime.client.builtin import INGRESSES
from aiop.runtime.controller.children import Child
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta
from support.definitions import faults_by_definition, whole
from support.servingworld import NAME, World

NGINX = Cluster(
    ingress_classes={
        "nginx": "k8s.io/ingress-nginx",
        "alb": "ingress.k8s.aws/alb",
        "traefik": "traefik.io/ingress-controller",
    },
    default_class="nginx",
)
BOTH = Cluster(True, True, None, NGINX.ingress_classes, "nginx")
ROUTE = "/v2/models/bert-base-uncased/infer"
ACCEPTED = {"type": "Accepted", "status": "True", "reason": "Accepted", "observedGeneration": 1}
RESOLVED = {"type": "ResolvedRefs", "status": "True", "reason": "ResolvedRefs", "observedGeneration": 1}


def world(cluster: Cluster = NGINX, **spec: Any) -> World:
    made = World(cluster=cluster)
    made.change(**spec)
    made.generation = 1
    return made


def exposure(made: World) -> ExposurePlan:
    found = made.plan().exposure
    assert found is not None
    return found


def child(plan: ExposurePlan, kind: object) -> dict[str, Any]:
    (found,) = [each for each in plan.children if each.resource == kind]
    return whole(found)


def paths(ingress: dict[str, Any]) -> list[tuple[str, str]]:
    (rule,) = ingress["spec"]["rules"]
    return [(each["path"], each["pathType"]) for each in rule["http"]["paths"]]


def taken_up(made: World, **parent: str) -> None:
    """The Gateway accepts the route."""
    reference = {"namespace": "infra", "name": "public", **parent}
    made.child_status[HTTPROUTES] = {"parents": [{"parentRef": reference, "conditions": [ACCEPTED, RESOLVED]}]}


def test_an_ingress_leads_the_path_alone_to_the_servers_own_route() -> None:
    found = child(exposure(world()), INGRESSES)
    assert paths(found) == [("/api/v1/predict", "Exact")]
    assert found["metadata"]["annotations"] == {"nginx.ingress.kubernetes.io/rewrite-target": ROUTE}
    backend = found["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert backend == {"service": {"name": "bert", "port": {"name": "http"}}}
    assert found["spec"]["ingressClassName"] == "nginx"


def test_host_class_and_certificate_are_the_workloads_own() -> None:
    given = {"host": "a.example", "className": "nginx", "tlsSecretName": "cert"}
    found = child(exposure(world(ingress=given)), INGRESSES)["spec"]
    assert (found["rules"][0]["host"], found["ingressClassName"]) == ("a.example", "nginx")
    assert found["tls"] == [{"secretName": "cert", "hosts": ["a.example"]}]


def test_the_operators_class_goes_before_the_clusters_and_the_workloads_before_both() -> None:
    made = world()
    made.settings = ServingSettings(model_store="pvc://models", ways=DefaultWays(ingress_class="alb"))
    assert child(exposure(made), INGRESSES)["spec"]["ingressClassName"] == "alb"
    made.change(ingress={"className": "traefik"})
    assert child(exposure(made), INGRESSES)["spec"]["ingressClassName"] == "traefik"


def test_the_clusters_default_class_is_followed_and_kept_when_none_is_marked_any_more() -> None:
    made = world()
    made.settle()
    made.cluster = Cluster(ingress_classes=NGINX.ingress_classes)
    assert child(exposure(made), INGRESSES)["spec"]["ingressClassName"] == "nginx"
    made.cluster = Cluster(ingress_classes=NGINX.ingress_classes, default_class="alb")
    assert child(exposure(made), INGRESSES)["spec"]["ingressClassName"] == "alb"
    assert "ingressClassName" not in child(exposure(world(Cluster())), INGRESSES)["spec"]


def test_everything_is_exposed_as_it_is() -> None:
    for cluster, kind in ((NGINX, INGRESSES), (BOTH, HTTPROUTES)):
        given = {"gateway": {"name": "public"}} if kind == HTTPROUTES else {}
        found = child(exposure(world(cluster, inferenceEndpoint="/", **given)), kind)
        assert not found["metadata"].get("annotations")
        rule = found["spec"]["rules"][0]
        if kind == HTTPROUTES:
            assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
            assert "filters" not in rule
        else:
            assert paths(found) == [("/", "Prefix")]


def test_a_server_without_a_route_gets_the_path_and_all_below_it_as_they_are() -> None:
    own: dict[str, Any] = {"image": "mine:1", "framework": None}
    assert paths(child(exposure(world(**own)), INGRESSES)) == [("/api/v1/predict", "Prefix")]
    route = child(exposure(world(BOTH, gateway={"name": "public"}, **own)), HTTPROUTES)["spec"]["rules"][0]
    assert route["matches"][0]["path"] == {"type": "PathPrefix", "value": "/api/v1/predict"}
    assert "filters" not in route


def test_an_endpoint_that_is_the_route_needs_no_rewriting() -> None:
    for name in ("nginx", "alb"):
        plan = exposure(world(inferenceEndpoint=ROUTE, ingress={"className": name}))
        found = child(plan, INGRESSES)
        assert paths(found) == [(ROUTE, "Exact")]
        assert found["metadata"]["annotations"] == {}
        assert plan.path == ROUTE
    route = child(exposure(world(BOTH, inferenceEndpoint=ROUTE, gateway={"name": "public"})), HTTPROUTES)
    assert "filters" not in route["spec"]["rules"][0]


def test_a_class_that_rewrites_nothing_leads_to_the_route_too() -> None:
    plan = exposure(world(ingress={"className": "alb"}))
    found = child(plan, INGRESSES)
    assert paths(found) == [("/api/v1/predict", "Prefix"), (ROUTE, "Exact")]
    assert found["metadata"]["annotations"] == {"geartickler.com/route": ROUTE}
    assert plan.path == ROUTE


def test_traefik_gets_a_middleware_of_the_route_first() -> None:
    plan = exposure(world(BOTH, ingress={"className": "traefik"}))
    middleware, ingress = (whole(each) for each in plan.children)
    assert (middleware["kind"], middleware["spec"]) == ("Middleware", {"replacePath": {"path": ROUTE}})
    named = ingress["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.middlewares"]
    assert named == f"default-{middleware['metadata']['name']}@kubernetescrd"
    assert paths(ingress) == [("/api/v1/predict", "Exact")]


def test_another_route_is_another_middleware_and_the_old_one_goes() -> None:
    made = world(BOTH, ingress={"className": "traefik"})
    made.settle()
    (before,) = [thing.name for thing in made.of(MIDDLEWARES)]
    made.change(modelName="other", modelVersion="v2")
    made.settle()
    (after,) = [thing.name for thing in made.of(MIDDLEWARES)]
    assert before != after
    made.change(ingress={"className": "nginx"})
    made.settle()
    assert made.of(MIDDLEWARES) == []


def test_a_route_of_a_gateway_is_rewritten_as_a_whole() -> None:
    gateway = {"name": "public", "namespace": "infra", "sectionName": "https", "hostnames": ["a.example", "b.example"]}
    found = child(exposure(world(BOTH, gateway=gateway)), HTTPROUTES)["spec"]
    assert found["hostnames"] == ["a.example", "b.example"]
    (parent,) = found["parentRefs"]
    assert (parent["namespace"], parent["name"], parent["sectionName"]) == ("infra", "public", "https")
    (rule,) = found["rules"]
    assert rule["matches"] == [{"path": {"type": "Exact", "value": "/api/v1/predict"}}]
    path = {"type": "ReplaceFullPath", "replaceFullPath": ROUTE}
    assert rule["filters"] == [{"type": "URLRewrite", "urlRewrite": {"path": path}}]
    (backend,) = rule["backendRefs"]
    assert (backend["kind"], backend["name"], backend["port"]) == ("Service", "bert", 80)


def test_a_gateway_is_of_the_own_namespace_if_no_other_is_named() -> None:
    found = child(exposure(world(BOTH, gateway={"name": "mine"})), HTTPROUTES)["spec"]
    assert found["parentRefs"][0]["namespace"] == "default"


def test_the_operators_gateway_is_taken_where_its_api_is_served_and_no_ingress_is_asked_for() -> None:
    settings = ServingSettings(model_store="pvc://m", ways=DefaultWays(gateway=GatewayName("infra", "public")))

    def kinds(cluster: Cluster, **spec: Any) -> list[str]:
        made = world(cluster, **spec)
        made.settings = settings
        return [each.resource.kind for each in exposure(made).children]

    assert kinds(BOTH) == ["HTTPRoute"]
    assert kinds(NGINX) == ["Ingress"]
    assert kinds(BOTH, ingress={}) == ["Ingress"]
    assert kinds(BOTH, inferenceEndpoint=None) == []


def test_a_named_gateway_without_its_api_makes_nothing_and_takes_nothing_away() -> None:
    made = world()
    made.settle()
    made.change(gateway={"name": "public"})
    plan = exposure(made)
    assert (plan.children, plan.deletions) == ((), ())


def test_the_ingress_goes_once_the_gateway_has_taken_the_route_up() -> None:
    made = world(BOTH)
    made.settle()
    made.change(gateway={"name": "public", "namespace": "infra"})
    made.settle()
    assert len(made.of(INGRESSES)) == len(made.of(HTTPROUTES)) == 1
    taken_up(made)
    made.settle()
    assert (made.of(INGRESSES), len(made.of(HTTPROUTES))) == ([], 1)
    made.change(gateway=None)
    made.settle()
    assert (len(made.of(INGRESSES)), made.of(HTTPROUTES)) == (1, [])


def test_without_an_endpoint_nothing_stays_outside() -> None:
    made = world(BOTH, gateway={"name": "public"})
    made.settle()
    made.change(gateway=None, inferenceEndpoint=None)
    made.settle()
    assert made.of(HTTPROUTES) == made.of(INGRESSES) == []


def test_what_cannot_be_served_keeps_what_it_exposed() -> None:
    made = world()
    made.settle()
    made.change(framework="Fortran", inferenceEndpoint="/other")
    made.settle()
    assert paths({"spec": made.of(INGRESSES)[0].content}) == [("/api/v1/predict", "Exact")]


def test_of_several_default_classes_the_newest_counts_as_for_the_api_server() -> None:
    def ingress_class(name: str, created: str, *, default: str = "true") -> CustomObject:
        annotations = {"ingressclass.kubernetes.io/is-default-class": default}
        meta = ObjectMeta(name=name, creation_timestamp=created, annotations=annotations)
        return CustomObject(meta, msgspec.json.encode({"controller": f"example/{name}"}))

    classes = [ingress_class("b", "2026-01-02"), ingress_class("a", "2026-01-02"), ingress_class("c", "2026-01-01")]
    assert default_class(classes) == "a"
    assert default_class([ingress_class("a", "1", default="false")]) == ""
    assert class_controllers([*classes, CustomObject(ObjectMeta(name="odd"), b"[]")])["odd"] == ""
    assert class_controllers(classes)["c"] == "example/c"


def test_what_is_asked_for_is_read_with_nulls_and_without_repeats() -> None:
    found = asked_of(
        b'{"inferenceEndpoint": "/a", "gateway": {"name": "g", "hostnames": ["x", "x"], "namespace": null}}', "n"
    )
    assert found is not None
    assert (found.hosts, found.gateway) == (("x",), GatewayName("n", "g"))
    assert asked_of(b'{"inferenceEndpoint": null}', "n") is None
    assert asked_of(b"[", "n") is None


# Any spec, valid by the published definitions.

hosts = st.from_regex(r"(\*\.)?[a-z]{1,5}(\.[a-z]{1,5}){0,2}", fullmatch=True)
endpoints = st.one_of(
    st.just("/"),
    st.just(ROUTE),
    st.from_regex(r"(/([A-Za-z0-9._~-]|%([346-9A-F][0-9A-F]|2[0-46-9A-D]|5[0-9ABD-F])){1,6}){1,3}/?", fullmatch=True),
)
ways: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "ingress": st.fixed_dictionaries(
                {},
                optional={
                    "host": hosts,
                    "className": st.sampled_from(list(NGINX.ingress_classes)),
                    "tlsSecretName": st.just("c"),
                },
            )
        }
    ),
    st.fixed_dictionaries(
        {
            "gateway": st.fixed_dictionaries(
                {"name": st.just("public")},
                optional={
                    "namespace": st.just("infra"),
                    "sectionName": st.just("https"),
                    "hostnames": st.lists(hosts, max_size=3),
                },
            )
        }
    ),
)


def valid_paths(endpoint: str) -> bool:
    return not any(part in {".", ".."} for part in endpoint.split("/")) and "%2F" not in endpoint


@given(
    endpoint=endpoints.filter(valid_paths), way=ways, framework=st.sampled_from(["ONNX", "TensorFlow", "HuggingFace"])
)
@settings(max_examples=80)
def test_whatever_is_asked_for_is_valid_by_the_published_definitions(
    endpoint: str, way: dict[str, Any], framework: str
) -> None:
    made = world(BOTH, inferenceEndpoint=endpoint, framework=framework, **way)
    assert all(faults == [] for faults in _faults(exposure(made).children))


def _faults(children: Iterable[Child]) -> Iterable[list[str]]:
    for each in children:
        assert each.key.name.startswith(NAME)
        if each.resource == HTTPROUTES:
            yield faults_by_definition(each)
        elif each.resource == INGRESSES:
            for version in ("1.34", "1.37"):
                kubernetes_validate.validate(whole(each), version, strict=True)


@pytest.mark.parametrize("hostile", ["/a;b", "/a b", "/$(X)", '/"', "/a\n", "/{x}", "/a`b", "/a#b", "/a\\b", "/ä"])
def test_a_path_that_would_mean_more_than_a_path_is_no_endpoint(hostile: str) -> None:
    made = world(inferenceEndpoint=hostile)
    plan = made.plan()
    assert plan.refusal is not None
    assert plan.exposure is None
