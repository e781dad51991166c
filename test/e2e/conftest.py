"""A real control plane with simulated kubelets, the CRDs, and the operator as a process."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from aiop.api.crd import custom_resource_definitions
from support.controlplane import Cluster
from support.kubectl import Kubectl, eventually
from support.kubelets import kubelets
from support.operator import Operator

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def admin(cluster: Cluster) -> Kubectl:
    """An administrator's kubectl."""
    return Kubectl(cluster.kubeconfig)


@pytest.fixture(scope="session")
def installed(cluster: Cluster, admin: Kubectl) -> Iterator[None]:
    """Nodes and CRDs."""
    with kubelets(cluster.kubeconfig):
        admin("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(custom_resource_definitions()))
        admin("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        yield


@pytest.fixture(scope="session")
def operator(cluster: Cluster, installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """The operator, once a session; tests that kill it start it again."""
    log = tmp_path_factory.mktemp("operator") / "log"
    running = Operator(cluster.kubeconfig, log, "--model-store", "pvc://models")
    running.start()
    yield running
    assert running.stop() == 0, running.words()


@pytest.fixture
def kubectl(admin: Kubectl, operator: Operator) -> Iterator[Kubectl]:
    """kubectl in a namespace of the test's own that enforces restricted pods and has the models' claim."""
    name = f"e2e-{next(_numbers)}"
    admin.apply(_namespace(name))
    admin.apply(_volume(name))
    mine = Kubectl(admin.kubeconfig, name)
    mine.apply(_claim())
    eventually(lambda: mine.run("get", "serviceaccount", "default").returncode == 0)
    yield mine
    admin("delete", "namespace", name, "--wait=false")
    admin("delete", "persistentvolume", name, "--wait=false")


@pytest.fixture
def bert() -> str:
    """The BERT manifest, to the letter."""
    return (Path(__file__).parents[2] / "manifests" / "samples" / "aiworkload-bert.yaml").read_text()


def _namespace(name: str) -> dict[str, Any]:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _volume(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadOnlyMany"],
            "storageClassName": "",
            "hostPath": {"path": "/var/lib/models"},
            "claimRef": {"namespace": name, "name": "models"},
        },
    }


def _claim() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "models"},
        "spec": {
            "accessModes": ["ReadOnlyMany"],
            "storageClassName": "",
            "resources": {"requests": {"storage": "10Gi"}},
        },
    }
