"""The chart's CRD templates, and plain manifests out of the chart for those who do not use Helm."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from aiop.api.crd import custom_resource_definitions
from hack.generated.text import HEADER, as_yaml
from hack.helm import ensure_helm

NAMESPACE = "aiop-system"
SCHEMA_MARK = "geartickler.com/schema"
# 64 bits: the marks of one definition's schemas over the years never meet by chance.
_MARK_LENGTH = 16
_DEFINITION = """\
{{- $definition := dict "root" . "name" "%(name)s" "schema" "%(mark)s" }}
{{- if include "aiop.definition.rendered" $definition }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  {{- include "aiop.definition.metadata" $definition | nindent 2 }}
%(body)s{{- end }}
"""
_RBAC = frozenset({"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})
# Marks of Helm that mean nothing to whom applies the files.
_HELM_LABELS = frozenset({"helm.sh/chart", "app.kubernetes.io/managed-by"})


def definitions() -> Iterator[dict[str, Any]]:
    """The CRDs, each with a mark of its schema: equal marks mean that an upgrade would change nothing."""
    for definition in custom_resource_definitions():
        words = json.dumps(definition["spec"], sort_keys=True).encode()
        annotations = {SCHEMA_MARK: hashlib.sha256(words).hexdigest()[:_MARK_LENGTH]}
        yield {**definition, "metadata": {"name": definition["metadata"]["name"], "annotations": annotations}}


def crd_templates() -> Iterator[tuple[str, str]]:
    """The CRDs as templates: upgraded with the release, kept when it goes (`_definitions.tpl` says when)."""
    for definition in definitions():
        name, mark = definition["metadata"]["name"], definition["metadata"]["annotations"][SCHEMA_MARK]
        body: str = yaml.safe_dump({"spec": definition["spec"]}, sort_keys=False, allow_unicode=True, width=120)
        # Helm would take two braces in a description for its own.
        body = body.replace("{{", "{{ `{{` }}")
        yield (
            f"charts/aiop/templates/crds/{name}.yaml",
            f"{HEADER}{_DEFINITION % {'name': name, 'mark': mark, 'body': body}}",
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
