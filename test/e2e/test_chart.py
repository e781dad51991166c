"""The chart on the real API server: installed, upgraded, removed, installed again under another name."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.helm import ensure_helm
from support.controlplane import Cluster
from support.kubectl import Kubectl

CHART = Path(__file__).parents[2] / "charts" / "aiop"
NAMESPACE = "chart-test"


def helm(cluster: Cluster, *arguments: str) -> str:
    command = [str(ensure_helm()), "--kubeconfig", str(cluster.kubeconfig), "--namespace", NAMESPACE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def own_namespace(admin: Kubectl) -> Iterator[None]:
    admin("create", "namespace", NAMESPACE)
    yield
    admin("delete", "namespace", NAMESPACE, "--wait=false")


def test_the_chart_installs_upgrades_and_goes_but_for_its_definitions(
    cluster: Cluster, admin: Kubectl, installed: None, own_namespace: None
) -> None:
    # The session's operator was installed by the same chart: these releases leave the definitions to it.
    settings = ("--set", "replicaCount=0", "--set", "crds.install=false")
    assert "is installed" in helm(cluster, "install", "first", str(CHART), *settings)
    mine = Kubectl(cluster.kubeconfig, NAMESPACE)
    assert mine.get("deployment", "first-aiop")["spec"]["replicas"] == 0
    helm(cluster, "upgrade", "first", str(CHART), *settings, "--set", "models.store=pvc://models")
    arguments = mine.get("deployment", "first-aiop")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "--model-store=pvc://models" in arguments
    helm(cluster, "uninstall", "first")
    assert mine.items("deployments") == []
    assert admin.run("get", "clusterrole", "first-aiop").returncode != 0
    assert admin("get", "crd", "aiworkloads.geartickler.com", "-o", "name").strip()
    assert "is installed" in helm(cluster, "install", "second", str(CHART), *settings)
    helm(cluster, "uninstall", "second")


def test_the_gitops_manifests_are_accepted_as_they_are(admin: Kubectl, installed: None) -> None:
    folder = CHART.parents[1] / "manifests"
    files = [word for name in ("crds", "rbac", "operator") for word in ("-f", str(folder / name))]
    system = Kubectl(admin.kubeconfig, "aiop-system")
    answer = system("apply", "--server-side", "--dry-run=server", "--force-conflicts", *files)
    assert "clusterrole.rbac.authorization.k8s.io/aiop serverside-applied" in answer
