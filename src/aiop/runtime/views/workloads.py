"""Views of what runs: pods, nodes, ReplicaSets, EndpointSlices. Only what somebody reads; of managedFields one time."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import force_setattr

from aiop.runtime.views.frozen import frozen
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.nulls import nulls_left_out


class Condition(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A condition as every kind has it; times are left out."""

    type: str = ""
    status: str = "Unknown"
    reason: str = ""
    message: str = ""


class TimedCondition(Condition, frozen=True, rename="camel", gc=False):
    """A condition of the few objects whose times are asked for; RFC 3339."""

    last_transition_time: str = ""


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class Terminated(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """How a container ended; ``message`` is its termination message."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""


class Running(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Since when a container runs; RFC 3339."""

    started_at: str = ""


class ContainerState(msgspec.Struct, frozen=True, gc=False):
    """At most one of the three is set."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class Amounts(msgspec.Struct, frozen=True, gc=False):
    """The two resources whose amounts may change while a container runs; empty where nothing is said."""

    cpu: str = ""
    memory: str = ""


class Resources(msgspec.Struct, frozen=True, gc=False):
    """What a container may use, and what is kept for it."""

    limits: Amounts = Amounts()
    requests: Amounts = Amounts()


class Container(msgspec.Struct, frozen=True, gc=False):
    """What a container asks for."""

    name: str = ""
    resources: Resources = Resources()


class ContainerStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What the kubelet says of one container; ``started`` is true once its startup probe has passed.

    ``resources`` are what it has; None from a kubelet that does not say so, or before it runs.
    """

    name: str = ""
    ready: bool = False
    started: bool = False
    restart_count: int = 0
    image: str = ""
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()
    resources: Resources | None = None


class PodSpec(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Where the pod runs, and what it asks for."""

    node_name: str = ""
    containers: tuple[Container, ...] = ()


class PodStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """How the pod is; ``start_time`` (RFC 3339) is when its kubelet took it.

    ``observed_generation`` is what its kubelet has seen of it; 0 from one that does not say so.
    """

    observed_generation: int = 0
    phase: str = ""
    reason: str = ""
    message: str = ""
    start_time: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    conditions: tuple[TimedCondition, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(msgspec.Struct, frozen=True, gc=False):
    """A pod, as controllers need it; ``resized_at`` (RFC 3339) is when it was last asked to have other amounts."""

    metadata: ObjectMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()
    resized_at: str = ""

    def condition(self, name: str) -> TimedCondition | None:
        """The condition of that type, if the pod has it."""
        return next((condition for condition in self.status.conditions if condition.type == name), None)

    @property
    def ready(self) -> bool:
        """True while the pod is Ready and not on its way out."""
        condition = self.condition("Ready")
        return condition is not None and condition.status == "True" and not self.metadata.deletion_timestamp


class ReplicaSetStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """How the ReplicaSet is; ReplicaFailure holds the words of quota and admission."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    conditions: tuple[TimedCondition, ...] = ()


class TemplateSpec(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What the pods of a template ask for."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()


class Template(msgspec.Struct, frozen=True, gc=False):
    """What pods are made from."""

    spec: TemplateSpec = TemplateSpec()


class ReplicaSetSpec(msgspec.Struct, frozen=True, gc=False):
    """What a ReplicaSet makes its pods from."""

    template: Template = Template()


class ReplicaSet(msgspec.Struct, frozen=True, gc=False):
    """A ReplicaSet, as controllers need it."""

    metadata: ObjectMeta
    status: ReplicaSetStatus = ReplicaSetStatus()
    spec: ReplicaSetSpec = ReplicaSetSpec()


class EndpointConditions(msgspec.Struct, frozen=True, gc=False):
    """Whether traffic may go there; an absent ``ready`` counts as true, as the API says."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class TargetReference(msgspec.Struct, frozen=True, gc=False):
    """The pod behind an endpoint."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Endpoint(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One address of a Service."""

    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    target_ref: TargetReference | None = None

    @property
    def ready(self) -> bool:
        """True if traffic goes there."""
        return self.conditions.ready is not False


class EndpointSlice(msgspec.Struct, frozen=True, gc=False):
    """Some of a Service's endpoints; the label kubernetes.io/service-name names the Service."""

    metadata: ObjectMeta
    endpoints: tuple[Endpoint, ...] | None = None

    @property
    def service(self) -> str:
        """The Service that it belongs to."""
        return self.metadata.labels.get("kubernetes.io/service-name", "")


class NodeSpec(msgspec.Struct, frozen=True, gc=False):
    """Whether the node takes pods."""

    unschedulable: bool = False


class NodeStatus(msgspec.Struct, frozen=True, gc=False):
    """What the node has."""

    allocatable: Mapping[str, str] = {}
    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        force_setattr(self, "allocatable", frozen(self.allocatable))


class Node(msgspec.Struct, frozen=True, gc=False):
    """A node, as controllers need it."""

    metadata: ObjectMeta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class _WireManager(msgspec.Struct):
    subresource: str = ""
    time: str = ""


class _WireMeta(msgspec.Struct, rename="camel"):
    managed_fields: tuple[_WireManager, ...] = ()


class _WireManaged(msgspec.Struct):
    metadata: _WireMeta = msgspec.field(default_factory=_WireMeta)


_RESIZE = "resize"
# As API servers encode it, without spaces. The longer what is looked for, the faster: every pod's 7 KB are searched.
_MARK = b'"subresource":"resize"'
_plain_pod = nulls_left_out(msgspec.json.Decoder(Pod).decode)
_managed = nulls_left_out(msgspec.json.Decoder(_WireManaged).decode)


def decode_pod(data: bytes) -> Pod:
    """Raises msgspec.DecodeError. Who wrote what when is read for the few pods that were resized only: it is long."""
    pod = _plain_pod(data)
    if _MARK not in data:
        return pod
    times = (each.time for each in _managed(data).metadata.managed_fields if each.subresource == _RESIZE)
    return msgspec.structs.replace(pod, resized_at=max(times, default=""))


decode_replica_set = nulls_left_out(msgspec.json.Decoder(ReplicaSet).decode)
decode_endpoint_slice = nulls_left_out(msgspec.json.Decoder(EndpointSlice).decode)
decode_node = nulls_left_out(msgspec.json.Decoder(Node).decode)
