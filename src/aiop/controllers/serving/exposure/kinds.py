"""The kinds of other projects that a cluster may serve or not."""

from aiop.runtime.client.resource import Resource

HTTPROUTES = Resource("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes")
GATEWAYS = Resource("gateway.networking.k8s.io", "v1", "Gateway", "gateways")
MIDDLEWARES = Resource("traefik.io", "v1alpha1", "Middleware", "middlewares")
SERVICEMONITORS = Resource("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors")
PODMONITORS = Resource("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors")
