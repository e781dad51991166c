"""The caches that the serving controller reads, and a snapshot out of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiop.api.resources import AIWORKLOADS, SERVINGRUNTIMES
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.exposure.cluster import Cluster, class_controllers, default_class
from aiop.controllers.serving.exposure.gateways import GatewayView, decode_gateway
from aiop.controllers.serving.exposure.kinds import GATEWAYS, HTTPROUTES, MIDDLEWARES, PODMONITORS, SERVICEMONITORS
from aiop.controllers.serving.exposure.ledger import CachedLedger
from aiop.controllers.serving.exposure.live import (
    BY_GATEWAY,
    BY_PLACE,
    BY_ROUTE,
    ingress_places,
    ingress_routes,
    route_gateways,
    route_places,
)
from aiop.controllers.serving.names import WORKLOAD_LABEL
from aiop.controllers.serving.observed import Observed, deployment_state
from aiop.controllers.serving.scaling.sightings import Sightings
from aiop.controllers.serving.scaling.wanted import HAS_GPU_TARGET, by_gpu_target
from aiop.controllers.serving.specs import SpecCache
from aiop.runtime.client.builtin import (
    CONTROLLERREVISIONS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    HORIZONTALPODAUTOSCALERS,
    INGRESSCLASSES,
    INGRESSES,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    SERVICES,
)
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.informer.informer import Informer
from aiop.runtime.informer.store import IndexFunction
from aiop.runtime.manager.tools import Tools
from aiop.runtime.views.custom import CustomObject, decode_custom
from aiop.runtime.views.meta import ObjectView
from aiop.runtime.views.owned import Owned, Revision, decode_owned, decode_revision
from aiop.runtime.views.workloads import (
    EndpointSlice,
    Pod,
    ReplicaSet,
    decode_endpoint_slice,
    decode_pod,
    decode_replica_set,
)

V = TypeVar("V", bound=ObjectView)

_BY_GPU_TARGET = "gpu target"
# Every child of ours, its pods, their ReplicaSets and the endpoints' slices carry the workload's name.
_BY_WORKLOAD = "workload"
OWNED = (SERVICES, DEPLOYMENTS, INGRESSES, HORIZONTALPODAUTOSCALERS, PODDISRUPTIONBUDGETS)
# Kinds of other projects, each there or not; the first of the monitors that is there is made.
MONITORS = (SERVICEMONITORS, PODMONITORS)
OPTIONAL = (HTTPROUTES, MIDDLEWARES)
_INDEXES: Mapping[Resource, Mapping[str, IndexFunction[Owned]]] = {
    INGRESSES: {BY_PLACE: ingress_places, BY_ROUTE: ingress_routes},
    HTTPROUTES: {BY_PLACE: route_places, BY_GATEWAY: route_gateways},
}


def by_workload(view: ObjectView) -> tuple[str, ...]:
    """Index values: the workload that the labels name."""
    name = view.metadata.labels.get(WORKLOAD_LABEL)
    return (f"{view.metadata.namespace}/{name}",) if name else ()


@dataclass(frozen=True, slots=True)
class Sources:
    """One informer a kind; those of children see labelled objects only.

    ``owned`` holds the kinds of other projects too; monitors are not among them if none are wanted.
    """

    workloads: Informer[CustomObject]
    runtimes: Informer[CustomObject]
    ingress_classes: Informer[CustomObject]
    gateways: Informer[GatewayView]
    ledger: CachedLedger
    owned: Mapping[Resource, Informer[Owned]]
    revisions: Informer[Revision]
    replica_sets: Informer[ReplicaSet]
    pods: Informer[Pod]
    slices: Informer[EndpointSlice]
    gpu_metrics: Sightings = field(default_factory=Sightings)

    def children(self) -> list[Informer[Any]]:
        """All that carries a workload's name."""
        return [*self.owned.values(), self.revisions, self.replica_sets, self.pods, self.slices]

    def everything(self) -> list[Informer[Any]]:
        """All of them."""
        return [self.workloads, self.runtimes, self.ingress_classes, self.gateways, *self.children()]

    def optional(self) -> list[Informer[Any]]:
        """Those of kinds that a cluster may serve or not."""
        return [informer for kind, informer in self.owned.items() if kind in {*OPTIONAL, *MONITORS}]

    def observe(self, workload: CustomObject, specs: SpecCache) -> Observed:
        """A snapshot of a workload and what its UID owns."""
        key = ObjectKey(workload.metadata.namespace, workload.metadata.name)
        uid = workload.metadata.uid
        index = str(key)

        def mine(resource: Resource) -> dict[str, Owned]:
            found = self.owned[resource].store.by_index(_BY_WORKLOAD, index)
            return {
                view.metadata.name: view
                for view in found
                if view.owned_by(uid) and not view.metadata.deletion_timestamp
            }

        return Observed(
            workload=workload,
            runtimes=self.known_runtimes(specs),
            revisions=tuple(
                view
                for view in self.revisions.store.by_index(_BY_WORKLOAD, index)
                if (owner := view.metadata.controller()) is not None
                and owner.uid == uid
                and not view.metadata.deletion_timestamp
            ),
            deployments={name: deployment_state(view) for name, view in mine(DEPLOYMENTS).items()},
            services=mine(SERVICES),
            ingress=mine(INGRESSES).get(key.name),
            autoscaler=mine(HORIZONTALPODAUTOSCALERS).get(key.name),
            budget=mine(PODDISRUPTIONBUDGETS).get(key.name),
            gpu_metric=self.gpu_metrics.of(uid),
            replica_sets=tuple(self.replica_sets.store.by_index(_BY_WORKLOAD, index)),
            pods=self.pods_of(key),
            slices=tuple(self.slices.store.by_index(_BY_WORKLOAD, index)),
            cluster=self.cluster(),
            http_route=mine(HTTPROUTES).get(key.name),
            middlewares=mine(MIDDLEWARES),
            monitors={
                kind: view for kind in MONITORS if kind in self.owned and (view := mine(kind).get(key.name)) is not None
            },
            gateways=self.gateways.store,
            ledger=self.ledger,
        )

    def cluster(self) -> Cluster:
        """Which APIs there are, and which classes."""
        classes = self.ingress_classes.store.values()
        return Cluster(
            gateway_api=self.owned[HTTPROUTES].available,
            traefik_api=self.owned[MIDDLEWARES].available,
            monitors=next((kind for kind in MONITORS if kind in self.owned and self.owned[kind].available), None),
            ingress_classes=class_controllers(classes),
            default_class=default_class(classes),
        )

    def pods_of(self, key: ObjectKey) -> tuple[Pod, ...]:
        """The pods that carry a workload's name, living or not."""
        return tuple(self.pods.store.by_index(_BY_WORKLOAD, str(key)))

    def with_gpu_target(self) -> tuple[CustomObject, ...]:
        """The workloads that are scaled by their GPUs, or want to be."""
        return tuple(self.workloads.store.by_index(_BY_GPU_TARGET, HAS_GPU_TARGET))

    def known_runtimes(self, specs: SpecCache) -> dict[str, ServingRuntimeSpec]:
        """Every runtime whose spec makes sense, the newest first; one that does not is as good as absent."""
        known = {}
        by_name = sorted(self.runtimes.store.values(), key=lambda view: view.metadata.name)
        for view in sorted(by_name, key=lambda view: view.metadata.creation_timestamp, reverse=True):
            try:
                known[view.metadata.name] = specs.runtime(view)
            except NotAccepted:
                continue
        return known


def make_sources(tools: Tools, *, monitors: bool = True) -> Sources:
    """Informers for everything that the controller reads."""

    def informer(resource: Resource, decode: Callable[[bytes], V], *, labelled: bool = True) -> Informer[V]:
        selector = WORKLOAD_LABEL if labelled else ""
        indexes: dict[str, IndexFunction[V]] = {_BY_WORKLOAD: by_workload} if labelled else {}
        return tools.informer(resource, decode, label_selector=selector, indexes=indexes, managed_fields=False)

    def owned(resource: Resource, *, optional: bool = False) -> Informer[Owned]:
        indexes: dict[str, IndexFunction[Owned]] = {_BY_WORKLOAD: by_workload, **_INDEXES.get(resource, {})}
        # Who owns which field matters where fields are released: in children that we write.
        return tools.informer(resource, decode_owned, label_selector=WORKLOAD_LABEL, indexes=indexes, optional=optional)

    wanted = (*OPTIONAL, *MONITORS) if monitors else OPTIONAL
    children = {
        **{resource: owned(resource) for resource in OWNED},
        **{resource: owned(resource, optional=True) for resource in wanted},
    }
    return Sources(
        workloads=tools.informer(
            AIWORKLOADS, decode_custom, indexes={_BY_GPU_TARGET: by_gpu_target}, managed_fields=False
        ),
        runtimes=informer(SERVINGRUNTIMES, decode_custom, labelled=False),
        ingress_classes=informer(INGRESSCLASSES, decode_custom, labelled=False),
        gateways=tools.informer(GATEWAYS, decode_gateway, managed_fields=False, optional=True),
        ledger=CachedLedger(children[INGRESSES].store, children[HTTPROUTES].store),
        owned=children,
        revisions=informer(CONTROLLERREVISIONS, decode_revision),
        replica_sets=informer(REPLICASETS, decode_replica_set),
        pods=informer(PODS, decode_pod),
        slices=informer(ENDPOINTSLICES, decode_endpoint_slice),
    )
