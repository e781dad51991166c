"""The Lease as candidates read and write it."""

import math
from datetime import datetime

import msgspec

from aiop.runtime.client.codec import NONSENSE
from aiop.runtime.client.errors import ProtocolError
from aiop.runtime.client.resource import ObjectKey


class LeaseRecord(msgspec.Struct, frozen=True):
    """Who leads, as the Lease says; ``version`` is the precondition of the next write. Times are the holder's own."""

    holder: str = ""
    duration: float = 0.0
    acquired: str = ""
    renewed: str = ""
    transitions: int = 0
    version: str = ""
    uid: str = ""


class _Spec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    uid: str = ""


class _Lease(msgspec.Struct):
    metadata: _Meta
    spec: _Spec = msgspec.field(default_factory=_Spec)


_decoder = msgspec.json.Decoder(_Lease)


def decode_lease(data: bytes) -> LeaseRecord:
    """The record in a Lease object; what is unset is empty. Raises ProtocolError if it is no Lease."""
    try:
        lease = _decoder.decode(data)
    except NONSENSE as error:
        message = f"not a Lease: {error}"
        raise ProtocolError(message) from error
    return LeaseRecord(
        holder=lease.spec.holder_identity or "",
        duration=float(lease.spec.lease_duration_seconds or 0),
        acquired=lease.spec.acquire_time or "",
        renewed=lease.spec.renew_time or "",
        transitions=lease.spec.lease_transitions or 0,
        version=lease.metadata.resource_version,
        uid=lease.metadata.uid,
    )


def encode_lease(key: ObjectKey, record: LeaseRecord) -> dict[str, object]:
    """The Lease object to POST (no version) or PUT (with the version as its precondition)."""
    metadata: dict[str, object] = {"name": key.name, "namespace": key.namespace}
    if record.version:
        metadata["resourceVersion"] = record.version
    spec: dict[str, object] = {
        "holderIdentity": record.holder,
        "leaseDurationSeconds": math.ceil(record.duration),  # rounded down, others would come too early
        "leaseTransitions": record.transitions,
        "renewTime": record.renewed,
        "acquireTime": record.acquired,
    }
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def micro_time(moment: datetime) -> str:
    """A MicroTime as the Lease wants it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
