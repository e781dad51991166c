"""What the demo reads of an AIWorkload's status."""

from collections.abc import Mapping

import msgspec

from aiop.runtime.views.custom import CustomObject


class Condition(msgspec.Struct, frozen=True):
    """One condition."""

    type: str = ""
    status: str = "Unknown"
    reason: str = ""
    message: str = ""


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """The status; ``conditions`` are empty as long as they speak of an older generation."""

    version: str = ""
    ready_replicas: int = 0
    replicas: int = 0
    url: str = ""
    conditions: tuple[Condition, ...] = ()
    observed_generation: int = 0

    @property
    def by_type(self) -> Mapping[str, Condition]:
        """The conditions by their type."""
        return {condition.type: condition for condition in self.conditions}

    @property
    def ready(self) -> bool:
        """True if this generation is served as it was asked for."""
        return any(each.type == "Ready" and each.status == "True" for each in self.conditions)


def status_of(workload: CustomObject) -> Status:
    """The status of ``workload`` for its newest generation."""
    status = msgspec.json.decode(workload.status or b"{}", type=Status)
    if status.observed_generation == workload.metadata.generation:
        return status
    return msgspec.structs.replace(status, conditions=())
