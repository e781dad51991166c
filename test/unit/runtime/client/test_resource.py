"""Paths of the Kubernetes API."""

import re

import pytest

from aiop.runtime.client.builtin import DEPLOYMENTS, NODES, PODS
from aiop.runtime.client.errors import InvalidName
from aiop.runtime.client.resource import ObjectKey, Resource


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (PODS.path(), "/api/v1/pods"),
        (PODS.path("team"), "/api/v1/namespaces/team/pods"),
        (PODS.path("team", "a"), "/api/v1/namespaces/team/pods/a"),
        (PODS.path("team", "a", "status"), "/api/v1/namespaces/team/pods/a/status"),
        (DEPLOYMENTS.path("team", "a"), "/apis/apps/v1/namespaces/team/deployments/a"),
        (NODES.path("ignored", "n"), "/api/v1/nodes/n"),
        (PODS.path("team", "../../secrets"), "/api/v1/namespaces/team/pods/..%2F..%2Fsecrets"),
        (PODS.path("team", "a?watch=true"), "/api/v1/namespaces/team/pods/a%3Fwatch%3Dtrue"),
    ],
)
def test_a_path_is_what_the_api_server_serves_and_no_name_leaves_it(path: str, expected: str) -> None:
    assert path == expected


@pytest.mark.parametrize("dots", [".", ".."])
@pytest.mark.parametrize("field", ["namespace", "name", "subresource"])
def test_a_step_in_a_url_is_no_name_and_the_error_says_which_value_to_change(field: str, dots: str) -> None:
    given = {"namespace": "team", "name": "a", "subresource": "status", field: dots}
    with pytest.raises(InvalidName, match=rf"^{field} '{re.escape(dots)}' names nothing in the API: use a name that"):
        PODS.path(**given)


@pytest.mark.parametrize(
    "resource",
    [
        Resource("..", "v1", "Deployment", "deployments"),
        Resource("apps", "..", "Deployment", "deployments"),
        Resource("apps", "v1", "Deployment", ".."),
    ],
)
def test_a_step_in_a_url_is_no_resource_either(resource: Resource) -> None:
    with pytest.raises(InvalidName, match=r"'\.\.' names nothing"):
        resource.path()


@pytest.mark.parametrize("name", ["a..b", "...", ".a", "..a", "a."])
def test_other_names_with_dots_are_names(name: str) -> None:
    assert PODS.path("team", name) == f"/api/v1/namespaces/team/pods/{name}"


def test_the_path_of_an_object_is_never_that_of_its_collection() -> None:
    assert PODS.object_path(ObjectKey("team", "a"), "status") == PODS.path("team", "a", "status")
    with pytest.raises(InvalidName, match=r"^name '' names nothing in the API: name the one of the pods"):
        PODS.object_path(ObjectKey("team", ""))


def test_versions_and_keys_are_written_as_kubernetes_does() -> None:
    assert (PODS.api_version, DEPLOYMENTS.api_version) == ("v1", "apps/v1")
    assert (str(ObjectKey("team", "a")), str(ObjectKey("", "n"))) == ("team/a", "n")
