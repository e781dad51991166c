"""The objects that the node's programs need in the cluster, and what a platform engineer would have set up there."""

from collections.abc import Mapping, Sequence
from typing import Any

from hack.node.place import Place
from hack.node.settings import METRICS_PORT

SYSTEM = "kube-system"
# Where the shared Gateway lives.
GATEWAY_NAMESPACE = "gateways"
GATEWAY = "public"
_RBAC = "rbac.authorization.k8s.io"
_READ = ["get", "list", "watch"]
# Traefik waits for each of its own kinds before it serves any.
_TRAEFIK_KINDS = {
    "IngressRoute": "ingressroutes",
    "IngressRouteTCP": "ingressroutetcps",
    "IngressRouteUDP": "ingressrouteudps",
    "Middleware": "middlewares",
    "MiddlewareTCP": "middlewaretcps",
    "ServersTransport": "serverstransports",
    "ServersTransportTCP": "serverstransporttcps",
    "TLSOption": "tlsoptions",
    "TLSStore": "tlsstores",
    "TraefikService": "traefikservices",
}


def definitions() -> list[dict[str, Any]]:
    """Traefik's own kinds, without a schema: Traefik checks what it reads."""
    return [_definition(kind, plural) for kind, plural in _TRAEFIK_KINDS.items()]


def objects(place: Place) -> list[dict[str, Any]]:
    """Rights, the metrics API, and a public Gateway beside an Ingress class; after the definitions."""
    return [*_rights(), *_metrics(place), *_traffic()]


def _definition(kind: str, plural: str) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.traefik.io"},
        "spec": {
            "group": "traefik.io",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [version],
        },
    }


def _rights() -> list[dict[str, Any]]:
    return [
        *_role(
            "coredns",
            _rule("", ["endpoints", "services", "pods", "namespaces"]),
            _rule("discovery.k8s.io", ["endpointslices"]),
        ),
        *_role(
            "traefik",
            _rule("", ["services", "secrets", "nodes", "namespaces", "configmaps", "pods", "endpoints"]),
            _rule("discovery.k8s.io", ["endpointslices"]),
            _rule("networking.k8s.io", ["ingresses", "ingressclasses"]),
            _rule("networking.k8s.io", ["ingresses/status"], ["update"]),
            _rule("traefik.io", ["*"]),
            _rule("gateway.networking.k8s.io", ["*"], [*_READ, "update", "patch"]),
        ),
        *_role(
            "metrics-server",
            _rule("", ["nodes/metrics"], ["get"]),
            _rule("", ["pods", "nodes", "namespaces", "configmaps"]),
        ),
        _binding("metrics-server:delegator", "system:auth-delegator", "system:metrics-server"),
        _binding("kubelet-client", "system:kubelet-api-admin", "kube-apiserver-kubelet-client"),
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "metrics-server-auth-reader", "namespace": SYSTEM},
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": "extension-apiserver-authentication-reader"},
            "subjects": [_subject("system:metrics-server")],
        },
    ]


def _rule(group: str, resources: Sequence[str], verbs: Sequence[str] = tuple(_READ)) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _role(name: str, *rules: Mapping[str, Any]) -> list[dict[str, Any]]:
    role = {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": list(rules)}
    return [role, _binding(name, name, f"system:{name}")]


def _binding(name: str, role: str, user: str) -> dict[str, Any]:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [_subject(user)],
    }


def _subject(user: str) -> dict[str, str]:
    return {"apiGroup": _RBAC, "kind": "User", "name": user}


def _metrics(place: Place) -> list[dict[str, Any]]:
    name = "metrics-server"
    service = {"name": name, "namespace": SYSTEM}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": service,
            "spec": {"ports": [{"name": "https", "port": 443, "targetPort": METRICS_PORT}]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**service, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "ports": [{"name": "https", "port": METRICS_PORT}],
            "endpoints": [{"addresses": [place.address], "conditions": {"ready": True}}],
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "service": service,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "insecureSkipTLSVerify": True,
            },
        },
    ]


def _traffic() -> list[dict[str, Any]]:
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {
                "name": "traefik",
                "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
            },
            "spec": {"controller": "traefik.io/ingress-controller"},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": "traefik"},
            "spec": {"controllerName": "traefik.io/gateway-controller"},
        },
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": GATEWAY_NAMESPACE}},
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": GATEWAY, "namespace": GATEWAY_NAMESPACE},
            "spec": {
                "gatewayClassName": "traefik",
                "listeners": [
                    {
                        "name": "http",
                        "protocol": "HTTP",
                        "port": 80,
                        "allowedRoutes": {"namespaces": {"from": "All"}},
                    }
                ],
            },
        },
    ]
