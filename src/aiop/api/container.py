"""What the kinds say of a server's container: environment, ports, probes, resources."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from aiop.api.common import DnsName, Port, PortName, Resources, Stored, rule, rules

# On a list of ports, which is a map by name.
PORT_LIST: dict[str, Any] = {
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    **rules(
        rule(
            "self.size() == 0 || self[0].name == 'http' || !self.exists(port, port.name == 'http')",
            "the first port serves and is called http: put the port that is named http first, or name it otherwise",
        ),
        rule(
            "self.all(port, self.exists_one(other, other.containerPort == port.containerPort))",
            "two ports have the same containerPort: a server listens once on a number",
        ),
    ),
}
BY_NAME: dict[str, Any] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
Argument = Annotated[str, Field(max_length=4096)]
Image = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$")]
VariableName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]
# A key of a Secret or ConfigMap, by Kubernetes' own rule.
DataKey = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._A-Za-z0-9]+$")]


class EnvVar(Stored):
    """An environment variable with a plain value."""

    name: VariableName = Field(description="The variable's name.")
    value: Annotated[str, Field(max_length=32768)] = Field(default="", description="Its value.")


class KeySelector(Stored):
    """A key of a Secret or ConfigMap of the same namespace."""

    name: DnsName = Field(description="The object's name, in the workload's own namespace.")
    key: DataKey = Field(description="The key whose value is taken.")
    optional: bool | None = Field(default=None, description="Start also if the object or the key does not exist.")


class FieldSelector(Stored):
    """A field of the pod itself."""

    field_path: Literal[
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.podIP",
    ] = Field(description="The field whose value is taken.")


class EnvVarSource(Stored):
    """Where a variable's value comes from; exactly one of them."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "[has(self.secretKeyRef), has(self.configMapKeyRef), has(self.fieldRef)].filter(set, set).size() == 1",
                "set exactly one of secretKeyRef, configMapKeyRef and fieldRef",
            )
        )
    )

    secret_key_ref: KeySelector | None = Field(default=None, description="A key of a Secret.")
    config_map_key_ref: KeySelector | None = Field(default=None, description="A key of a ConfigMap.")
    field_ref: FieldSelector | None = Field(default=None, description="A field of the pod.")


class WorkloadEnvVar(EnvVar):
    """An environment variable: a plain value, or one that the kubelet looks up when the server starts."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.valueFrom) || !has(self.value) || self.value == ''",
                "value and valueFrom exclude each other: leave one out",
                field=".valueFrom",
            )
        )
    )

    value_from: EnvVarSource | None = Field(default=None, description="Where the value comes from, instead of value.")


class ObjectReference(Stored):
    """A Secret or ConfigMap of the same namespace, all its keys."""

    name: DnsName = Field(description="The object's name, in the workload's own namespace.")
    optional: bool | None = Field(default=None, description="Start also if the object does not exist.")


class EnvFromSource(Stored):
    """Variables out of every key of a Secret or ConfigMap; exactly one of them."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule("has(self.secretRef) != has(self.configMapRef)", "set exactly one of secretRef and configMapRef")
        )
    )

    prefix: Annotated[str, Field(max_length=64, pattern=r"^([A-Za-z_][A-Za-z0-9_.-]*)?$")] = Field(
        default="", description="What each variable's name begins with, before the key."
    )
    secret_ref: ObjectReference | None = Field(default=None, description="A Secret.")
    config_map_ref: ObjectReference | None = Field(default=None, description="A ConfigMap.")


class ContainerPort(Stored):
    """A port of the server."""

    name: PortName = Field(description="The port's name, unique among the ports.")
    container_port: Port = Field(description="The number that the server listens on.")


class Probe(Stored):
    """One way to ask the server how it is: by HTTP, an open TCP port, gRPC health checking, or a command."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule("self.type != 'HTTP' || has(self.path)", "a probe by HTTP needs a path, such as /healthz"),
            rule("(self.type == 'Exec') == has(self.command)", "command belongs to type Exec, and Exec needs it"),
            rule("self.type == 'HTTP' || !has(self.path)", "path belongs to type HTTP", field=".path"),
            rule("self.type == 'GRPC' || !has(self.service)", "service belongs to type GRPC", field=".service"),
            rule("self.type != 'Exec' || !has(self.port)", "a command asks no port: leave port out", field=".port"),
        )
    )

    type: Literal["HTTP", "TCP", "GRPC", "Exec"] = Field(default="HTTP", description="How the server is asked.")
    path: Annotated[str, Field(min_length=1, max_length=512, pattern=r"^/[A-Za-z0-9._~/%$(){}-]*$")] | None = Field(
        default=None, description="The path that answers with 200 when all is well, for HTTP."
    )
    command: Annotated[list[Argument], Field(min_length=1, max_length=32)] | None = Field(
        default=None, description="What is run in the container, for Exec; 0 is well."
    )
    service: Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9._/-]*$")] | None = Field(
        default=None, description="The service that gRPC health checking asks about; the whole server if unset."
    )
    port: PortName | None = Field(
        default=None, description="The name of the port that is asked; http, the one that serves, if unset."
    )
    initial_delay_seconds: Annotated[int, Field(ge=0, le=3600)] = Field(
        default=0, description="Seconds from the container's start to the first probe."
    )
    period_seconds: Annotated[int, Field(ge=1, le=300)] = Field(default=10, description="Seconds between two probes.")
    timeout_seconds: Annotated[int, Field(ge=1, le=60)] = Field(
        default=3, description="Seconds that an answer may take."
    )
    failure_threshold: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=3, description="Failures in a row that count."
    )


class Probes(Stored):
    """The probes of the server."""

    readiness: Probe | None = Field(default=None, description="When it may get traffic.")
    liveness: Probe | None = Field(default=None, description="When it must be restarted.")
    startup: Probe | None = Field(default=None, description="How long loading a model may take.")


class ResourceRequirements(Stored):
    """What the server needs, in Kubernetes' own words; what is limited and not requested is requested too."""

    limits: Resources = Field(default_factory=dict, description="At most this much, by resource name.")
    requests: Resources = Field(default_factory=dict, description="At least this much, by resource name.")
