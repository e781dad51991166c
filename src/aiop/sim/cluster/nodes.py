"""Simulated nodes: what they have, that they are well, and the heartbeat that a real cluster wants to see."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiop.runtime.client.builtin import LEASES, NODES
from aiop.runtime.client.errors import AlreadyExists, ClientError
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import Clock
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.cluster.moments import micro_moment_of, moment_of

# As a kubelet does; the node lifecycle controller waits five times as long.
_HEARTBEAT_SECONDS = 10.0
_LEASE_NAMESPACE = "kube-node-lease"


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node to simulate; ``gpus`` of the kind ``product`` with ``gpu_memory`` MiB each."""

    name: str
    cpu: str = "32"
    memory: str = "128Gi"
    gpus: int = 0
    product: str = "NVIDIA-H100-80GB-HBM3"
    gpu_memory: int = 81559
    labels: dict[str, str] = field(default_factory=dict)

    def manifest(self) -> Object:
        """The Node object, without its status."""
        labels = {
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            **self.labels,
        }
        if self.gpus:
            labels |= {
                "nvidia.com/gpu.present": "true",
                "nvidia.com/gpu.count": str(self.gpus),
                "nvidia.com/gpu.product": self.product,
                "nvidia.com/gpu.memory": str(self.gpu_memory),
            }
        return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name, "labels": labels}}

    def resources(self) -> dict[str, str]:
        """Capacity and allocatable."""
        amounts = {"cpu": self.cpu, "memory": self.memory, "pods": "110", "ephemeral-storage": "500Gi"}
        return amounts | ({"nvidia.com/gpu": str(self.gpus)} if self.gpus else {})

    def status(self, moment: str) -> Object:
        """A node that is well."""
        well = {"MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False", "Ready": "True"}
        conditions = [
            {
                "type": kind,
                "status": status,
                "reason": "KubeletReady" if kind == "Ready" else f"KubeletHasNo{kind}",
                "message": "simulated",
                "lastHeartbeatTime": moment,
                "lastTransitionTime": moment,
            }
            for kind, status in well.items()
        ]
        versions = {"kubeletVersion": "v1.37.2", "operatingSystem": "linux", "architecture": "amd64"}
        return {
            "capacity": self.resources(),
            "allocatable": self.resources(),
            "conditions": conditions,
            "nodeInfo": versions,
        }


class Nodes:
    """Registers nodes and keeps their heartbeats."""

    def __init__(self, api: ClusterAPI, clock: Clock, specs: Sequence[NodeSpec]) -> None:
        self._api = api
        self._clock = clock
        self._specs = specs

    async def register(self) -> None:
        """Make the nodes, or take over those that are there."""
        for spec in self._specs:
            try:
                await self._api.create(NODES, "", spec.manifest())
            except AlreadyExists:
                await self._api.patch(NODES, ObjectKey("", spec.name), spec.manifest())
            patch = {"status": spec.status(moment_of(self._clock))}
            await self._api.patch(NODES, ObjectKey("", spec.name), patch, subresource="status")

    async def run(self) -> None:
        """Beat for ever; a server that is away misses a beat, no more."""
        while True:
            for spec in self._specs:
                try:
                    await self._beat(spec.name)
                except ClientError:
                    continue
            await self._clock.sleep(_HEARTBEAT_SECONDS)

    async def _beat(self, name: str) -> None:
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": micro_moment_of(self._clock)}
        key = ObjectKey(_LEASE_NAMESPACE, name)
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}
        try:
            await self._api.create(LEASES, _LEASE_NAMESPACE, lease)
        except AlreadyExists:
            await self._api.patch(LEASES, key, {"spec": spec})
