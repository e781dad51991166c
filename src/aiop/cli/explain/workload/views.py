"""What explanations read beside the operator's own views: events, quotas, claims, and times."""

from collections.abc import Mapping

import msgspec

from aiop.runtime.client.resource import Resource
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.nulls import nulls_left_out

# The older of the two Event APIs: the role view may read it.
EVENTS = Resource("", "v1", "Event", "events")
QUOTAS = Resource("", "v1", "ResourceQuota", "resourcequotas")


class _Reference(msgspec.Struct, frozen=True):
    kind: str = ""
    name: str = ""
    uid: str = ""


class _Series(msgspec.Struct, frozen=True, rename="camel"):
    count: int = 0
    last_observed_time: str = ""


class Event(msgspec.Struct, frozen=True, rename="camel"):
    """One event; of what was told in series the count and the last time."""

    metadata: ObjectMeta
    involved_object: _Reference = _Reference()
    reason: str = ""
    message: str = ""
    type: str = ""
    count: int = 0
    last_timestamp: str = ""
    event_time: str = ""
    series: _Series | None = None

    @property
    def last(self) -> str:
        """When it was told last, as RFC 3339."""
        series = self.series.last_observed_time if self.series is not None else ""
        return series or self.last_timestamp or self.event_time or self.metadata.creation_timestamp

    @property
    def times(self) -> int:
        """How often it was told."""
        return max(self.count, self.series.count if self.series is not None else 0, 1)


class QuotaStatus(msgspec.Struct, frozen=True):
    """What may be used and what is, by resource."""

    hard: Mapping[str, str] = {}
    used: Mapping[str, str] = {}


class Quota(msgspec.Struct, frozen=True):
    """A ResourceQuota."""

    metadata: ObjectMeta
    status: QuotaStatus = QuotaStatus()


class ClaimSpec(msgspec.Struct, frozen=True, rename="camel"):
    """What a claim asks for; the class is None for the cluster's default."""

    storage_class_name: str | None = None
    access_modes: tuple[str, ...] = ()


class ClaimStatus(msgspec.Struct, frozen=True):
    """Pending, Bound or Lost."""

    phase: str = ""


class Claim(msgspec.Struct, frozen=True):
    """A PersistentVolumeClaim."""

    metadata: ObjectMeta
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()


class _Ended(msgspec.Struct, frozen=True, rename="camel"):
    finished_at: str = ""


class _State(msgspec.Struct, frozen=True):
    terminated: _Ended | None = None


class _Container(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    state: _State = _State()
    last_state: _State = _State()


class _PodStatus(msgspec.Struct, frozen=True, rename="camel"):
    container_statuses: tuple[_Container, ...] = ()
    init_container_statuses: tuple[_Container, ...] = ()


class PodTimes(msgspec.Struct, frozen=True):
    """When the containers of a pod ended last."""

    metadata: ObjectMeta
    status: _PodStatus = _PodStatus()

    def ended(self, container: str) -> str:
        """When that container ended last, as RFC 3339; empty if it never did."""
        for each in (*self.status.init_container_statuses, *self.status.container_statuses):
            ended = each.state.terminated or each.last_state.terminated
            if each.name == container and ended is not None:
                return ended.finished_at
        return ""


class _ProgressCondition(msgspec.Struct, frozen=True, rename="camel"):
    type: str = ""
    last_update_time: str = ""


class DeploymentTimes(msgspec.Struct, frozen=True):
    """When a Deployment made progress last."""

    conditions: tuple[_ProgressCondition, ...] = ()

    @property
    def progressed(self) -> str:
        """RFC 3339; empty if it never did."""
        return next((each.last_update_time for each in self.conditions if each.type == "Progressing"), "")


class _LeaseSpec(msgspec.Struct, frozen=True, rename="camel"):
    holder_identity: str = ""
    lease_duration_seconds: int = 0
    renew_time: str = ""


class Lease(msgspec.Struct, frozen=True):
    """Who leads, and when that was said last."""

    metadata: ObjectMeta
    spec: _LeaseSpec = _LeaseSpec()


decode_event = nulls_left_out(msgspec.json.Decoder(Event).decode)
decode_quota = nulls_left_out(msgspec.json.Decoder(Quota).decode)
decode_claim = nulls_left_out(msgspec.json.Decoder(Claim).decode)
decode_pod_times = nulls_left_out(msgspec.json.Decoder(PodTimes).decode)
decode_deployment_times = nulls_left_out(msgspec.json.Decoder(DeploymentTimes).decode)
decode_lease = nulls_left_out(msgspec.json.Decoder(Lease).decode)
