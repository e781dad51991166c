"""How an AIWorkload is: its status."""

from typing import Literal

from pydantic import Field

from aiop.api.common import Stored


class VersionStatus(Stored):
    """One revision that has pods or should have."""

    name: str = Field(description="The modelVersion.")
    revision: str = Field(description="The name of its Deployment, Service and ControllerRevision.")
    ready: int = Field(description="Pods that are ready.")
    desired: int = Field(description="Pods that there should be.")
    traffic: int = Field(description="Its share of the ready endpoints, in percent.")
    state: str = Field(description="Serving, Progressing or Retiring.")
    model_uri: str = Field(default="", description="The model source in force.")
    runtime: str = Field(default="", description="The ServingRuntime that it was made from.")


class MetricStatus(Stored):
    """One metric that the autoscaler aims at. A reading that moved little is told as it was."""

    name: str = Field(description="cpu, memory, or the name of the metric of pods.")
    current: str | None = Field(
        default=None, description="What was read last, the average of the servers; unset until it was."
    )
    target: str = Field(description="What is aimed at.")


class AutoscalingStatus(Stored):
    """What the autoscaler does."""

    desired: int = Field(description="The number that the autoscaler wants.")
    reason: str = Field(default="", description="Why, in its own words.")
    last_scale_time: str | None = Field(default=None, description="When it last changed the number.")
    metrics: list[MetricStatus] = Field(
        default_factory=list,
        max_length=8,
        description="What it reads and what it aims at.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )


class ConditionStatus(Stored):
    """A condition by the Kubernetes API conventions."""

    type: str = Field(description="What it is about.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: str = Field(description="One word for machines; every one is in the list of reasons.")
    message: str = Field(default="", description="The cause, the numbers, and what happens next.")
    last_transition_time: str = Field(
        description="When status last changed.", json_schema_extra={"format": "date-time"}
    )
    observed_generation: int = Field(default=0, description="The generation that it speaks of.")


class AIWorkloadStatus(Stored):
    """How the workload is."""

    observed_generation: int = Field(default=0, description="The generation that this status speaks of.")
    url: str = Field(default="", description="Where it answers.")
    replicas: int = Field(default=0, description="Pods that exist.")
    ready_replicas: int = Field(default=0, description="Pods that are ready.")
    selector: str = Field(default="", description="The pods' label selector, for the scale subresource.")
    version: str = Field(default="", description="The modelVersion that serves.")
    versions: list[VersionStatus] = Field(
        default_factory=list,
        description="Every live revision.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["revision"]},
    )
    autoscaling: AutoscalingStatus | None = Field(default=None, description="What the autoscaler does.")
    conditions: list[ConditionStatus] = Field(
        default_factory=list,
        description="Accepted, Progressing, Available, Ready, EndpointReady, ScalingActive, ModelReady, Degraded; "
        "Reconciling and Stalled while true.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
