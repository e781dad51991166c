"""Simulated nodes: what they have, that they are well, and the heartbeat that a real cluster wants to see."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiop.runtime.client.builtin import LEASES, NODES
from aiop.runtime.client.errors import (
    AlreadyExists,
    ClientError,
    ConnectionFailed,
    NotFound,
    RequestTimedOut,
    ServerError,
    TooManyRequests,
)
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.kit.clock import Clock
from aiop.sim.cluster.api import ClusterAPI, Object
from aiop.sim.cluster.moments import micro_moment_of, moment_of
from aiop.sim.cluster.objects import condition_of

# As a kubelet does; the node lifecycle controller waits five times as long.
_HEARTBEAT_SECONDS = 10.0
_LEASE_NAMESPACE = "kube-node-lease"
# A server that is just starting is asked again this often.
_RETRY_SECONDS = 0.5
_AWAY = (ConnectionFailed, RequestTimedOut, ServerError, TooManyRequests)
# The kubelet's own words.
_WELL = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
_NODE_INFO = {
    "kubeletVersion": "v1.37.2",
    "kubeProxyVersion": "",
    "operatingSystem": "linux",
    "architecture": "amd64",
    "osImage": "Simulated Linux",
    "kernelVersion": "6.12.0-simulated",
    "containerRuntimeVersion": "simulated://1.0.0",
}


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
        conditions = [
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": moment,
                "lastTransitionTime": moment,
            }
            for kind, status, reason, message in _WELL
        ]
        return {
            "capacity": self.resources(),
            "allocatable": self.resources(),
            "conditions": conditions,
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": self.name}],
            "nodeInfo": {**_NODE_INFO, "machineID": self.name, "systemUUID": self.name, "bootID": self.name},
        }


class Nodes:
    """Registers nodes and keeps their heartbeats."""

    def __init__(self, api: ClusterAPI, clock: Clock, specs: Sequence[NodeSpec]) -> None:
        self._api = api
        self._clock = clock
        self._specs = specs

    async def register(self) -> None:
        """Make the nodes, or take over those that are there; a server that is away is waited for."""
        for spec in self._specs:
            while True:
                try:
                    await self._register(spec)
                except _AWAY:
                    await self._clock.sleep(_RETRY_SECONDS)
                else:
                    break

    async def _register(self, spec: NodeSpec) -> None:
        key = ObjectKey("", spec.name)
        try:
            await self._api.create(NODES, "", spec.manifest())
        except AlreadyExists:
            await self._api.patch(NODES, key, spec.manifest())
        await self._api.patch(NODES, key, {"status": spec.status(moment_of(self._clock))}, subresource="status")

    async def run(self) -> None:
        """Beat for ever; a server that is away is asked again soon, as a kubelet does."""
        while True:
            answers = [await self._beaten(spec) for spec in self._specs]
            await self._clock.sleep(_HEARTBEAT_SECONDS if all(answers) else _RETRY_SECONDS)

    async def _beaten(self, spec: NodeSpec) -> bool:
        """One beat; False if the server is away."""
        try:
            await self._beat(spec.name)
            await self._restate(spec)
        except _AWAY:
            return False
        except ClientError:
            pass  # refused for good (the node was deleted, say): the next beat asks again
        return True

    async def _restate(self, spec: NodeSpec) -> None:
        """Say again that the node is well, if a node controller that missed its beats has said otherwise."""
        key = ObjectKey("", spec.name)
        if condition_of(await self._api.get(NODES, key), "Ready").get("status") != "True":
            await self._api.patch(NODES, key, {"status": spec.status(moment_of(self._clock))}, subresource="status")

    async def _beat(self, name: str) -> None:
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": micro_moment_of(self._clock)}
        try:
            await self._api.patch(LEASES, ObjectKey(_LEASE_NAMESPACE, name), {"spec": spec})
        except NotFound:
            kinds = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
            await self._api.create(LEASES, _LEASE_NAMESPACE, {**kinds, "metadata": {"name": name}, "spec": spec})
