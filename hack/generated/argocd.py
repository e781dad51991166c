"""What Argo CD needs to know of AIWorkloads, as a part of its own configuration."""

from collections.abc import Iterator
from pathlib import Path

from hack.generated.chart import CHART
from hack.generated.text import as_yaml

HEALTH = CHART / "files" / "argocd" / "health.lua"
# Argo CD's own name for the check of a kind: group, underscore, kind.
KEY = "resource.customizations.health.geartickler.com_AIWorkload"


def argocd_files(root: Path) -> Iterator[tuple[str, str]]:
    """manifests/argocd: a part of the ConfigMap that Argo CD reads, to be applied beside what others keep there."""
    script = (root / HEALTH).read_text(encoding="utf-8")
    metadata = {"name": "argocd-cm", "namespace": "argocd", "labels": {"app.kubernetes.io/part-of": "argocd"}}
    part = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {KEY: script}}
    yield "manifests/argocd/argocd-cm.yaml", as_yaml([part])
