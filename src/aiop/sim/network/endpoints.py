"""Which pods stand behind a Service now, read off its EndpointSlices as kube-proxy reads them."""

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.cluster.objects import key_of, labels_of

_SERVICE_NAME = "kubernetes.io/service-name"

Changed = Callable[[ObjectKey], None]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One port of one pod. ``uid`` is the pod's: a new pod at an old address is another endpoint."""

    address: str
    port: int
    pod: ObjectKey | None
    uid: str

    def __str__(self) -> str:
        return f"the pod {self.pod.name} ({self.address}:{self.port})" if self.pod else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service; ``name`` is empty where the Service has one port only."""

    service: ObjectKey
    name: str


class Endpoints:
    """The endpoints of every Service port.

    Promised: an endpoint that is not ready, or whose pod is on its way out, is not among those that get new
    connections, unless all that is left is on its way out and serves: then these are (as kube-proxy has it).
    """

    def __init__(self, slices: Mirror) -> None:
        self._slices: dict[ObjectKey, dict[ObjectKey, Object]] = defaultdict(dict)
        self._usable: dict[ServicePort, tuple[Endpoint, ...]] = {}
        self._callbacks: list[Changed] = []
        slices.subscribe(self._slice_changed)

    def usable(self, port: ServicePort) -> tuple[Endpoint, ...]:
        """Where a new connection to that port may go; empty if nowhere."""
        return self._usable.get(port, ())

    def everything(self) -> set[Endpoint]:
        """Every endpoint that may get a new connection by some Service."""
        return {endpoint for found in self._usable.values() for endpoint in found}

    def subscribe(self, changed: Changed) -> None:
        """Call ``changed`` with the Service whose endpoints have changed."""
        self._callbacks.append(changed)

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        for each in (old, new):
            if each is None:
                continue
            service = ObjectKey(each["metadata"]["namespace"], labels_of(each).get(_SERVICE_NAME, ""))
            if each is new:
                self._slices[service][key_of(each)] = each
            elif new is None or labels_of(new).get(_SERVICE_NAME) != service.name:
                self._slices[service].pop(key_of(each), None)
            self._count_again(service)

    def _count_again(self, service: ObjectKey) -> None:
        fresh = {
            ServicePort(service, name): found for name, found in usable_by_port(self._slices[service].values()).items()
        }
        known = {port: found for port, found in self._usable.items() if port.service == service}
        if not self._slices[service]:
            del self._slices[service]
        if fresh == known:
            return
        for port in known:
            del self._usable[port]
        self._usable.update(fresh)
        for callback in self._callbacks:
            callback(service)


def usable_by_port(slices: Iterable[Object]) -> dict[str, tuple[Endpoint, ...]]:
    """By port name: the endpoints that are ready, or where there are none those that still serve on their way out."""
    ready: dict[str, list[Endpoint]] = defaultdict(list)
    leaving: dict[str, list[Endpoint]] = defaultdict(list)
    for each in slices:
        for name, endpoint, conditions in _listed(each):
            if conditions.get("ready") is not False:
                ready[name].append(endpoint)
            elif conditions.get("serving") and conditions.get("terminating"):
                leaving[name].append(endpoint)
    return {name: tuple(dict.fromkeys(ready.get(name) or leaving[name])) for name in {*ready, *leaving}}


def _listed(endpoint_slice: Object) -> Iterator[tuple[str, Endpoint, Object]]:
    for port in endpoint_slice.get("ports") or []:
        if port.get("protocol", "TCP") != "TCP" or not port.get("port"):
            continue
        for each in endpoint_slice.get("endpoints") or []:
            if not _is_address(next(iter(each.get("addresses") or []), "")):
                continue  # anybody may write a slice
            target = each.get("targetRef") or {}
            named = target.get("kind") == "Pod" and target.get("name")
            pod = ObjectKey(endpoint_slice["metadata"]["namespace"], target["name"]) if named else None
            endpoint = Endpoint(each["addresses"][0], port["port"], pod, target.get("uid") or "")
            yield port.get("name") or "", endpoint, each.get("conditions") or {}


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
