"""Where an endpoint listens on this machine: at its pod's own address, or wherever those who run the pod say."""

from aiop.sim.network.endpoints import Endpoint
from aiop.sim.processes.errors import ProcessPodError
from aiop.sim.processes.podaccess import Address, PodAccess

_HIGHEST_PORT = 65535


class Unreachable(ConnectionError):
    """Raised when nothing listens for an endpoint on this machine: its pod is simulated, or has just ended."""


class Reach:
    """Without ``pods`` every endpoint is taken to listen at its own address."""

    def __init__(self, pods: PodAccess | None = None) -> None:
        self._pods = pods

    def address(self, endpoint: Endpoint) -> Address:
        """Where to connect to; raises Unreachable."""
        if not 0 < endpoint.port <= _HIGHEST_PORT:
            message = f"there is no port {endpoint.port}"
            raise Unreachable(message)
        if self._pods is None or endpoint.pod is None:
            return Address(endpoint.address, endpoint.port)
        try:
            return self._pods.address(endpoint.pod, endpoint.port)
        except ProcessPodError as error:
            raise Unreachable(str(error)) from error
