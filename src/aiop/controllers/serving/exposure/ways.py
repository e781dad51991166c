"""Which way clients come from outside: by an IngressClass, or by a Gateway. Pure."""

from dataclasses import dataclass

from aiop.controllers.serving.exposure.asked import Asked, GatewayName
from aiop.controllers.serving.exposure.cluster import Cluster


@dataclass(frozen=True, slots=True)
class IngressWay:
    """By Ingress; ``class_name`` is empty where neither the workload nor the operator nor the cluster names one."""

    class_name: str

    def __str__(self) -> str:
        """As a tenant would say it."""
        return f"by the IngressClass {self.class_name!r}" if self.class_name else "by an Ingress of no class"

    def meets(self, other: "Way") -> bool:
        """True if one path of one host cannot belong to both."""
        return isinstance(other, IngressWay) and other.class_name == self.class_name


@dataclass(frozen=True, slots=True)
class GatewayWay:
    """By HTTPRoute."""

    gateway: GatewayName

    def __str__(self) -> str:
        """As a tenant would say it."""
        return f"by the Gateway {self.gateway}"

    def meets(self, other: "Way") -> bool:
        """True if one path of one host cannot belong to both: some listener of the Gateway serves both."""
        if not isinstance(other, GatewayWay):
            return False
        mine, theirs = self.gateway, other.gateway
        same = (mine.namespace, mine.name) == (theirs.namespace, theirs.name)
        return same and (not mine.section or not theirs.section or mine.section == theirs.section)


Way = IngressWay | GatewayWay


@dataclass(frozen=True, slots=True)
class DefaultWays:
    """What an administrator sets for workloads that name neither; both may be unset."""

    ingress_class: str = ""
    gateway: GatewayName | None = None


def way_of(asked: Asked, defaults: DefaultWays, cluster: Cluster) -> Way:
    """The Gateway that is named; else the operator's, if its API is served and no Ingress is asked for; else Ingress.

    The class is the one that is named, else the operator's default, else the cluster's.
    """
    if asked.gateway is not None:
        return GatewayWay(asked.gateway)
    if defaults.gateway is not None and cluster.gateway_api and not asked.by_ingress:
        return GatewayWay(defaults.gateway)
    return IngressWay(asked.class_name or defaults.ingress_class or cluster.default_class)
