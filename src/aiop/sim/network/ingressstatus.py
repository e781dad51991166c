"""The router's voice in the API: its IngressClass, and the address in the status of the Ingresses that it serves."""

from aiop.runtime.client.builtin import INGRESSCLASSES, INGRESSES
from aiop.runtime.client.errors import AlreadyExists
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import Clock
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.cluster.objects import key_of, status_of
from aiop.sim.network.router import CLASS_NAME, CONTROLLER, is_ours
from aiop.sim.processes.podaccess import Address

_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
_HTTP = 80


async def ensure_class(api: ClusterAPI) -> None:
    """Make the router's class, the cluster's default one, unless it is there."""
    wanted = {
        "apiVersion": INGRESSCLASSES.api_version,
        "kind": INGRESSCLASSES.kind,
        "metadata": {"name": CLASS_NAME, "annotations": {_DEFAULT: "true"}},
        "spec": {"controller": CONTROLLER},
    }
    try:
        await api.create(INGRESSCLASSES, "", wanted)
    except AlreadyExists:
        return


class IngressAddresses:
    """Writes the router's address into every Ingress of its class that does not say it yet."""

    def __init__(self, api: ClusterAPI, clock: Clock, ingresses: Mirror, address: Address) -> None:
        self._api = api
        self._ingresses = ingresses
        self._wanted = {"ingress": [_listed(address)]}
        self.loop = Loop(clock, self._reconcile)
        ingresses.subscribe(self._changed)

    def _changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None and is_ours(new) and status_of(new).get("loadBalancer") != self._wanted:
            self.loop.add(key_of(new))

    async def _reconcile(self, key: ObjectKey) -> None:
        ingress = self._ingresses.get(key)
        if ingress is None or not is_ours(ingress) or status_of(ingress).get("loadBalancer") == self._wanted:
            return
        status = {**status_of(ingress), "loadBalancer": self._wanted}
        self._ingresses.wrote(await self._api.update(INGRESSES, {**ingress, "status": status}, subresource="status"))


def _listed(address: Address) -> Object:
    """Without ports an address means those of HTTP."""
    listed: Object = {"ip": address.host}
    if address.port != _HTTP:
        listed["ports"] = [{"port": address.port, "protocol": "TCP"}]
    return listed
