"""All that was read of one AIWorkload, as it was at one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from aiop.cli.explain.explanation import Unread
from aiop.cli.explain.workload.views import Claim, Event, Lease, PodTimes, Quota
from aiop.controllers.serving.observed import Observed
from aiop.runtime.conditions.condition import Condition
from aiop.runtime.views.workloads import Node


class _Status(msgspec.Struct, rename="camel"):
    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """``namesakes`` are objects of strangers with the name of a child, as `Service demo`.

    ``leases`` is None where none may be read, ``nodes`` and ``quotas`` are empty unless they matter and may be read.
    """

    observed: Observed
    now: datetime
    namesakes: Sequence[str] = ()
    times: Mapping[str, PodTimes] = field(default_factory=dict)
    events: Sequence[Event] = ()
    quotas: Sequence[Quota] = ()
    claim: Claim | None = None
    nodes: Sequence[Node] = ()
    leases: Sequence[Lease] | None = None
    unread: Sequence[Unread] = ()

    @property
    def generation(self) -> int:
        """The spec's."""
        return self.observed.workload.metadata.generation

    @property
    def observed_generation(self) -> int:
        """The one that the operator's status speaks of; 0 if it has said nothing yet."""
        return self._status().observed_generation

    @property
    def seen(self) -> bool:
        """True if the operator has seen the spec as it is."""
        return self.observed_generation >= self.generation

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """What the operator says of this generation, by type; nothing of an older one."""
        return {each.type: each for each in self._status().conditions if each.observed_generation >= self.generation}

    def _status(self) -> _Status:
        try:
            return msgspec.json.decode(self.observed.workload.status, type=_Status)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _Status()
