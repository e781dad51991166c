"""A real control plane with simulated kubelets, the CRDs, and the operator as a process."""

import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.helm import ensure_helm
from support.controlplane import Cluster, with_token
from support.kubectl import Kubectl, eventually
from support.kubelets import kubelets
from support.operator import Operator
from support.workloads import models_claim, models_volume, restricted_namespace

CHART = Path(__file__).parents[2] / "charts" / "aiop"
SYSTEM = "aiop-system"
# After an outage of the API server the controller that binds may back off for a minute (client-go's reflector).
BINDING_SECONDS = 120.0
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def admin(cluster: Cluster) -> Kubectl:
    """An administrator's kubectl."""
    return Kubectl(cluster.kubeconfig)


@pytest.fixture(scope="session")
def installed(cluster: Cluster, admin: Kubectl) -> Iterator[None]:
    """Nodes, and the chart as a platform engineer installs it; its pods are not run: no registry is reached here."""
    with kubelets(cluster.kubeconfig):
        command = [str(ensure_helm()), "--kubeconfig", str(cluster.kubeconfig), "--namespace", SYSTEM]
        release = ["install", "aiop", str(CHART), "--create-namespace", "--set", "replicaCount=0"]
        done = subprocess.run([*command, *release], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        admin("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")
        yield


@pytest.fixture(scope="session")
def operator(
    cluster: Cluster, admin: Kubectl, installed: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    """The operator with the chart's ServiceAccount and RBAC, once a session; tests that kill it start it again."""
    folder = tmp_path_factory.mktemp("operator")
    token = admin("--namespace", SYSTEM, "create", "token", "aiop", "--duration=3h").strip()
    kubeconfig = with_token(cluster.kubeconfig, folder / "kubeconfig", token)
    # Looks at the GPU metric come quicker than an administrator would want them: four that are missed take it out.
    options = ("--model-store", "pvc://models", "--lease-namespace", SYSTEM, "--gpu-metric-seconds", "2")
    running = Operator(kubeconfig, folder / "log", *options, "--pod-uid", "5e551017")
    running.start()
    yield running
    assert running.stop() == 0, running.words()


@pytest.fixture
def kubectl(admin: Kubectl, operator: Operator) -> Iterator[Kubectl]:
    """kubectl in a namespace of the test's own that enforces restricted pods and has the models' claim."""
    name = f"e2e-{next(_numbers)}"
    admin.apply(restricted_namespace(name))
    admin.apply(models_volume(name, name))
    mine = Kubectl(admin.kubeconfig, name)
    mine.apply(models_claim())
    eventually(lambda: mine.run("get", "serviceaccount", "default").returncode == 0)
    # Else the scheduler would call the first pods unschedulable for a moment, and the status would rightly say so.
    eventually(lambda: mine.get("pvc", "models")["status"].get("phase") == "Bound", seconds=BINDING_SECONDS)
    yield mine
    admin("delete", "namespace", name, "--wait=false")
    admin("delete", "persistentvolume", name, "--wait=false")


@pytest.fixture
def bert() -> str:
    """The BERT manifest, to the letter."""
    return (Path(__file__).parents[2] / "manifests" / "samples" / "aiworkload-bert.yaml").read_text()
