"""Paths of the Kubernetes API."""

import pytest

from aiop.runtime.client.builtin import DEPLOYMENTS, NODES, PODS
from aiop.runtime.client.resource import ObjectKey


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


def test_versions_and_keys_are_written_as_kubernetes_does() -> None:
    assert (PODS.api_version, DEPLOYMENTS.api_version) == ("v1", "apps/v1")
    assert (str(ObjectKey("team", "a")), str(ObjectKey("", "n"))) == ("team/a", "n")
