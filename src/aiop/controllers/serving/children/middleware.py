"""Traefik's Middleware, by which its Ingresses rewrite a path."""

import hashlib

from aiop.controllers.serving.exposure.kinds import MIDDLEWARES
from aiop.controllers.serving.names import revision_name, workload_labels
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.children import Child

_ANNOTATION = "traefik.ingress.kubernetes.io/router.middlewares"
_DIGEST = 10


def replace_path(workload: ObjectKey, path: str) -> Child:
    """Replaces any path by ``path``. Each has a Middleware of its own, so that an Ingress changes it in one write."""
    name = revision_name(workload.name, hashlib.sha256(path.encode()).hexdigest()[:_DIGEST])
    body = {"metadata": {"labels": workload_labels(workload.name)}, "spec": {"replacePath": {"path": path}}}
    return Child(MIDDLEWARES, ObjectKey(workload.namespace, name), body)


def middleware_annotation(middleware: ObjectKey) -> dict[str, str]:
    """What an Ingress of the same namespace names it by."""
    return {_ANNOTATION: f"{middleware.namespace}-{middleware.name}@kubernetescrd"}
