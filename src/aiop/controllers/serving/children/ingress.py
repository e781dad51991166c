"""The Ingress: paths of a host that lead to a Service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiop.controllers.serving.exposure.asked import Asked
from aiop.controllers.serving.names import workload_labels
from aiop.controllers.serving.pod.probes import SERVING_PORT
from aiop.runtime.client.builtin import INGRESSES
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.children import Child


@dataclass(frozen=True, slots=True)
class IngressPath:
    """``exact``: that path and none below it."""

    path: str
    exact: bool


def ingress(
    workload: ObjectKey,
    asked: Asked,
    class_name: str,
    service: str,
    paths: Sequence[IngressPath],
    annotations: Mapping[str, str],
) -> Child:
    """The Ingress of ``paths``; ``class_name`` may be empty."""
    backend = {"service": {"name": service, "port": {"name": SERVING_PORT}}}
    rule: dict[str, Any] = {
        "http": {
            "paths": [
                {"path": each.path, "pathType": "Exact" if each.exact else "Prefix", "backend": backend}
                for each in paths
            ]
        }
    }
    spec: dict[str, Any] = {"rules": [rule]}
    if asked.hosts:
        rule["host"] = asked.hosts[0]
    if class_name:
        spec["ingressClassName"] = class_name
    if asked.tls_secret_name:
        spec["tls"] = [{"secretName": asked.tls_secret_name, **({"hosts": list(asked.hosts)} if asked.hosts else {})}]
    metadata = {"labels": workload_labels(workload.name), "annotations": dict(annotations)}
    return Child(INGRESSES, workload, {"metadata": metadata, "spec": spec})
