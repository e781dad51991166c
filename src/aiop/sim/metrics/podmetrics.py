"""What a pod used over a short window, and who knows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aiop.runtime.client.resource import ObjectKey


@dataclass(frozen=True, slots=True)
class ContainerUse:
    """CPU as nanocores (a rate over the window), memory as resident bytes at its end."""

    nanocores: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class PodMetrics:
    """Use of every container of a pod between ``taken_at`` - ``window_seconds`` and ``taken_at``."""

    pod: ObjectKey
    node: str
    taken_at: datetime
    window_seconds: float
    containers: Mapping[str, ContainerUse]


class ResourceMetrics(Protocol):
    """The resource metrics API. A pod that has not been seen twice has no metrics yet."""

    def of(self, pod: ObjectKey) -> PodMetrics | None:
        """The newest metrics of a pod."""
        ...

    def everything(self) -> Sequence[PodMetrics]:
        """The newest metrics of every pod, by namespace and name."""
        ...
