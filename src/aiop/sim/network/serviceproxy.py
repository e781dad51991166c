"""kube-proxy's part of the embedded cluster: for every port of every Service a TCP proxy to the ready pods."""

import asyncio
import ipaddress
from collections.abc import Iterator

import structlog

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.mirror import Mirror
from aiop.sim.cluster.objects import key_of, spec_of, terminating
from aiop.sim.network.balancer import Balancer
from aiop.sim.network.endpoints import Endpoint, Endpoints, ServicePort
from aiop.sim.network.reach import Reach
from aiop.sim.network.relay import Ends, relay
from aiop.sim.network.services import tcp_ports
from aiop.sim.processes.podaccess import Address

log = structlog.get_logger(__name__)

# Loopback addresses for Services; pods have those of 127.64.0.0/10.
NETWORK = ipaddress.IPv4Network("127.128.0.0/9")
_HIGHEST_PORT = 65535
_CONNECT_SECONDS = 2.0
_ATTEMPTS = 5
# Each costs two sockets and up to 256 KiB of buffers.
_MOST_CONNECTIONS = 1024
# What asyncio needs between the acceptance of a connection and the first step of its task.
_ACCEPTING_ROUNDS = 5
# Where the system does not let us have the Service's own address.
_ANYWHERE = "127.0.0.1"


class ServiceProxies:
    """Keeps one listener a Service port, at the Service's own address where the system allows it.

    Promised: a connection goes to a ready pod, and to another one if the first refuses; connections that are open stay
    open when their pod is on its way out. A Service without ready pods resets connections at once. No Service gets an
    address of this machine that is not in `NETWORK`.
    """

    def __init__(self, services: Mirror, endpoints: Endpoints, reach: Reach) -> None:
        self._services = services
        self._endpoints = endpoints
        self._reach = reach
        self._balancer = Balancer()
        self._listeners: dict[ServicePort, tuple[Object, asyncio.Server, Address]] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._over = False
        self._dirty: dict[ObjectKey, None] = {}
        self._woken = asyncio.Event()
        services.subscribe(self._changed)

    def address(self, service: ObjectKey, port: int) -> Address | None:
        """Where on this machine that port of the Service listens; None if it does not (yet)."""
        for name, (wanted, _, address) in self._listeners.items():
            if name.service == service and wanted["port"] == port:
                return address
        return None

    async def run(self) -> None:
        """Follow the Services until cancelled; then cut everything."""
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                while self._dirty:
                    key = next(iter(self._dirty))
                    del self._dirty[key]
                    await self._settle(key)
        finally:
            self._over = True
            for port in list(self._listeners):
                await self._close(port)
            await self._cut()

    async def _cut(self) -> None:
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        each = new or old
        if each is not None:
            self._dirty[key_of(each)] = None
            self._woken.set()

    async def _settle(self, key: ObjectKey) -> None:
        service = self._services.get(key)
        wanted = dict(_wanted(key, service)) if service is not None else {}
        for port, (known, _, _) in list(self._listeners.items()):
            if port.service == key and wanted.get(port) != known:
                await self._close(port)
        for port, each in wanted.items():
            if port not in self._listeners:
                await self._open(port, each)

    async def _open(self, port: ServicePort, wanted: Object) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(port, reader, writer)

        places = [(wanted["address"], wanted["port"])] if _is_ours(wanted) else []
        for host, number in (*places, (_ANYWHERE, 0)):
            try:
                server = await asyncio.start_server(serve, host, number)
            except OSError as error:
                log.debug("a Service cannot listen there", service=str(port.service), where=host, why=str(error))
            else:
                self._listeners[port] = (wanted, server, Address(*server.sockets[0].getsockname()[:2]))
                return

    async def _close(self, port: ServicePort) -> None:
        _, server, _ = self._listeners.pop(port)
        # Before Python 3.13 a connection that is accepted in the round in which its server closes is never closed.
        for each in server.sockets:
            asyncio.get_running_loop().remove_reader(each.fileno())
        for _ in range(_ACCEPTING_ROUNDS):
            await asyncio.sleep(0)
        server.close()

    async def _serve(self, port: ServicePort, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self._over or len(self._connections) >= _MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._connections.add(task)
        try:
            await self._lead(port, (reader, writer))
        finally:
            self._connections.discard(task)
            if not writer.is_closing():
                writer.transport.abort()

    async def _lead(self, port: ServicePort, client: Ends) -> None:
        """Join the client with a pod until one of them ends; leaves the client's side open if no pod takes it."""
        tried: list[Endpoint] = []
        while len(tried) < _ATTEMPTS:
            endpoint = self._balancer.choose(self._endpoints.usable(port), tried)
            if endpoint is None:
                break
            tried.append(endpoint)
            with self._balancer.under_way(endpoint):
                if (server := await self._connect(endpoint)) is not None:
                    await relay(client, server)
                    return

    async def _connect(self, endpoint: Endpoint) -> Ends | None:
        try:
            address = self._reach.address(endpoint)
            async with asyncio.timeout(_CONNECT_SECONDS):
                return await asyncio.open_connection(address.host, address.port)
        except (OSError, TimeoutError):
            return None


def _is_ours(wanted: Object) -> bool:
    """True for an address that Services may have: whoever makes one shall take no other of this machine's."""
    try:
        return ipaddress.IPv4Address(wanted["address"]) in NETWORK and 0 < wanted["port"] <= _HIGHEST_PORT
    except ValueError:
        return False


def _wanted(key: ObjectKey, service: Object) -> Iterator[tuple[ServicePort, Object]]:
    address = spec_of(service).get("clusterIP") or ""
    if terminating(service) or address in {"", "None"}:
        return
    for each in tcp_ports(service):
        yield ServicePort(key, each.get("name") or ""), {"address": address, "port": each["port"]}
