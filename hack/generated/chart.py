"""The chart's CRD templates, and plain manifests out of the chart for those who do not use Helm."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from aiop.api.crd import custom_resource_definitions
from hack.generated.text import HEADER, as_document
from hack.helm import ensure_helm

CHART = Path("charts") / "aiop"
NAMESPACE = "aiop-system"
# Equal marks of two schemas mean that an upgrade would change nothing.
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
# Marks of Helm that mean nothing to whom applies the files.
_HELM_MARKS = frozenset({"helm.sh/chart", "app.kubernetes.io/managed-by", "helm.sh/resource-policy"})
_HOOK = "helm.sh/hook"


def crd_templates() -> Iterator[tuple[str, str]]:
    """The CRDs as templates: upgraded with the release, kept when it goes (`_definitions.tpl` says when)."""
    for definition in custom_resource_definitions():
        name, spec = definition["metadata"]["name"], definition["spec"]
        body = as_document({"spec": spec})
        mark = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:_MARK_LENGTH]
        # Helm would take two braces in a description for its own.
        body = body.replace("{{", "{{ `{{` }}")
        yield (
            f"charts/aiop/templates/crds/{name}.yaml",
            f"{HEADER}{_DEFINITION % {'name': name, 'mark': mark, 'body': body}}",
        )


def rendered_chart(root: Path, *arguments: str) -> list[Any]:
    """What `helm template` makes of the chart."""
    command = [str(ensure_helm()), "template", "aiop", str(root / CHART), "--namespace", NAMESPACE]
    done = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def plain_chart(root: Path, *arguments: str) -> list[Any]:
    """The chart's objects without Helm's own marks, and without what only Helm runs."""
    documents = rendered_chart(root, *arguments)
    return [_plain(each) for each in documents if _HOOK not in each["metadata"].get("annotations", {})]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        children = {key: _plain(child) for key, child in value.items() if key not in _HELM_MARKS}
        return {key: child for key, child in children.items() if child != {} or value[key] == {}}
    return [_plain(child) for child in value] if isinstance(value, list) else value
