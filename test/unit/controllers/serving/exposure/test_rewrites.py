"""Which annotation leads a path to the server's own route, by the class's controller; and nothing else gets into it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.api.aiworkload import MODEL_NAME_PATTERN
from aiop.controllers.serving.exposure.rewrites import rewriting, unrewritten
from aiop.controllers.serving.exposure.routes import Destination

INFER = Destination("bert", "/v2/models/bert/infer")
BY_ANNOTATION = {
    "k8s.io/ingress-nginx": "nginx.ingress.kubernetes.io/rewrite-target",
    "haproxy.org/ingress-controller": "haproxy.org/path-rewrite",
    "haproxy-ingress.github.io/controller": "haproxy-ingress.github.io/rewrite-target",
    "apisix.apache.org/apisix-ingress-controller": "k8s.apisix.apache.org/rewrite-target",
}


@pytest.mark.parametrize(("controller", "annotation"), BY_ANNOTATION.items())
def test_controllers_that_replace_the_whole_path_are_told_the_route(controller: str, annotation: str) -> None:
    found = rewriting(controller, INFER, traefik_api=False)
    assert found is not None
    assert found.annotations == {annotation: "/v2/models/bert/infer"}


def test_f5s_nginx_is_told_the_service_too() -> None:
    found = rewriting("nginx.org/ingress-controller", INFER, traefik_api=False)
    assert found is not None
    assert found.annotations == {"nginx.org/rewrites": "serviceName=bert rewrite=/v2/models/bert/infer"}


def test_traefik_rewrites_by_a_middleware_where_that_api_is_served() -> None:
    found = rewriting("traefik.io/ingress-controller", INFER, traefik_api=True)
    assert found is not None
    assert (found.annotations, found.replaced_by) == ({}, "/v2/models/bert/infer")
    assert rewriting("traefik.io/ingress-controller", INFER, traefik_api=False) is None


def test_of_several_controllers_of_one_kind_each_is_known() -> None:
    assert rewriting("haproxy.org/ingress-controller/prod", INFER, traefik_api=False) is not None
    assert rewriting("haproxy.org/ingress-controllers", INFER, traefik_api=False) is None


@pytest.mark.parametrize("controller", ["", "ingress.k8s.aws/alb", "ingress-controllers.konghq.com/kong", "k8s.io"])
def test_others_are_taken_to_rewrite_nothing(controller: str) -> None:
    assert rewriting(controller, INFER, traefik_api=True) is None


def test_kong_which_cuts_paths_off_is_told_not_to() -> None:
    assert unrewritten("ingress-controllers.konghq.com/kong") == {"konghq.com/strip-path": "false"}
    assert unrewritten("k8s.io/ingress-nginx") == unrewritten("nobody") == {}


@pytest.mark.security(22)
@given(st.from_regex(r"/[A-Za-z0-9._~/%:{}-]*", fullmatch=True), st.from_regex(MODEL_NAME_PATTERN, fullmatch=True))
def test_what_a_tenant_names_adds_nothing_to_an_annotation(route: str, model: str) -> None:
    to = Destination("bert", route.replace("{model}", model.rsplit("/", 1)[-1].strip()))
    for controller in (*BY_ANNOTATION, "nginx.org/ingress-controller", "traefik.io/ingress-controller"):
        found = rewriting(controller, to, traefik_api=True)
        if found is not None:
            values = [*found.annotations.values(), *([found.replaced_by] if found.replaced_by else [])]
            assert all(re.fullmatch(r"(serviceName=bert rewrite=)?/[A-Za-z0-9._~/:-]*", value) for value in values)


@pytest.mark.parametrize(
    "route", ["/a b", "/a;return 200", "/a\nb", "/$1", "/%[src]", "/a{", '/"', "a", "/\\1", "/a\n"]
)
def test_a_route_with_what_a_controller_would_read_is_not_handed_on(route: str) -> None:
    for controller in (*BY_ANNOTATION, "nginx.org/ingress-controller", "traefik.io/ingress-controller"):
        assert rewriting(controller, Destination("bert", route), traefik_api=True) is None
