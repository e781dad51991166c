"""The release `aiop` of the chart in a real cluster: what it was installed with, and back to that at the end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from support.helm import CHART, Helm
from support.kubectl import Kubectl
from support.replicas import RELEASE

# Helm waits for pods that start, as kubectl does for what it waits for.
WAITED = ("--wait", "--timeout=120s")
# What others took over meanwhile is taken back.
_TAKEN_BACK = ("--take-ownership", "--force-conflicts")
_OTHERS = ("kubectl", "kubectl-client-side-apply", "argocd-controller")


@contextmanager
def put_back(helm: Helm, folder: Path) -> Iterator[Path]:
    """A file with the release's values; afterwards it is there again as it was, whatever was done to it."""
    values = folder / "values.json"
    values.write_text(json.dumps(_values(helm)))
    try:
        yield values
    finally:
        helm("upgrade", "--install", RELEASE, CHART, "--values", values, *WAITED, *_TAKEN_BACK)
        _owned_alone(helm)


def _owned_alone(helm: Helm) -> None:
    """Others applied the same objects: a field that they still own too would be in the way of the next upgrade."""
    kubectl = Kubectl(helm.kubeconfig, helm.namespace)
    for each in yaml.safe_load_all(helm("get", "manifest", RELEASE)):
        name = (each["kind"], each["metadata"]["name"])
        entries = kubectl.get(*name, "--show-managed-fields")["metadata"]["managedFields"]
        left = [entry for entry in entries if entry["manager"] not in _OTHERS]
        if left != entries:
            patch = [{"op": "replace", "path": "/metadata/managedFields", "value": left}]
            kubectl("patch", *name, "--type=json", "-p", json.dumps(patch))


def _values(helm: Helm) -> Any:
    return json.loads(helm("get", "values", RELEASE, "--output", "json"))
