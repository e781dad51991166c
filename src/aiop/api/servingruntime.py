"""ServingRuntime: how the models of a framework are served. Cluster-scoped, an administrator's."""

from typing import Annotated, Literal

from pydantic import Field

from aiop.api.common import PortName, Stored
from aiop.api.container import BY_NAME, PORT_LIST, Argument, ContainerPort, EnvVar, Image, Probes
from aiop.api.modeluri import ModelStore


class SupportedFramework(Stored):
    """A framework whose models this runtime serves."""

    name: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z][A-Za-z0-9._-]*$")] = Field(
        description="The framework's name; the case of its letters does not matter."
    )
    priority: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=0, description="Of several runtimes for a framework the highest priority is taken, then the newest."
    )


class ModelDelivery(Stored):
    """How the model reaches the server."""

    mode: Literal["Mount", "Name"] = Field(
        description="Mount: the files lie at mountPath. Name: the server fetches the model by name or URI itself."
    )
    mount_path: Annotated[str, Field(max_length=256, pattern=r"^/[A-Za-z0-9._/-]+$")] = Field(
        default="/mnt/models", description="The folder in which the model's own folder lies, named like the model."
    )
    schemes: Annotated[list[Annotated[str, Field(max_length=16, pattern="^[a-z0-9]+$")]], Field(max_length=8)] = Field(
        default_factory=list,
        description="URI schemes that the server reads by itself; models of others are fetched before it starts.",
    )


class Metrics(Stored):
    """Where a server shows metrics in Prometheus' text format."""

    port: PortName = Field(default="http", description="The name of the port.")
    path: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^/[A-Za-z0-9._~/-]*$")] = Field(
        default="/metrics", description="The path."
    )


class ServingRuntimeSpec(Stored):
    """A server and how to run it.

    Arguments and variables may use $(AIOP_MODEL_NAME), its last part $(AIOP_MODEL_ID), $(AIOP_MODEL_VERSION),
    $(AIOP_MODEL_URI) (where the model comes from) and $(AIOP_MODEL_PATH) (what to load: a folder, or a name or URI for
    servers that fetch by themselves). The path of a probe may use {model} for the last part of the name.
    """

    frameworks: Annotated[list[SupportedFramework], Field(max_length=32)] = Field(
        default_factory=list,
        description="The frameworks that it serves; none for a runtime that is only taken by name.",
        json_schema_extra=BY_NAME,
    )
    disabled: bool = Field(default=False, description="Take it for no new revision.")
    image: Image | None = Field(default=None, description="The server's image; none if the workload must name one.")
    command: Annotated[list[Argument], Field(max_length=32)] = Field(default_factory=list, description="Its command.")
    args: Annotated[list[Argument], Field(max_length=128)] = Field(default_factory=list, description="Its arguments.")
    env: Annotated[list[EnvVar], Field(max_length=128)] = Field(
        default_factory=list,
        description="Its environment variables.",
        json_schema_extra=BY_NAME,
    )
    ports: Annotated[list[ContainerPort], Field(min_length=1, max_length=8)] = Field(
        description="Its ports; the first one serves and is called http.",
        json_schema_extra=PORT_LIST,
    )
    protocol: Literal["V1", "V2", "OpenAI", "Custom"] = Field(default="V2", description="What the server speaks.")
    model: ModelDelivery = Field(description="How the model reaches the server.")
    model_store: ModelStore | None = Field(
        default=None, description="Where models lie that name no modelUri; goes before the operator's own."
    )
    route: Annotated[str, Field(min_length=1, max_length=512, pattern=r"^/[A-Za-z0-9._~/%:{}-]*$")] | None = Field(
        default=None,
        description="The server's own path of inference, to which inferenceEndpoint leads; {model} stands for the last "
        "part of the model's name. Unset: the path reaches the server as it is.",
    )
    metrics: Metrics | None = Field(default=None, description="Where it shows metrics for Prometheus, if it does.")
    probes: Probes = Field(default_factory=Probes, description="Its probes.")
    run_as_user: Annotated[int, Field(ge=1, le=2147483647)] | None = Field(
        default=None, description="The UID that it runs as; the image's own if unset, which must not be root."
    )
    read_only_root_filesystem: bool = Field(
        default=True, description="Whether nothing but home, /tmp and writablePaths can be written."
    )
    home: Annotated[str, Field(max_length=256, pattern=r"^/[A-Za-z0-9._/-]+$")] = Field(
        default="/tmp",  # noqa: S108 - a path inside the container, writable by an emptyDir
        description="$HOME, which is made writable.",
    )
    writable_paths: Annotated[
        list[Annotated[str, Field(max_length=256, pattern=r"^/[A-Za-z0-9._/-]+$")]], Field(max_length=16)
    ] = Field(default_factory=list, description="Other paths that must be writable; the root file system is not.")
    shared_memory: bool = Field(default=False, description="Whether /dev/shm is as large as the memory limit.")
