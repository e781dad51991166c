"""The Ingress: the path that clients outside the cluster use."""

from typing import Any

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.controllers.serving.names import workload_labels
from aiop.controllers.serving.pod.probes import SERVING_PORT
from aiop.runtime.client.builtin import INGRESSES
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.children import Child


def ingress(workload: ObjectKey, spec: AIWorkloadSpec) -> Child | None:
    """The Ingress of `inferenceEndpoint`, or None if there is no such path."""
    if spec.inference_endpoint is None:
        return None
    backend = {"service": {"name": workload.name, "port": {"name": SERVING_PORT}}}
    path = {"path": spec.inference_endpoint, "pathType": "Prefix", "backend": backend}
    rule: dict[str, Any] = {"http": {"paths": [path]}}
    body: dict[str, Any] = {"rules": [rule]}
    if spec.ingress is not None and spec.ingress.host:
        rule["host"] = spec.ingress.host
    if spec.ingress is not None and spec.ingress.class_name:
        body["ingressClassName"] = spec.ingress.class_name
    if spec.ingress is not None and spec.ingress.tls_secret_name:
        hosts = {"hosts": [spec.ingress.host]} if spec.ingress.host else {}
        body["tls"] = [{"secretName": spec.ingress.tls_secret_name, **hosts}]
    return Child(INGRESSES, workload, {"metadata": {"labels": workload_labels(workload.name)}, "spec": body})
