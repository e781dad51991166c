"""Views of children that an operator writes: metadata, the raw spec to compare with, and who owns what."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec

from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.nulls import nulls_left_out, or_empty
from aiop.runtime.views.workloads import Condition

StatusT = TypeVar("StatusT", bound=msgspec.Struct)


class ManagedFieldsEntry(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One manager's fields; ``fields`` is the JSON of fieldsV1."""

    manager: str = ""
    operation: str = ""
    subresource: str = ""
    fields: bytes = b"{}"


class Owned(msgspec.Struct, frozen=True, gc=False):
    """A child: ``content`` is the JSON of everything but metadata and status, in a buffer of its own.

    ``status`` is the JSON of the status; decode it with ``status_as`` for the few fields that matter.
    """

    metadata: ObjectMeta
    content: bytes = b"{}"
    status: bytes = b"{}"
    managed_fields: tuple[ManagedFieldsEntry, ...] = ()

    def status_as(self, kind: type[StatusT]) -> StatusT:
        """The status as a struct; what is missing or null has its default."""
        decode: Callable[[bytes], StatusT] = partial(msgspec.json.decode, type=kind)
        return nulls_left_out(decode)(self.status)

    def owned_by(self, uid: str) -> bool:
        """True if the object with that UID controls this one."""
        controller = self.metadata.controller()
        return controller is not None and controller.uid == uid


class DeploymentStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """How far a Deployment is."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    conditions: tuple[Condition, ...] = ()


class LoadBalancerPort(msgspec.Struct, frozen=True, gc=False):
    """A port of such an address."""

    port: int = 0


class LoadBalancerAddress(msgspec.Struct, frozen=True, gc=False):
    """Where an ingress controller listens; without ``ports``: on those of HTTP and HTTPS."""

    ip: str = ""
    hostname: str = ""
    ports: tuple[LoadBalancerPort, ...] = ()


class LoadBalancer(msgspec.Struct, frozen=True, gc=False):
    """All addresses of an ingress controller."""

    ingress: tuple[LoadBalancerAddress, ...] = ()


class IngressStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What the ingress controller says."""

    load_balancer: LoadBalancer = LoadBalancer()


class MetricCurrent(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What was read: in percent of the request, or a quantity for each pod."""

    average_utilization: int | None = None
    average_value: str = ""


class MetricName(msgspec.Struct, frozen=True, gc=False):
    """Which metric of pods."""

    name: str = ""


class ResourceReading(msgspec.Struct, frozen=True, gc=False):
    """A reading of cpu or memory."""

    name: str = ""
    current: MetricCurrent = MetricCurrent()


class PodsReading(msgspec.Struct, frozen=True, gc=False):
    """A reading of a metric of pods."""

    metric: MetricName = MetricName()
    current: MetricCurrent = MetricCurrent()


class MetricReading(msgspec.Struct, frozen=True, gc=False):
    """One of the two is set; neither for a metric that could not be read."""

    resource: ResourceReading | None = None
    pods: PodsReading | None = None


class AutoscalerStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What the HorizontalPodAutoscaler says."""

    current_replicas: int = 0
    desired_replicas: int = 0
    last_scale_time: str | None = None
    current_metrics: tuple[MetricReading, ...] = ()
    conditions: tuple[Condition, ...] = ()


class _WireManagedFields(msgspec.Struct, rename="camel"):
    manager: str = ""
    operation: str = ""
    subresource: str = ""
    fields_v1: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"), name="fieldsV1")


class _WireMeta(ObjectMeta, frozen=True, rename="camel"):
    managed_fields: tuple[_WireManagedFields, ...] = ()


class _WireObject(msgspec.Struct):
    metadata: _WireMeta
    spec: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b""))
    data: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b""))
    revision: int = 0
    status: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))


_decode = nulls_left_out(msgspec.json.Decoder(_WireObject).decode, untouched=frozenset({"spec", "data", "status"}))


def decode_owned(data: bytes) -> Owned:
    """A child with a spec, or (ControllerRevision) with data, which is then its content."""
    wire = _decode(data)
    return Owned(
        metadata=_plain(wire.metadata),
        content=or_empty(wire.spec, wire.data),
        status=or_empty(wire.status),
        managed_fields=tuple(
            ManagedFieldsEntry(entry.manager, entry.operation, entry.subresource, or_empty(entry.fields_v1))
            for entry in wire.metadata.managed_fields
        ),
    )


class Revision(msgspec.Struct, frozen=True, gc=False):
    """A ControllerRevision: ``data`` is JSON of its maker's choosing, ``revision`` grows with each use."""

    metadata: ObjectMeta
    data: bytes = b"{}"
    revision: int = 0


def decode_revision(data: bytes) -> Revision:
    """A ControllerRevision."""
    wire = _decode(data)
    return Revision(metadata=_plain(wire.metadata), data=or_empty(wire.data), revision=wire.revision)


def _plain(meta: _WireMeta) -> ObjectMeta:
    return ObjectMeta(
        name=meta.name,
        namespace=meta.namespace,
        uid=meta.uid,
        resource_version=meta.resource_version,
        generation=meta.generation,
        creation_timestamp=meta.creation_timestamp,
        deletion_timestamp=meta.deletion_timestamp,
        labels=meta.labels,
        annotations=meta.annotations,
        finalizers=meta.finalizers,
        owner_references=meta.owner_references,
    )
