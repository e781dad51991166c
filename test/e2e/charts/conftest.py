"""A control plane of these tests' own: a cluster holds one operator of all namespaces, and here it comes and goes."""

import os
from collections.abc import Iterator

import pytest

from support.controlplane import Cluster, real_cluster


@pytest.fixture(scope="module")
def empty_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real control plane without an operator and without CRDs."""
    if os.environ.get("AIOP_TEST_KUBECONFIG"):
        pytest.skip("a release of the chart would meet the operator of the other tests")
    with real_cluster(tmp_path_factory.mktemp("empty")) as running:
        yield running
