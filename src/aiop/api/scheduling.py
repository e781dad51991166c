"""Which nodes servers may go to: selectors, tolerations, affinity, spread, and kinds of GPU."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from aiop.api.common import LabelKey, LabelValue, Quantity, Stored, rule, rules

Weight = Annotated[int, Field(ge=1, le=100)]
# A label's value, but not an empty one.
GpuProduct = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")]


class Toleration(Stored):
    """A taint that the pods tolerate."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "has(self.key) || self.operator == 'Exists'",
                "a toleration without key tolerates every taint: set operator to Exists, or name a key",
                field=".operator",
            ),
            rule(
                "!has(self.value) || self.value == '' || self.operator == 'Equal'",
                "value is compared by operator Equal only: set operator to Equal, or leave value out",
                field=".value",
            ),
            rule(
                "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
                "tolerationSeconds is for effect NoExecute only: set effect to NoExecute, or leave it out",
                field=".tolerationSeconds",
            ),
        )
    )

    key: LabelKey | None = Field(default=None, description="The taint's key; every key if unset.")
    operator: Literal["Exists", "Equal"] = Field(default="Equal", description="How value is compared.")
    value: LabelValue | None = Field(default=None, description="The taint's value, for Equal.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="The taint's effect; every effect if unset."
    )
    toleration_seconds: Annotated[int, Field(ge=0, le=31536000)] | None = Field(
        default=None, description="How long NoExecute is tolerated; for ever if unset."
    )


class NodeSelectorRequirement(Stored):
    """One thing that a node's labels must be."""

    key: LabelKey = Field(description="The label's key.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] = Field(description="How it is compared.")
    values: Annotated[list[LabelValue], Field(max_length=64)] | None = Field(
        default=None, description="With what: several for In and NotIn, one number for Gt and Lt, none otherwise."
    )


class NodeSelectorTerm(Stored):
    """Requirements that must all hold."""

    match_expressions: Annotated[list[NodeSelectorRequirement], Field(min_length=1, max_length=16)] = Field(
        description="What the labels must be, all of it."
    )


class NodeSelector(Stored):
    """Terms of which one must hold."""

    node_selector_terms: Annotated[list[NodeSelectorTerm], Field(min_length=1, max_length=16)] = Field(
        description="One of these must hold."
    )


class PreferredSchedulingTerm(Stored):
    """A term that makes a node better."""

    weight: Weight = Field(description="How much better.")
    preference: NodeSelectorTerm = Field(description="What the node should have.")


class NodeAffinity(Stored):
    """Which nodes, by their labels."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = Field(
        default=None, description="What a node must have."
    )
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[list[PreferredSchedulingTerm], Field(max_length=16)] | None
    ) = Field(default=None, description="What makes a node better.")


class LabelSelectorRequirement(Stored):
    """One thing that a pod's labels must be."""

    key: LabelKey = Field(description="The label's key.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(description="How it is compared.")
    values: Annotated[list[LabelValue], Field(max_length=64)] | None = Field(
        default=None, description="With what, for In and NotIn."
    )


class LabelSelector(Stored):
    """Pods of the same namespace, by their labels."""

    match_labels: Annotated[dict[str, LabelValue], Field(max_length=16)] | None = Field(
        default=None, description="Labels that must be equal."
    )
    match_expressions: Annotated[list[LabelSelectorRequirement], Field(max_length=16)] | None = Field(
        default=None, description="What the labels must be."
    )


class PodAffinityTerm(Stored):
    """Pods of the same namespace, and the kind of place that is shared with them or not."""

    label_selector: LabelSelector = Field(description="Which pods.")
    topology_key: LabelKey = Field(description="The node label that makes a place, such as kubernetes.io/hostname.")


class WeightedPodAffinityTerm(Stored):
    """A term that makes a place better."""

    weight: Weight = Field(description="How much better.")
    pod_affinity_term: PodAffinityTerm = Field(description="Which pods and places.")


class PodAffinity(Stored):
    """Near which pods, or far from which."""

    required_during_scheduling_ignored_during_execution: (
        Annotated[list[PodAffinityTerm], Field(max_length=8)] | None
    ) = Field(default=None, description="What must hold.")
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[list[WeightedPodAffinityTerm], Field(max_length=8)] | None
    ) = Field(default=None, description="What makes a place better.")


class Affinity(Stored):
    """Where the pods should and should not go, in Kubernetes' own words; other namespaces cannot be named."""

    node_affinity: NodeAffinity | None = Field(default=None, description="Which nodes.")
    pod_affinity: PodAffinity | None = Field(default=None, description="Near which pods.")
    pod_anti_affinity: PodAffinity | None = Field(default=None, description="Far from which pods.")


class TopologySpreadConstraint(Stored):
    """How evenly the servers of one version spread; the pods that are counted are that version's own."""

    max_skew: Annotated[int, Field(ge=1, le=1000)] = Field(default=1, description="How uneven it may be.")
    topology_key: LabelKey = Field(
        description="The node label that makes a place, such as topology.kubernetes.io/zone."
    )
    when_unsatisfiable: Literal["ScheduleAnyway", "DoNotSchedule"] = Field(
        default="ScheduleAnyway", description="What to do where it cannot be."
    )


class Gpu(Stored):
    """Which GPUs will do, by the labels of NVIDIA's GPU feature discovery; how many is said by resources, else one."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "has(self.product) || has(self.memory) || has(self.mig)",
                "gpu says which GPUs will do: set product, memory or mig, or leave gpu out",
            ),
        )
    )

    product: Annotated[list[GpuProduct], Field(min_length=1, max_length=16)] | None = Field(
        default=None, description="Values of the node label nvidia.com/gpu.product; one of them must hold."
    )
    memory: Quantity | None = Field(
        default=None,
        description="The least memory of a GPU, as it is sold: 80Gi takes an 80 GB card, which reports a little less.",
    )
    mig: Annotated[str, Field(max_length=32, pattern=r"^[1-9][0-9]?g\.[1-9][0-9]{0,3}gb(\.[a-z0-9]+)*$")] | None = (
        Field(
            default=None,
            description="A MIG profile, such as 1g.10gb: the server gets a slice of that kind "
            "(nvidia.com/mig-1g.10gb, the device plugin's mixed strategy).",
        )
    )
