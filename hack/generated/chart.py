"""The chart's CRD templates, and plain manifests out of the chart for those who do not use Helm."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from aiop.api.crd import custom_resource_definitions
from hack.generated.text import HEADER, as_yaml
from hack.helm import ensure_helm

NAMESPACE = "aiop-system"
_RBAC = frozenset({"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})
# Marks of Helm that mean nothing to whom applies the files.
_HELM_LABELS = frozenset({"helm.sh/chart", "app.kubernetes.io/managed-by"})


def crd_templates() -> Iterator[tuple[str, str]]:
    """The CRDs as templates: upgraded with the release, kept when it goes."""
    for definition in custom_resource_definitions():
        name = definition["metadata"]["name"]
        kept = {**definition, "metadata": {"name": name, "annotations": {"helm.sh/resource-policy": "keep"}}}
        body: str = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=120)
        # Helm would take two braces in a description for its own.
        body = body.replace("{{", "{{ `{{` }}")
        yield (
            f"charts/aiop/templates/crds/{name}.yaml",
            f"{HEADER}{{{{- if .Values.crds.install }}}}\n{body}{{{{- end }}}}\n",
        )


def rendered_chart(root: Path, *arguments: str) -> list[Any]:
    """What `helm template` makes of the chart."""
    command = [str(ensure_helm()), "template", "aiop", str(root / "charts" / "aiop"), "--namespace", NAMESPACE]
    done = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def chart_files(root: Path) -> Iterator[tuple[str, str]]:
    """manifests/rbac and manifests/operator."""
    documents = [_plain(document) for document in rendered_chart(root, "--set", "crds.install=false")]
    rbac = [document for document in documents if document["kind"] in _RBAC]
    rest = [document for document in documents if document["kind"] not in _RBAC]
    yield "manifests/rbac/rbac.yaml", as_yaml(rbac)
    yield "manifests/operator/operator.yaml", as_yaml(rest)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items() if key not in _HELM_LABELS}
    return [_plain(child) for child in value] if isinstance(value, list) else value
