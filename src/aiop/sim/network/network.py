"""The network of an embedded cluster whose pods are processes: Service proxies and the router, as one task."""

import asyncio

from aiop.runtime.client.builtin import ENDPOINTSLICES, INGRESSES, SERVICES
from aiop.runtime.kit.clock import Clock
from aiop.runtime.kit.tasks import Supervisor
from aiop.sim.cluster.api import ClusterAPI
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.network.endpoints import Endpoints
from aiop.sim.network.forwarding import Forwarder, Repeat
from aiop.sim.network.ingressstatus import IngressAddresses, ensure_class
from aiop.sim.network.reach import Reach
from aiop.sim.network.router import Router
from aiop.sim.network.serviceproxy import ServiceProxies
from aiop.sim.processes.podaccess import Address, PodAccess

_LOCALHOST = "127.0.0.1"
_HTTP = 80


class Network:
    """``run`` it as a task beside the cluster and await ``ready``.

    ``pods`` says where pods listen; without it every pod is taken to listen at its own address. The router listens at
    127.0.0.1 on ``router_port`` (0: a free one) and, where the system allows it, at ``router_address`` on port 80.

    Promised: nothing polls; everything ends with ``run``.
    """

    def __init__(
        self,
        api: ClusterAPI,
        clock: Clock,
        *,
        pods: PodAccess | None = None,
        router_port: int = 0,
        router_address: str = "",
        repeat: Repeat = Repeat.IDEMPOTENT,
    ) -> None:
        self._api = api
        self._clock = clock
        self._router_port = router_port
        self._router_address = router_address
        self._services, self._slices, self._ingresses = (
            Mirror(api, resource, clock) for resource in (SERVICES, ENDPOINTSLICES, INGRESSES)
        )
        endpoints, reach = Endpoints(self._slices), Reach(pods)
        self.services = ServiceProxies(self._services, endpoints, reach)
        self.router = Router(self._ingresses, self._services, Forwarder(endpoints, reach, repeat=repeat))
        # Where the router answers for certain; what Ingresses say may be an address of its own.
        self.router_url = ""
        self._ready = asyncio.Event()
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Run until cancelled; raises TaskDied if a part fails, OSError if ``router_port`` is taken."""
        try:
            await ensure_class(self._api)
            addresses = IngressAddresses(self._api, self._clock, self._ingresses, await self._listen())
            async with Supervisor() as supervisor:
                for mirror in (self._services, self._slices, self._ingresses):
                    supervisor.start(f"network's mirror of {mirror.resource.plural}", mirror.run())
                supervisor.start("service proxies", self.services.run())
                supervisor.start("ingress addresses", addresses.loop.run())
                for mirror in (self._services, self._slices, self._ingresses):
                    await mirror.synced.wait()
                self._ready.set()
                await supervisor.wait()
        finally:
            self._over.set()
            await self.router.close()

    async def ready(self) -> None:
        """Wait until the network leads; returns too when ``run`` has ended."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._ready, self._over)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def _listen(self) -> Address:
        """The address that Ingresses shall say."""
        port = await self.router.listen(_LOCALHOST, self._router_port)
        self.router_url = f"http://{_LOCALHOST}:{port}"
        if self._router_address:
            try:
                await self.router.listen(self._router_address, _HTTP)
            except OSError:
                return Address(_LOCALHOST, port)
            return Address(self._router_address, _HTTP)
        return Address(_LOCALHOST, port)
