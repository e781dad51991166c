"""What is: one workload and everything around it, as the caches show it at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.exposure.claims import Ledger, NoClaims
from aiop.controllers.serving.exposure.cluster import Cluster
from aiop.controllers.serving.exposure.gateways import GatewayView
from aiop.controllers.serving.names import REVISION_LABEL, ROLLOUT_ANNOTATION, revision_name
from aiop.controllers.serving.rollout.mark import Mark, read_mark
from aiop.controllers.serving.scaling.served import NOT_LOOKED, Served
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.owned import DeploymentStatus, Owned, Revision
from aiop.runtime.views.workloads import EndpointSlice, Pod, ReplicaSet, Template

_OVER = frozenset({"Failed", "Succeeded"})


class _DeploymentSpec(msgspec.Struct, rename="camel"):
    replicas: int = 1
    # Kubernetes' own default.
    progress_deadline_seconds: int = 600
    paused: bool = False
    template: Template = Template()


class _ScaleTarget(msgspec.Struct):
    name: str = ""


class _MetricName(msgspec.Struct):
    name: str = ""


class _PodsMetric(msgspec.Struct):
    metric: _MetricName = msgspec.field(default_factory=_MetricName)


class _Metric(msgspec.Struct):
    resource: _MetricName | None = None
    pods: _PodsMetric | None = None

    @property
    def name(self) -> str:
        if self.pods is not None:
            return self.pods.metric.name
        return self.resource.name if self.resource is not None else ""


class _AutoscalerSpec(msgspec.Struct, rename="camel"):
    scale_target_ref: _ScaleTarget = msgspec.field(default_factory=_ScaleTarget)
    metrics: tuple[_Metric, ...] = ()


class Gateways(Protocol):
    """The cluster's Gateways."""

    def get(self, key: ObjectKey, /) -> GatewayView | None:
        """None if there is none of that name, or none that the operator sees."""
        ...


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """One revision's Deployment, with its counts already read; ``deadline`` are the seconds that it may stand still."""

    view: Owned
    desired: int
    status: DeploymentStatus
    deadline: int
    paused: bool = False
    template: Template = field(default_factory=Template)

    @property
    def current(self) -> bool:
        """True once the Deployment controller has seen the newest spec: its counts mean something."""
        return self.status.observed_generation >= self.view.metadata.generation

    @property
    def mark(self) -> Mark | None:
        """Which way a rollout takes that it is a part of; None if it says nothing of that."""
        return read_mark(self.view.metadata.annotations.get(ROLLOUT_ANNOTATION, ""))

    @property
    def served(self) -> bool:
        """True once it was fully available (the Deployment controller's own memory of it)."""
        return any(
            condition.type == "Progressing" and condition.reason == "NewReplicaSetAvailable"
            for condition in self.status.conditions
        )

    @property
    def overdue(self) -> bool:
        """True if it made no progress within its deadline."""
        return any(condition.reason == "ProgressDeadlineExceeded" for condition in self.status.conditions)


@dataclass(frozen=True, slots=True)
class Observed:
    """A snapshot. Children are by name, as the workload's UID owns them; pods and slices by label.

    ``gateways`` and ``ledger`` are looked things up in, for what a workload asks for is known only when it is planned.

    ``runtimes`` are by name, the newest first. ``resize_refusal`` is why the API server did not let servers of this
    generation be changed while they run; empty if it did, or was not asked.
    """

    workload: CustomObject
    runtimes: Mapping[str, ServingRuntimeSpec] = field(default_factory=dict)
    revisions: tuple[Revision, ...] = ()
    deployments: Mapping[str, DeploymentState] = field(default_factory=dict)
    services: Mapping[str, Owned] = field(default_factory=dict)
    ingress: Owned | None = None
    autoscaler: Owned | None = None
    budget: Owned | None = None
    gpu_metric: Served = NOT_LOOKED
    replica_sets: tuple[ReplicaSet, ...] = ()
    pods: tuple[Pod, ...] = ()
    slices: tuple[EndpointSlice, ...] = ()
    cluster: Cluster = field(default_factory=Cluster)
    http_route: Owned | None = None
    middlewares: Mapping[str, Owned] = field(default_factory=dict)
    monitors: Mapping[Resource, Owned] = field(default_factory=dict)
    gateways: Gateways = field(default_factory=dict[ObjectKey, GatewayView])
    ledger: Ledger = field(default_factory=NoClaims)
    resize_refusal: str = ""

    @property
    def key(self) -> ObjectKey:
        """The workload's own key."""
        return ObjectKey(self.workload.metadata.namespace, self.workload.metadata.name)

    def deployment_of(self, revision: str) -> DeploymentState | None:
        """The Deployment of the revision with that hash."""
        return self.deployments.get(revision_name(self.key.name, revision))

    @property
    def live_pods(self) -> list[Pod]:
        """The pods that are neither on their way out nor over (an evicted pod stays behind as Failed)."""
        return [pod for pod in self.pods if not pod.metadata.deletion_timestamp and pod.status.phase not in _OVER]

    def pods_of(self, revision: str) -> list[Pod]:
        """The live pods of one revision."""
        return [pod for pod in self.live_pods if pod.metadata.labels.get(REVISION_LABEL) == revision]

    def evicted_pods_of(self, revision: str) -> list[Pod]:
        """The pods of one revision that their nodes threw out, for as long as they are remembered."""
        return [
            pod
            for pod in self.pods
            if pod.status.reason == "Evicted" and pod.metadata.labels.get(REVISION_LABEL) == revision
        ]

    def ready_pods(self, service: str) -> set[str]:
        """The UIDs of the pods that the endpoints of that Service send traffic to."""
        return {
            endpoint.target_ref.uid
            for each in self.slices
            if each.service == service
            for endpoint in each.endpoints or ()
            if endpoint.ready and endpoint.target_ref is not None
        }

    @property
    def autoscaler_target(self) -> str:
        """The Deployment that the autoscaler aims at; empty without one."""
        if self.autoscaler is None:
            return ""
        return msgspec.json.decode(self.autoscaler.content, type=_AutoscalerSpec).scale_target_ref.name

    @property
    def autoscaler_metrics(self) -> frozenset[str] | None:
        """The names of the metrics that the autoscaler aims at; None without one."""
        if self.autoscaler is None:
            return None
        spec = msgspec.json.decode(self.autoscaler.content, type=_AutoscalerSpec)
        return frozenset(metric.name for metric in spec.metrics)


def deployment_state(view: Owned) -> DeploymentState:
    """A Deployment with its counts read."""
    spec = msgspec.json.decode(view.content, type=_DeploymentSpec)
    status = view.status_as(DeploymentStatus)
    return DeploymentState(view, spec.replicas, status, spec.progress_deadline_seconds, spec.paused, spec.template)


def replicas_owned_by_another(view: Owned, field_manager: str) -> bool:
    """True if another manager than ours owns `spec.replicas`: an autoscaler, or somebody's kubectl scale."""
    return _owned_by_another(view, field_manager, b'"f:replicas"')


def paused_by_another(view: Owned, field_manager: str) -> bool:
    """True if another manager than ours owns `spec.paused`: somebody's kubectl rollout pause."""
    return _owned_by_another(view, field_manager, b'"f:paused"')


def _owned_by_another(view: Owned, field_manager: str, field_name: bytes) -> bool:
    return any(
        entry.manager != field_manager and field_name in entry.fields and entry.subresource != "status"
        for entry in view.managed_fields
    )
