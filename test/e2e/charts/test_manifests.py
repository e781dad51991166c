"""manifests/ on the real API server, applied as GitOps applies it: again and again."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hack.generated.kustomize import OVERLAYS
from support.kubectl import Kubectl, eventually

MANIFESTS = Path(__file__).parents[3] / "manifests"
BASE = MANIFESTS / "base"
# kubectl sends a patch for every PodDisruptionBudget (its selector is replaced, never merged) and so calls it
# configured; its resourceVersion shows that nothing has changed.
ALWAYS_PATCHED = ["poddisruptionbudget.policy/aiop configured"]
FOLDERS = [BASE, *(MANIFESTS / "overlays" / name for name in OVERLAYS)]


@pytest.fixture
def kubectl(admin: Kubectl) -> Kubectl:
    """kubectl that names no namespace: each object says its own."""
    return Kubectl(admin.kubeconfig, "")


@pytest.fixture
def apply(kubectl: Kubectl, folder: Path) -> Iterator[Callable[..., str]]:
    """`kubectl apply -k` of the folder; what it made is gone afterwards."""
    yield lambda *options: kubectl("apply", "-k", str(folder), *options)
    kubectl("delete", "-k", str(folder), "--ignore-not-found")


def objects(kubectl: Kubectl, folder: Path) -> list[Any]:
    found: list[Any] = kubectl.get("-k", str(folder), "--show-managed-fields")["items"]
    return found


def versions(kubectl: Kubectl, folder: Path) -> dict[tuple[str, str], Any]:
    """The resourceVersion of each object, and what it is of those whose status a controller writes at any time."""
    return {(each["kind"], each["metadata"]["name"]): version(each) for each in objects(kubectl, folder)}


def version(each: Any) -> Any:
    if each["kind"] not in {"Deployment", "PodDisruptionBudget"}:
        return each["metadata"]["resourceVersion"]
    fields = [entry for entry in each["metadata"]["managedFields"] if entry.get("subresource") != "status"]
    return each["metadata"]["generation"], fields, each["metadata"].get("annotations"), each["spec"]


def settled(kubectl: Kubectl, folder: Path) -> bool:
    """Controllers have seen everything that they write to without being asked."""
    return all(seen(each["kind"], each.get("status", {})) for each in objects(kubectl, folder))


def seen(kind: str, status: Any) -> bool:
    conditions = {each["type"] for each in status.get("conditions", [])}
    if kind == "Deployment":
        return "unavailableReplicas" in status
    return kind not in {"CustomResourceDefinition", "FlowSchema"} or bool(conditions & {"Established", "Dangling"})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_second_apply_changes_nothing(kubectl: Kubectl, apply: Callable[..., str], folder: Path) -> None:
    first = apply().splitlines()
    assert all(line.endswith(" created") for line in first)
    eventually(lambda: settled(kubectl, folder), told=lambda: objects(kubectl, folder))
    before = versions(kubectl, folder)
    assert len(before) == len(first) > 15

    assert [line for line in apply().splitlines() if not line.endswith(" unchanged")] == ALWAYS_PATCHED
    assert versions(kubectl, folder) == before


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_second_server_side_apply_changes_nothing(kubectl: Kubectl, apply: Callable[..., str], folder: Path) -> None:
    first = apply("--server-side").splitlines()
    eventually(lambda: settled(kubectl, folder), told=lambda: objects(kubectl, folder))
    before = versions(kubectl, folder)
    assert len(before) == len(first) > 15

    apply("--server-side")
    assert versions(kubectl, folder) == before


@pytest.mark.parametrize("folder", [BASE], ids=["base"])
def test_the_folders_are_accepted_file_by_file_too(kubectl: Kubectl, apply: Callable[..., str], folder: Path) -> None:
    kubectl("create", "namespace", "aiop-system")
    for name in ("crds", "rbac", "operator"):
        words = kubectl("apply", "--server-side", "-f", str(MANIFESTS / name))
        assert all(line.endswith(" serverside-applied") for line in words.splitlines())
