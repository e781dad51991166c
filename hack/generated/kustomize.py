"""`manifests/` as kustomize reads it: a base of the chart's objects, and overlays of what other values change in it.

A file named `Kustomization` is one for kustomize and none for `kubectl apply --filename FOLDER`, so both ways of
reading a folder work.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hack.generated.chart import CHART, NAMESPACE, plain_chart
from hack.generated.patches import operations
from hack.generated.text import HEADER, as_document, as_yaml

OVERLAYS = ("high-availability", "monitoring", "namespaced")
_RBAC = frozenset({"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})
_DEFINITION = "CustomResourceDefinition"
# Not in the chart, since Helm makes the namespace of a release by itself.
_NAMESPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
}


def manifests(root: Path) -> Iterator[tuple[str, str]]:
    """Path and content of each file below manifests/ that is made from the chart."""
    base = plain_chart(root)
    yield from _base(base)
    for name in OVERLAYS:
        values = root / CHART / "ci" / f"{name}-values.yaml"
        yield from _overlay(name, base, plain_chart(root, "--values", str(values)))


def _base(objects: Sequence[Any]) -> Iterator[tuple[str, str]]:
    definitions = [each for each in objects if each["kind"] == _DEFINITION]
    for each in definitions:
        yield f"manifests/crds/{each['metadata']['name']}.yaml", as_yaml([each])
    rbac = [each for each in objects if each["kind"] in _RBAC]
    yield "manifests/rbac/rbac.yaml", as_yaml(rbac)
    rest = [each for each in objects if each["kind"] not in {*_RBAC, _DEFINITION}]
    yield "manifests/operator/operator.yaml", as_yaml(rest)
    yield "manifests/base/namespace.yaml", as_yaml([_NAMESPACE])
    names = [f"{each['metadata']['name']}.yaml" for each in definitions]
    yield "manifests/crds/Kustomization", _kustomization(resources=names)
    yield "manifests/rbac/Kustomization", _kustomization(resources=["rbac.yaml"])
    yield "manifests/operator/Kustomization", _kustomization(resources=["operator.yaml"])
    parts = ["namespace.yaml", "../crds", "../rbac", "../operator"]
    yield "manifests/base/kustomization.yaml", _kustomization(resources=parts)


def _overlay(name: str, base: Sequence[Any], wanted: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """A component, which can be put beside others, and the overlay that has it alone."""
    yield from _component(f"manifests/components/{name}", base, wanted)
    overlay = _kustomization(resources=["../../base"], components=[f"../../components/{name}"])
    yield f"manifests/overlays/{name}/kustomization.yaml", overlay


def _component(folder: str, base: Sequence[Any], wanted: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """What must be added to the base, changed in it and taken from it."""
    before = {_identity(each): each for each in base}
    after = {_identity(each): each for each in wanted}
    added = [each for key, each in after.items() if key not in before]
    patches = [_patch(each, after.get(key)) for key, each in before.items() if after.get(key) != each]
    if added:
        yield f"{folder}/objects.yaml", as_yaml(added)
    parts: dict[str, Sequence[Any]] = {"resources": ["objects.yaml"] if added else [], "patches": patches}
    text = _kustomization(version="kustomize.config.k8s.io/v1alpha1", kind="Component", **parts)
    yield f"{folder}/kustomization.yaml", text


def _identity(each: Any) -> tuple[str, str, str, str]:
    metadata = each["metadata"]
    return each["apiVersion"], each["kind"], metadata.get("namespace", ""), metadata["name"]


def _patch(before: Any, after: Any | None) -> dict[str, Any]:
    """A patch of kustomize: operations for what is changed, a deletion for what is gone."""
    metadata = {key: before["metadata"][key] for key in ("name", "namespace") if key in before["metadata"]}
    if after is None:
        gone = {"apiVersion": before["apiVersion"], "kind": before["kind"], "metadata": metadata, "$patch": "delete"}
        return {"patch": as_document(gone)}
    group, _, version = before["apiVersion"].rpartition("/")
    target = {"group": group, "version": version, "kind": before["kind"], **metadata}
    target = {key: value for key, value in target.items() if value}
    return {"target": target, "patch": as_document(list(operations(before, after)))}


def _kustomization(
    version: str = "kustomize.config.k8s.io/v1beta1", kind: str = "Kustomization", **parts: Sequence[Any]
) -> str:
    present = {name: list(part) for name, part in parts.items() if part}
    return HEADER + as_document({"apiVersion": version, "kind": kind, **present})
