"""How the number of servers follows the load."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from aiop.api.common import Stored, rule, rules


class ScalingPolicy(Stored):
    """At most so much change in so much time."""

    type: Literal["Pods", "Percent"] = Field(description="What value counts.")
    value: Annotated[int, Field(ge=1, le=100000)] = Field(description="How many pods or percent.")
    # Bounds of the HorizontalPodAutoscaler itself.
    period_seconds: Annotated[int, Field(ge=1, le=1800)] = Field(description="In how many seconds.")


class ScalingRules(Stored):
    """How fast the number may change in one direction, in the words of HorizontalPodAutoscaler v2."""

    stabilization_window_seconds: Annotated[int, Field(ge=0, le=3600)] | None = Field(
        default=None, description="How far back recommendations are looked at, to keep the number from flapping."
    )
    select_policy: Literal["Max", "Min", "Disabled"] | None = Field(
        default=None, description="Which policy counts if several apply; Disabled: no change in this direction."
    )
    policies: Annotated[list[ScalingPolicy], Field(min_length=1, max_length=8)] | None = Field(
        default=None, description="The policies; Kubernetes' own if unset."
    )


class Behavior(Stored):
    """How fast the number may grow and shrink."""

    scale_up: ScalingRules | None = Field(default=None, description="Growing.")
    scale_down: ScalingRules | None = Field(default=None, description="Shrinking.")


class Autoscaling(Stored):
    """How the number of servers follows the load."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "self.minReplicas <= self.maxReplicas",
                "minReplicas must not be above maxReplicas: lower minReplicas or raise maxReplicas",
                field=".minReplicas",
            )
        )
    )

    enabled: bool = Field(default=False, description="Whether a HorizontalPodAutoscaler sets the number.")
    min_replicas: Annotated[int, Field(ge=1, le=1000)] = Field(default=1, description="Never fewer than this.")
    max_replicas: Annotated[int, Field(ge=1, le=1000)] = Field(default=10, description="Never more than this.")
    target_cpu_utilization: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None,
        alias="targetCPUUtilization",
        description="Average CPU use to aim at, in percent of what is requested.",
    )
    target_memory_utilization: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="Average memory use to aim at, in percent of what is requested."
    )
    target_gpu_utilization: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None,
        alias="targetGPUUtilization",
        description="Average GPU use to aim at, in percent. Left out, and said so in the condition ScalingActive, "
        "while the cluster serves no GPU metric for these pods.",
    )
    behavior: Behavior | None = Field(default=None, description="How fast the number may change.")
