"""Our kinds as resources, with what a CRD says of them besides its schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.aiworkloadstatus import AIWorkloadStatus
from aiop.api.common import GROUP, VERSION, rule
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.runtime.client.resource import Resource

AIWORKLOADS = Resource(GROUP, VERSION, "AIWorkload", "aiworkloads")
SERVINGRUNTIMES = Resource(GROUP, VERSION, "ServingRuntime", "servingruntimes", namespaced=False)


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column; the ones with a priority are shown with `-o wide` only."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of ours, whole."""

    resource: Resource
    short_name: str
    description: str
    spec: type[BaseModel]
    status: type[BaseModel] | None = None
    columns: tuple[Column, ...] = ()
    scale: Mapping[str, str] = field(default_factory=dict)
    validations: tuple[dict[str, Any], ...] = ()


def _condition(name: str, part: str) -> str:
    return f'.status.conditions[?(@.type=="{name}")].{part}'


# Services and other children carry the name, and a Service's name is a DNS-1035 label.
_NAME_RULE = rule(
    "self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "metadata.name must begin with a letter, hold only a-z, 0-9 and '-', and be at most 63 characters long",
)

KINDS = (
    Kind(
        AIWORKLOADS,
        "aiw",
        "AIWorkload serves a model: versions, rollout, endpoint, autoscaling.",
        AIWorkloadSpec,
        AIWorkloadStatus,
        columns=(
            Column("Ready", _condition("Ready", "status")),
            Column("Reason", _condition("Ready", "reason")),
            Column("Version", ".status.version"),
            Column("Replicas", ".status.readyReplicas", "integer"),
            Column("URL", ".status.url"),
            Column("Message", _condition("Ready", "message"), priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        scale={
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
        validations=(_NAME_RULE,),
    ),
    Kind(
        SERVINGRUNTIMES,
        "srt",
        "ServingRuntime says how the models of a framework are served.",
        ServingRuntimeSpec,
        columns=(
            Column("Frameworks", ".spec.frameworks[*].name"),
            Column("Protocol", ".spec.protocol"),
            Column("Image", ".spec.image"),
            Column("Disabled", ".spec.disabled", "boolean", priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
    ),
)
