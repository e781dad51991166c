"""The embedded cluster with pods that are processes, spoken to by the official kubectl."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.embedded import embedded_cluster
from support.kubectl import Kubectl

_numbers = itertools.count(1)


class Pods(Kubectl):
    """kubectl with one verb more."""

    def pod(self, name: str, script: str, *, wait: str = "condition=Ready", **spec: Any) -> None:
        """A pod whose container "main" runs a shell script."""
        main = {"name": "main", "image": "shell:1", "args": [script]}
        containers = [main, *spec.pop("more", [])]
        body = {"terminationGracePeriodSeconds": 1, "containers": containers, **spec}
        meta = {"name": name, "labels": {"app": name}}
        self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": body})
        if wait:
            self("wait", f"--for={wait}", f"pod/{name}", "--timeout=60s")

    def raw(self, path: str) -> Any:
        """`kubectl get --raw`, decoded."""
        return json.loads(self("get", "--raw", path))


@pytest.fixture(scope="package")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("processes")
    with embedded_cluster(folder / "kubeconfig", folder / "pods"):
        yield folder / "kubeconfig"


@pytest.fixture
def kubectl(kubeconfig: Path) -> Pods:
    """In a namespace of the test's own."""
    kubectl = Pods(kubeconfig, namespace=f"test-{next(_numbers)}")
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": kubectl.namespace}})
    return kubectl
