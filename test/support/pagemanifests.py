"""What is wrong with a YAML block of a page: objects as a cluster would take them, values as the chart would."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from hack.helm import ensure_helm
from support.manifestfaults import faults_of
from support.pages import ROOT
from support.promtool import promtool

CHART = ROOT / "charts" / "aiop"
# Kinds of others that the pages show; nobody publishes their schemas in a package. What of them is ours is checked.
_FOREIGN = {
    ("argoproj.io/v1alpha1", "Application"),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
    ("source.toolkit.fluxcd.io/v1", "GitRepository"),
}
_KUSTOMIZATION = ("kustomize.config.k8s.io/v1beta1", "Kustomization")
KUBECTL = Path(sys.executable).with_name("kubectl")
# A fragment of an AIWorkload shows what it is about; this is the rest.
_WORKLOAD = {
    "apiVersion": "geartickler.com/v1alpha1",
    "kind": "AIWorkload",
    "metadata": {"name": "example"},
    "spec": {"modelName": "example", "framework": "ONNX"},
}


def yaml_faults(text: str) -> list[str]:
    """Why somebody who copies the block would be refused; empty if nobody would."""
    documents = [document for document in yaml.safe_load_all(text) if document is not None]
    if not documents:
        return ["there is nothing in it"]
    return [fault for document in documents for fault in _document_faults(document)]


def values_faults(*arguments: str) -> list[str]:
    """What the chart says of values given as to `helm install`."""
    command = [str(ensure_helm()), "template", "aiop", str(CHART), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [done.stderr.strip()] if done.returncode else []


def _document_faults(document: Any) -> list[str]:
    if not isinstance(document, dict):
        return ["it is no object"]
    if set(document) == {"spec"}:
        return faults_of({**_WORKLOAD, "spec": _WORKLOAD["spec"] | document["spec"]})
    if "kind" not in document:
        return _prometheus_faults(document) if "scrape_configs" in document else _values_object_faults(document)
    return _object_faults(document)


def _object_faults(obj: dict[str, Any]) -> list[str]:
    identity = (str(obj.get("apiVersion")), str(obj["kind"]))
    if identity == _KUSTOMIZATION:
        return _kustomization_faults(obj)
    if identity not in _FOREIGN:
        return faults_of(obj)
    return [fault for values in _values_in(obj) for fault in _values_object_faults(values)]


def _kustomization_faults(kustomization: dict[str, Any]) -> list[str]:
    """What kubectl says of it in a folder beside a checkout that is called aiop."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "aiop").symlink_to(ROOT)
        mine = Path(folder) / "mine"
        mine.mkdir()
        (mine / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
        done = subprocess.run([str(KUBECTL), "kustomize", str(mine)], capture_output=True, text=True, check=False)
        return [done.stderr.strip()] if done.returncode else []


def _prometheus_faults(configuration: dict[str, Any]) -> list[str]:
    """What promtool says of a configuration of Prometheus; Debian's is built without discovery by Kubernetes."""
    for each in configuration["scrape_configs"]:
        each.pop("kubernetes_sd_configs", None)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "prometheus.yaml"
        file.write_text(yaml.safe_dump(configuration), encoding="utf-8")
        done = promtool("check", "config", str(file))
        return [done.stderr.strip()] if done.returncode else []


def _values_in(document: dict[str, Any]) -> list[Any]:
    spec = document.get("spec", {})
    found = [spec.get("values"), spec.get("source", {}).get("helm", {}).get("valuesObject")]
    return [values for values in found if values is not None]


def _values_object_faults(values: Any) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "values.yaml"
        file.write_text(yaml.safe_dump(values), encoding="utf-8")
        return values_faults("--values", str(file))
