"""AIWorkload: serve a model. This model is the source of the CRD, of validation and of the reference page."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from aiop.api.common import (
    PORT_LIST,
    Argument,
    ContainerPort,
    DnsName,
    EnvVar,
    Image,
    LabelKey,
    LabelValue,
    Probes,
    ResourceRequirements,
    Stored,
    rule,
    rules,
)

Path = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^/[A-Za-z0-9._~%/-]*$")]
# Parts between slashes, as model hubs name them: owner/model.
MODEL_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$"
# Schemes that the operator can serve from today; oci and the MLflow registry are refused until they work.
MODEL_URI_PATTERN = r"^(pvc|s3|gs|hf|https)://[A-Za-z0-9][A-Za-z0-9._~%@:=+,/-]*$"


class Ingress(Stored):
    """How the workload is exposed outside the cluster."""

    host: (
        Annotated[
            str,
            Field(max_length=253, pattern=r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"),
        ]
        | None
    ) = Field(default=None, description="The host name to answer for; every host if unset.")
    class_name: DnsName | None = Field(default=None, description="The IngressClass; the cluster's default if unset.")
    tls_secret_name: DnsName | None = Field(
        default=None, description="A Secret of the same namespace with the host's certificate."
    )


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
    target_gpu_utilization: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None,
        alias="targetGPUUtilization",
        description="Average GPU use to aim at, in percent. Left out, and said so in the condition ScalingActive, "
        "while the cluster serves no GPU metric.",
    )


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


class AIWorkloadSpec(Stored):
    """What is to be served, and how."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "has(self.framework) || has(self.image) || has(self.runtime)",
                "name a framework (such as ONNX), a runtime, or an image",
            ),
            rule(
                "!has(self.command) || has(self.image) || has(self.runtime)",
                "command belongs to an image or runtime of your own: set image or runtime too",
                field=".command",
            ),
            rule(
                "!has(self.ingress) || has(self.inferenceEndpoint)",
                "ingress says how a path is exposed: set inferenceEndpoint to the path, such as /, or leave it out",
                field=".ingress",
            ),
        )
    )

    model_name: Annotated[str, Field(min_length=1, max_length=253, pattern=MODEL_NAME_PATTERN)] = Field(
        description="The model's name, in the model store and for its clients.",
        json_schema_extra=rules(rule("!self.contains('..')", "modelName must not contain '..'")),
    )
    model_version: (
        Annotated[str, Field(max_length=63, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")] | None
    ) = Field(
        default=None,
        description="The version to serve; another one rolls out while the old one serves.",
        json_schema_extra=rules(rule("!self.contains('..')", "modelVersion must not contain '..'")),
    )
    framework: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z][A-Za-z0-9._-]*$")] | None = Field(
        default=None, description="The model's framework; it picks the ServingRuntime, whatever its letters' case."
    )
    model_uri: Annotated[str, Field(max_length=2048, pattern=MODEL_URI_PATTERN)] | None = Field(
        default=None,
        description="Where the model lies: pvc://claim/path, s3://…, gs://…, hf://owner/model or https://…; "
        "by default <model store>/<modelName>/<modelVersion>.",
        json_schema_extra=rules(rule("!self.contains('..')", "modelUri must not contain '..'")),
    )
    runtime: DnsName | None = Field(default=None, description="The ServingRuntime; by default the framework's.")
    image: Image | None = Field(default=None, description="A server image of your own.")
    command: Annotated[list[Argument], Field(max_length=32)] | None = Field(
        default=None, description="The image's command."
    )
    args: Annotated[list[Argument], Field(max_length=128)] | None = Field(
        default=None, description="Arguments, after those of the runtime."
    )
    env: Annotated[list[EnvVar], Field(max_length=128)] = Field(
        default_factory=list,
        description="Environment variables; one of the same name as the runtime's replaces it.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    ports: Annotated[list[ContainerPort], Field(max_length=8)] = Field(
        default_factory=list,
        description="The server's ports; the first one serves and is called http. By default the runtime's.",
        json_schema_extra=PORT_LIST,
    )
    probes: Probes | None = Field(default=None, description="Probes that replace the runtime's.")
    replicas: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=1, description="How many servers; with autoscaling only the number to begin with."
    )
    resources: ResourceRequirements = Field(default_factory=ResourceRequirements, description="What each server needs.")
    inference_endpoint: Path | None = Field(
        default=None,
        description="The path of the Ingress; without it none is made.",
        json_schema_extra=rules(
            rule(
                "!self.contains('//') && !self.contains('/./') && !self.contains('/../') && !self.endsWith('/.') "
                "&& !self.endsWith('/..') && !self.contains('%2f') && !self.contains('%2F')",
                "inferenceEndpoint must be a plain path without '//', '/./', '/../' or '%2F'",
            )
        ),
    )
    ingress: Ingress | None = Field(default=None, description="Host, class and certificate of the Ingress.")
    autoscaling: Autoscaling | None = Field(default=None, description="How the number of servers follows the load.")
    node_selector: Annotated[dict[str, LabelValue], Field(max_length=32)] = Field(
        default_factory=dict, description="Labels that a node must have."
    )
    tolerations: Annotated[list[Toleration], Field(max_length=32)] = Field(
        default_factory=list, description="Taints that are tolerated; a GPU's own taint is, where a GPU is asked for."
    )
    priority_class_name: DnsName | None = Field(default=None, description="The pods' PriorityClass.")
    update_policy: Literal["Pinned", "Auto"] = Field(
        default="Pinned",
        description="Pinned: a changed runtime or operator leaves a live revision as it is. Auto: it rolls out.",
    )


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


class AutoscalingStatus(Stored):
    """What the autoscaler does."""

    desired: int = Field(description="The number that the autoscaler wants.")
    reason: str = Field(default="", description="Why, in its own words.")
    last_scale_time: str | None = Field(default=None, description="When it last changed the number.")


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
        description="Accepted, Progressing, Available, Ready, EndpointReady, ScalingActive, Degraded; "
        "Reconciling and Stalled while true.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
