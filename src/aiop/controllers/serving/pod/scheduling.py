"""Where the pods may go: what the user asked for, and what the GPU needs."""

from decimal import Decimal
from typing import Any

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.scheduling import Gpu
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.names import REVISION_LABEL, WORKLOAD_LABEL
from aiop.controllers.serving.pod.resources import GPU, asks_for_gpu
from aiop.controllers.serving.quantities import value_of

_PRODUCT_LABEL = "nvidia.com/gpu.product"
_MEMORY_LABEL = "nvidia.com/gpu.memory"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_MEBIBYTE = 1024**2
# GPUs report less than they are sold with: 24 GB cards 22,731 to 23,034 MiB, 80 GB cards 81,559 MiB; the gap between
# one size and the next smaller is never under a quarter.
_REPORTED_SHARE = Decimal("0.92")
_LARGEST_MEMORY = 2**50


def scheduling(spec: AIWorkloadSpec, workload: str) -> dict[str, Any]:
    """Fields of the PodSpec, absent where nothing was asked. Raises NotAccepted (InvalidGpuMemory)."""
    fields: dict[str, Any] = {"tolerations": _tolerations(spec)}
    if spec.node_selector:
        fields["nodeSelector"] = dict(sorted(spec.node_selector.items()))
    affinity = _affinity(spec)
    if affinity:
        fields["affinity"] = affinity
    if spec.topology_spread_constraints:
        fields["topologySpreadConstraints"] = [
            {
                **each.model_dump(by_alias=True, mode="json"),
                "labelSelector": {"matchLabels": {WORKLOAD_LABEL: workload}},
                "matchLabelKeys": [REVISION_LABEL],
            }
            for each in spec.topology_spread_constraints
        ]
    if spec.priority_class_name:
        fields["priorityClassName"] = spec.priority_class_name
    return fields


def _tolerations(spec: AIWorkloadSpec) -> list[dict[str, Any]]:
    tolerations = [
        toleration.model_dump(by_alias=True, exclude_none=True, mode="json") for toleration in spec.tolerations
    ]
    if asks_for_gpu(spec):
        # The taint that GPU nodes carry by NVIDIA's own advice.
        tolerations.append({"key": GPU, "operator": "Exists"})
    return tolerations


def _affinity(spec: AIWorkloadSpec) -> dict[str, Any]:
    affinity = spec.affinity.model_dump(by_alias=True, exclude_none=True, mode="json") if spec.affinity else {}
    needed = _requirements(spec.gpu) if spec.gpu else []
    if needed:
        node = affinity.setdefault("nodeAffinity", {})
        terms = node.get(_REQUIRED, {}).get("nodeSelectorTerms", [{"matchExpressions": []}])
        # One of the user's terms must hold, and the GPU's needs in any case.
        node[_REQUIRED] = {
            "nodeSelectorTerms": [{"matchExpressions": [*term["matchExpressions"], *needed]} for term in terms]
        }
    return affinity


def _requirements(gpu: Gpu) -> list[dict[str, Any]]:
    """What the labels of GPU feature discovery must say."""
    needed: list[dict[str, Any]] = []
    if gpu.product:
        needed.append({"key": _PRODUCT_LABEL, "operator": "In", "values": list(gpu.product)})
    if gpu.memory is not None:
        needed.append({"key": _MEMORY_LABEL, "operator": "Gt", "values": [str(_least_memory(gpu.memory) - 1)]})
    return needed


def _least_memory(memory: str) -> int:
    """In MiB, as the label counts."""
    amount = value_of(memory)
    if not _MEBIBYTE <= amount <= _LARGEST_MEMORY:
        raise NotAccepted("InvalidGpuMemory", f"spec.gpu.memory {memory} is no GPU's memory: give it as 24Gi or 80Gi")
    return int(amount * _REPORTED_SHARE / _MEBIBYTE)
