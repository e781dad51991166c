"""The variables that tell a container of the Services there are."""

from collections.abc import Iterable, Iterator

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import spec_of

# This one every pod is told of, whatever its enableServiceLinks says.
_API_SERVER = ("default", "kubernetes")


def service_variables(services: Iterable[Object], namespace: str, *, links: bool) -> dict[str, str]:
    """As a kubelet sets them for a pod of ``namespace``; ``links`` is its enableServiceLinks.

    Services without an address of their own (headless, ExternalName) have none.
    """
    said: dict[str, str] = {}
    for service in services:
        meta = service["metadata"]
        known = (meta["namespace"], meta["name"]) == _API_SERVER or (links and meta["namespace"] == namespace)
        if known and spec_of(service).get("clusterIP") not in {None, "", "None"} and spec_of(service).get("ports"):
            said |= dict(_variables(meta["name"], spec_of(service)))
    return said


def _variables(name: str, spec: Object) -> Iterator[tuple[str, str]]:
    prefix, address, ports = _upper(name), spec["clusterIP"], spec["ports"]
    yield f"{prefix}_SERVICE_HOST", address
    yield f"{prefix}_SERVICE_PORT", str(ports[0]["port"])
    for port in ports:
        if port.get("name"):
            yield f"{prefix}_SERVICE_PORT_{_upper(port['name'])}", str(port["port"])
    yield f"{prefix}_PORT", _url(ports[0], address)
    for port in ports:
        protocol, number = port.get("protocol") or "TCP", str(port["port"])
        whole = f"{prefix}_PORT_{number}_{protocol.upper()}"
        yield whole, _url(port, address)
        yield f"{whole}_PROTO", protocol.lower()
        yield f"{whole}_PORT", number
        yield f"{whole}_ADDR", address


def _url(port: Object, address: str) -> str:
    return f"{(port.get('protocol') or 'TCP').lower()}://{address}:{port['port']}"


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")
