"""What a Service's ports are, and why one cannot be reached; in plain sentences for whoever asked."""

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.cluster.objects import spec_of
from aiop.sim.network.endpoints import ServicePort


class NotThere(Exception):
    """Raised when a Service or one of its ports does not exist; the text is for the client."""


def find_port(services: Mirror, key: ObjectKey, port: Object) -> ServicePort:
    """The port that a backend names by ``number`` or ``name``; raises NotThere."""
    service = services.get(key)
    if service is None:
        message = f'there is no Service "{key.name}" in the namespace "{key.namespace}"'
        raise NotThere(message)
    if spec_of(service).get("type") == "ExternalName":
        message = f'the Service "{key.name}" leads out of the cluster (ExternalName), where this router does not go'
        raise NotThere(message)
    for each in tcp_ports(service):
        if each["port"] == port.get("number") or (port.get("name") and each.get("name") == port["name"]):
            return ServicePort(key, each.get("name") or "")
    message = f'the Service "{key.name}" has no TCP port {port.get("name") or port.get("number")}'
    raise NotThere(message)


def tcp_ports(service: Object) -> list[Object]:
    """The TCP ports of a Service."""
    return [each for each in spec_of(service).get("ports") or [] if each.get("protocol", "TCP") == "TCP"]
