"""manifests/ on the real API server, applied as GitOps applies it: again and again.

The tests stand in one cluster and clean nothing up: a folder comes over what the one before it left, as in life.
"""

from pathlib import Path
from typing import Any

import pytest

from hack.generated.kustomize import OVERLAYS
from support.controlplane import Cluster
from support.kubectl import Kubectl, eventually

MANIFESTS = Path(__file__).parents[3] / "manifests"
BASE = MANIFESTS / "base"
FOLDERS = [BASE, *(MANIFESTS / "overlays" / name for name in OVERLAYS)]
# Nobody else has a hand in these objects, so that fields of another way to apply are no conflict.
SERVER_SIDE = ("--server-side", "--force-conflicts")
# kubectl sends a patch for every PodDisruptionBudget (its selector is replaced, never merged) and so calls it
# configured; that nothing has changed is seen in the object.
ALWAYS_PATCHED = ["poddisruptionbudget.policy/aiop configured"]


@pytest.fixture(scope="module")
def kubectl(empty_cluster: Cluster) -> Kubectl:
    """kubectl that names no namespace, for each object says its own; what the overlays take for granted is there."""
    kubectl = Kubectl(empty_cluster.kubeconfig, "")
    kubectl("create", "namespace", "models")
    for kind in ("ServiceMonitor", "PrometheusRule"):
        kubectl.apply(definition(kind))
    kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")
    return kubectl


def definition(kind: str) -> dict[str, Any]:
    """A CRD of the Prometheus operator that takes anything."""
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.monitoring.coreos.com"},
        "spec": {"group": "monitoring.coreos.com", "scope": "Namespaced", "names": names, "versions": [version]},
    }


def objects(kubectl: Kubectl, folder: Path) -> list[Any]:
    found: list[Any] = kubectl.get("-k", str(folder), "--show-managed-fields")["items"]
    return found


def versions(kubectl: Kubectl, folder: Path) -> dict[tuple[str, str], Any]:
    """The resourceVersion of each object, and what it is of those whose status a controller writes at any time."""
    return {(each["kind"], each["metadata"]["name"]): version(each) for each in objects(kubectl, folder)}


def version(each: Any) -> Any:
    if each["kind"] not in {"Deployment", "PodDisruptionBudget", "ValidatingAdmissionPolicy"}:
        return each["metadata"]["resourceVersion"]
    seen = (each["metadata"]["generation"], each["metadata"].get("annotations"), each["spec"])
    if each["kind"] == "ValidatingAdmissionPolicy":
        # Its controller applies the status, and the API server orders those who apply by time: the second apply of
        # an unchanged policy is written once for the new order alone (seen in 1.37.2).
        return seen
    return seen, [entry for entry in each["metadata"]["managedFields"] if entry.get("subresource") != "status"]


def settled(kubectl: Kubectl, folder: Path) -> bool:
    """Controllers have seen everything that they write to without being asked."""
    return all(seen(each, each.get("status", {})) for each in objects(kubectl, folder))


def seen(each: Any, status: Any) -> bool:
    conditions = {condition["type"] for condition in status.get("conditions", [])}
    if each["kind"] == "Deployment":
        return bool(status.get("observedGeneration") == each["metadata"]["generation"])
    return each["kind"] not in {"CustomResourceDefinition", "FlowSchema"} or bool(
        conditions & {"Established", "Dangling"}
    )


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_second_server_side_apply_changes_nothing(kubectl: Kubectl, folder: Path) -> None:
    first = kubectl("apply", "-k", str(folder), *SERVER_SIDE).splitlines()
    eventually(lambda: settled(kubectl, folder), told=lambda: objects(kubectl, folder))
    before = versions(kubectl, folder)
    assert len(before) == len(first) > 15

    kubectl("apply", "-k", str(folder), *SERVER_SIDE)
    assert versions(kubectl, folder) == before


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_second_apply_changes_nothing(kubectl: Kubectl, folder: Path) -> None:
    first = kubectl("apply", "-k", str(folder)).splitlines()
    eventually(lambda: settled(kubectl, folder), told=lambda: objects(kubectl, folder))
    before = versions(kubectl, folder)
    assert len(before) == len(first) > 15

    second = kubectl("apply", "-k", str(folder)).splitlines()
    assert [line for line in second if not line.endswith(" unchanged")] == ALWAYS_PATCHED
    assert versions(kubectl, folder) == before


@pytest.mark.parametrize("name", ["crds", "rbac", "operator"])
def test_a_folder_is_accepted_file_by_file_too(kubectl: Kubectl, name: str) -> None:
    words = kubectl("apply", *SERVER_SIDE, "-f", str(MANIFESTS / name))
    assert all(line.endswith(" serverside-applied") for line in words.splitlines())
