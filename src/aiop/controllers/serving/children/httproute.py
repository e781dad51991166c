"""The HTTPRoute: a path of a Gateway that leads to a Service, rewritten to the server's own route."""

from typing import Any

from aiop.controllers.serving.children.revision import HTTP
from aiop.controllers.serving.exposure.asked import Asked, GatewayName
from aiop.controllers.serving.exposure.kinds import HTTPROUTES
from aiop.controllers.serving.exposure.routes import Destination
from aiop.controllers.serving.names import workload_labels
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.children import Child


def http_route(workload: ObjectKey, asked: Asked, gateway: GatewayName, to: Destination) -> Child:
    """With a route that path alone, rewritten as a whole; without one, the path and all below it, as they are.

    What the API server would fill in is written out, so that the live object says the same as this one.
    """
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "namespace": gateway.namespace,
        "name": gateway.name,
        **({"sectionName": gateway.section} if gateway.section else {}),
    }
    spec: dict[str, Any] = {"parentRefs": [parent], "rules": [_rule(asked, to)]}
    if asked.hosts:
        spec["hostnames"] = list(asked.hosts)
    return Child(HTTPROUTES, workload, {"metadata": {"labels": workload_labels(workload.name)}, "spec": spec})


def _rule(asked: Asked, to: Destination) -> dict[str, Any]:
    exact = bool(to.route)
    rule: dict[str, Any] = {
        "matches": [{"path": {"type": "Exact" if exact else "PathPrefix", "value": asked.path}}],
        "backendRefs": [{"group": "", "kind": "Service", "name": to.service, "port": HTTP, "weight": 1}],
    }
    if exact and to.route != asked.path:
        path = {"type": "ReplaceFullPath", "replaceFullPath": to.route}
        rule["filters"] = [{"type": "URLRewrite", "urlRewrite": {"path": path}}]
    return rule
