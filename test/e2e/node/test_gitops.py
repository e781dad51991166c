"""manifests/ where pods really run: GitOps applies again what is there, and undoes nothing of the operator's."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.node.cluster import NodeCluster
from support.helm import Helm
from support.kubectl import Kubectl, eventually
from support.released import WAITED, put_back
from support.replicas import RELEASE, SYSTEM, Replicas
from support.workloads import wait_for, workload

pytestmark = [pytest.mark.real, pytest.mark.slow]
BASE = Path(__file__).parents[3] / "manifests" / "base"
# As GitOps engines do it: a manager of its own, and what stands in its way is taken over.
SERVER_SIDE = ("--server-side", "--force-conflicts", "--field-manager=argocd-controller")
BY_HAND = ()


@pytest.fixture(scope="module")
def overlay(
    node: NodeCluster, admin: Kubectl, released: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """`manifests/base` with the image that this node has, in place of the release; the release is back afterwards."""
    (deployment,) = Kubectl(admin.kubeconfig, SYSTEM).items("deployments")
    folder = tmp_path_factory.mktemp("overlay")
    name, _, tag = deployment["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        # kustomize takes no absolute path
        "resources": [os.path.relpath(BASE, folder.resolve())],
        "images": [{"name": "ghcr.io/geartickler/aiop", "newName": name, "newTag": tag}],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    helm = Helm(node.kubeconfig, SYSTEM)
    with put_back(helm, folder):
        helm("uninstall", RELEASE, *WAITED)
        yield folder


def versions(kubectl: Kubectl, folder: Path) -> dict[tuple[str, str], Any]:
    """Each object's version; of those that a controller writes to, what its owner may say."""
    found = kubectl.get("-k", str(folder), "--show-managed-fields")["items"]
    return {(each["kind"], each["metadata"]["name"]): version(each) for each in found}


def version(each: Any) -> Any:
    if "status" not in each:
        return each["metadata"]["resourceVersion"]
    owners = [entry for entry in each["metadata"]["managedFields"] if entry.get("subresource") != "status"]
    return each["metadata"].get("generation"), [(owner["manager"], owner["fieldsV1"]) for owner in owners]


@pytest.mark.parametrize("way", [BY_HAND, SERVER_SIDE], ids=["by hand", "server-side"])
def test_a_second_apply_beside_the_running_operator_changes_nothing(
    overlay: Path, node: NodeCluster, admin: Kubectl, team: Kubectl, way: tuple[str, ...]
) -> None:
    kubectl, replicas = Kubectl(node.kubeconfig, ""), Replicas(admin, node.audit_log)
    kubectl("apply", "-k", str(overlay), *way)
    eventually(lambda: replicas.ready(2) and replicas.leader(), told=lambda: replicas.kubectl("get", "pods"))
    team.apply(workload(replicas=0, modelUri="pvc://models/iris"))
    wait_for(team, "Accepted", "True")
    eventually(lambda: settled(kubectl, overlay))
    before = versions(kubectl, overlay)
    pods = {pod["metadata"]["uid"] for pod in replicas.pods()}

    assert kubectl("diff", "-k", str(overlay), *way) == ""
    kubectl("apply", "-k", str(overlay), *way)
    assert versions(kubectl, overlay) == before
    assert {pod["metadata"]["uid"] for pod in replicas.pods()} == pods


def settled(kubectl: Kubectl, folder: Path) -> bool:
    """The Deployment's controller has said all that it has to say of the pods that run."""
    found = kubectl.get("-k", str(folder))["items"]
    (deployment,) = [each for each in found if each["kind"] == "Deployment"]
    return bool(deployment["status"].get("availableReplicas") == deployment["spec"]["replicas"])
