"""An address for each pod: one of the loopback network's where the system lets us, else ports of 127.0.0.1."""

import ipaddress
import random as random_module
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aiop.sim.processes.errors import PortNotFound
from aiop.sim.processes.podaccess import Address

# Loopback addresses that nothing else is known to use; a quarter of 127.0.0.0/8. Linux binds all of them.
NETWORK = ipaddress.IPv4Network("127.64.0.0/10")
_SHARED = "127.0.0.1"
# Bound on a pod's address for as long as it has it, so that two clusters of one machine never share one.
_CLAIM_PORT = 49151
_TRIES = 64


@dataclass(slots=True)
class PodAddress:
    """A pod's address. ``ports`` maps container ports to those of this machine; empty: they are the same."""

    host: str
    ports: Mapping[int, int] = field(default_factory=dict)
    shared: bool = False
    claim: socket.socket | None = None

    def of(self, port: int) -> Address:
        """Where the pod's port is; raises PortNotFound."""
        if not self.shared:
            return Address(self.host, port)
        if port not in self.ports:
            raise PortNotFound(f"the pod lists no port {port}, and has no address of its own here")
        return Address(self.host, self.ports[port])

    def release(self) -> None:
        """Give it back."""
        if self.claim is not None:
            self.claim.close()


class Addresses:
    """Gives out addresses. ``own`` False: as where the system has no loopback address but 127.0.0.1."""

    def __init__(self, random: random_module.Random, *, own: bool = True) -> None:
        self._random = random
        self._own = own
        self._given: set[int] = set()

    def give(self, ports: Iterable[int]) -> PodAddress:
        """An address for a pod with those container ports; raises OSError if this machine has no free port left."""
        for _ in range(_TRIES if self._own else 0):
            host = str(NETWORK[self._random.randrange(1, NETWORK.num_addresses - 1)])
            claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                claim.bind((host, _CLAIM_PORT))
            except OSError:
                claim.close()
            else:
                return PodAddress(host, claim=claim)
        return PodAddress(_SHARED, {port: self._free_port() for port in sorted(set(ports))}, shared=True)

    def _free_port(self) -> int:
        """One that nobody has now and that was not given before; somebody else may still be quicker to take it."""
        while True:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as found:
                found.bind((_SHARED, 0))
                port = int(found.getsockname()[1])
            if port not in self._given:
                self._given.add(port)
                return port
