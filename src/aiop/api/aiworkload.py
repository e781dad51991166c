"""AIWorkload: serve a model. This model is the source of the CRD, of validation and of the reference page."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from aiop.api.autoscaling import Autoscaling
from aiop.api.common import DnsName, LabelValue, Stored, rule, rules
from aiop.api.container import (
    BY_NAME,
    PORT_LIST,
    Argument,
    ContainerPort,
    EnvFromSource,
    Image,
    Probes,
    ResourceRequirements,
    WorkloadEnvVar,
)
from aiop.api.exposure import EndpointPath, Gateway, Ingress
from aiop.api.modeluri import Credentials, ModelUri
from aiop.api.rollout import Rollout
from aiop.api.scheduling import Affinity, Gpu, Toleration, TopologySpreadConstraint

# Parts between slashes, as model hubs name them: owner/model.
MODEL_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$"
_URI_RULES = rules(rule("!self.contains('..')", "modelUri must not contain '..'"))
ModelVersion = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")]


class ImagePullSecret(Stored):
    """A Secret of the same namespace with a registry's credentials."""

    name: DnsName = Field(description="The Secret's name, in the workload's own namespace.")


class VersionSettings(Stored):
    """What differs for one version: it takes the place of the workload's own setting while that version is served."""

    name: ModelVersion = Field(description="The modelVersion that these settings are for.")
    model_uri: ModelUri | None = Field(
        default=None, description="Where this version lies.", json_schema_extra=_URI_RULES
    )
    runtime: DnsName | None = Field(default=None, description="The ServingRuntime of this version.")
    image: Image | None = Field(default=None, description="The server image of this version.")
    args: Annotated[list[Argument], Field(max_length=128)] | None = Field(
        default=None, description="Arguments of this version, in place of the workload's."
    )
    env: Annotated[list[WorkloadEnvVar], Field(max_length=128)] = Field(
        default_factory=list,
        description="Variables of this version; one of the same name as the workload's replaces it.",
        json_schema_extra=BY_NAME,
    )
    resources: ResourceRequirements | None = Field(
        default=None, description="What each server of this version needs, in place of the workload's."
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
            rule(
                "!has(self.gateway) || has(self.inferenceEndpoint)",
                "gateway says how a path is exposed: set inferenceEndpoint to the path, such as /, or leave it out",
                field=".gateway",
            ),
            rule(
                "!has(self.ingress) || !has(self.gateway)",
                "one path is exposed in one way: set ingress or gateway, and leave the other out",
                field=".gateway",
            ),
        )
    )

    model_name: Annotated[str, Field(min_length=1, max_length=253, pattern=MODEL_NAME_PATTERN)] = Field(
        description="The model's name, in the model store and for its clients.",
        json_schema_extra=rules(rule("!self.contains('..')", "modelName must not contain '..'")),
    )
    model_version: ModelVersion | None = Field(
        default=None,
        description="The version to serve; another one rolls out while the old one serves.",
        json_schema_extra=rules(rule("!self.contains('..')", "modelVersion must not contain '..'")),
    )
    versions: Annotated[list[VersionSettings], Field(max_length=16)] = Field(
        default_factory=list,
        description="Settings of single versions, taken while modelVersion names them.",
        json_schema_extra=BY_NAME,
    )
    framework: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z][A-Za-z0-9._-]*$")] | None = Field(
        default=None, description="The model's framework; it picks the ServingRuntime, whatever its letters' case."
    )
    model_uri: ModelUri | None = Field(
        default=None,
        description="Where the model lies: pvc://claim/path, s3://…, gs://…, azure://account/container/path, "
        "https://…, hf://owner/model, oci://registry/repository:tag, models:/name/version or models:/name@alias; "
        "by default <model store>/<modelName>/<modelVersion>.",
        json_schema_extra=_URI_RULES,
    )
    credentials: Credentials | None = Field(default=None, description="What the model's files are fetched with.")
    runtime: DnsName | None = Field(default=None, description="The ServingRuntime; by default the framework's.")
    image: Image | None = Field(default=None, description="A server image of your own.")
    image_pull_secrets: Annotated[list[ImagePullSecret], Field(max_length=8)] = Field(
        default_factory=list, description="What the images are pulled with.", json_schema_extra=BY_NAME
    )
    command: Annotated[list[Argument], Field(max_length=32)] | None = Field(
        default=None, description="The image's command."
    )
    args: Annotated[list[Argument], Field(max_length=128)] | None = Field(
        default=None, description="Arguments, after those of the runtime."
    )
    env: Annotated[list[WorkloadEnvVar], Field(max_length=128)] = Field(
        default_factory=list,
        description="Environment variables; one of the same name as the runtime's replaces it.",
        json_schema_extra=BY_NAME,
    )
    env_from: Annotated[list[EnvFromSource], Field(max_length=16)] = Field(
        default_factory=list,
        description="Environment variables out of whole Secrets and ConfigMaps; env goes before them.",
    )
    ports: Annotated[list[ContainerPort], Field(max_length=8)] = Field(
        default_factory=list,
        description="The server's ports; the first one serves and is called http. By default the runtime's.",
        json_schema_extra=PORT_LIST,
    )
    probes: Probes | None = Field(default=None, description="Probes that replace the runtime's.")
    service_account_name: DnsName | None = Field(
        default=None,
        description="The pods' ServiceAccount, for a cloud's own identity; its token is mounted into no container.",
    )
    replicas: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=1, description="How many servers; with autoscaling only the number to begin with."
    )
    resources: ResourceRequirements = Field(default_factory=ResourceRequirements, description="What each server needs.")
    gpu: Gpu | None = Field(default=None, description="Which GPUs will do.")
    inference_endpoint: EndpointPath | None = Field(
        default=None,
        description="The path that clients outside the cluster use; without it nothing is exposed. It leads to the "
        "runtime's own route; / exposes all of the server's paths as they are.",
        json_schema_extra=rules(
            rule(
                "!self.contains('//') && !self.contains('/./') && !self.contains('/../') && !self.endsWith('/.') "
                "&& !self.endsWith('/..') && !self.contains('%2f') && !self.contains('%2F')",
                "inferenceEndpoint must be a plain path without '//', '/./', '/../' or '%2F'",
            )
        ),
    )
    ingress: Ingress | None = Field(default=None, description="Host, class and certificate of the Ingress.")
    gateway: Gateway | None = Field(default=None, description="The Gateway, in place of an Ingress.")
    autoscaling: Autoscaling | None = Field(default=None, description="How the number of servers follows the load.")
    rollout: Rollout = Field(default_factory=Rollout, description="How a new version takes the old one's place.")
    node_selector: Annotated[dict[str, LabelValue], Field(max_length=32)] = Field(
        default_factory=dict, description="Labels that a node must have."
    )
    tolerations: Annotated[list[Toleration], Field(max_length=32)] = Field(
        default_factory=list, description="Taints that are tolerated; a GPU's own taint is, where a GPU is asked for."
    )
    affinity: Affinity | None = Field(default=None, description="Which nodes, and near which pods.")
    topology_spread_constraints: Annotated[list[TopologySpreadConstraint], Field(max_length=8)] = Field(
        default_factory=list, description="How evenly the servers spread."
    )
    priority_class_name: DnsName | None = Field(default=None, description="The pods' PriorityClass.")
    termination_grace_period_seconds: Annotated[int, Field(ge=10, le=3600)] = Field(
        default=60,
        description="Seconds that a server has to finish its requests, the first five to leave the endpoints.",
    )
    update_policy: Literal["Pinned", "Auto"] = Field(
        default="Pinned",
        description="Pinned: a changed runtime or operator leaves a live revision as it is. Auto: it rolls out.",
    )


def effective(spec: AIWorkloadSpec) -> AIWorkloadSpec:
    """The spec with the settings of its modelVersion in their places, and without `versions`."""
    own = next((each for each in spec.versions if each.name == spec.model_version), None)
    if own is None:
        return spec if not spec.versions else spec.model_copy(update={"versions": []})
    replaced = {
        name: value
        for name in ("model_uri", "runtime", "image", "args", "resources")
        if (value := getattr(own, name)) is not None
    }
    env = {each.name: each for each in (*spec.env, *own.env)}
    return spec.model_copy(update={**replaced, "env": list(env.values()), "versions": []})
