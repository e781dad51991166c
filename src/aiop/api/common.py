"""What the kinds have in common: bases, bounded strings, quantities."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

GROUP = "geartickler.com"
VERSION = "v1alpha1"

# The API server's own grammar of a quantity, sign left out: nothing here can be negative.
QUANTITY_PATTERN = r"^(\.[0-9]+|[0-9]+(\.[0-9]*)?)(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]+))?$"


class Stored(BaseModel):
    """A part of a stored object: strict about types, and blind to keys that a newer version may have written."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


def rule(expression: str, message: str, *, field: str = "") -> dict[str, Any]:
    """A CEL rule; ``message`` names the value's fault and the fix."""
    validation: dict[str, Any] = {"rule": expression, "message": message}
    if field:
        validation["fieldPath"] = field
    return validation


def rules(*validations: dict[str, Any]) -> dict[str, Any]:
    """The JSON-schema extra that carries CEL rules."""
    return {"x-kubernetes-validations": list(validations)}


def _quantity(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Quantity = Annotated[
    str,
    BeforeValidator(_quantity),
    Field(pattern=QUANTITY_PATTERN, max_length=64),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": QUANTITY_PATTERN, "maxLength": 64}),
]
Resources = Annotated[dict[str, Quantity], Field(max_length=16)]
# A DNS-1123 subdomain: what names of ServiceAccounts, runtimes, classes and Secrets look like.
DnsName = Annotated[
    str,
    Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"),
]
Argument = Annotated[str, Field(max_length=4096)]
Image = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$")]
LabelKey = Annotated[str, Field(max_length=316)]
LabelValue = Annotated[str, Field(max_length=63, pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")]
Port = Annotated[int, Field(ge=1, le=65535)]
# What a Service takes as a port's name: letters, digits and single hyphens.
PortName = Annotated[str, Field(min_length=1, max_length=15, pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
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


class EnvVar(Stored):
    """An environment variable with a plain value."""

    name: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")] = Field(
        description="The variable's name."
    )
    value: Annotated[str, Field(max_length=32768)] = Field(default="", description="Its value.")


class ContainerPort(Stored):
    """A port of the server."""

    name: PortName = Field(description="The port's name, unique among the ports.")
    container_port: Port = Field(description="The number that the server listens on.")


class Probe(Stored):
    """An HTTP probe of the serving port."""

    path: Annotated[str, Field(min_length=1, max_length=512, pattern=r"^/[A-Za-z0-9._~/%$(){}-]*$")] = Field(
        description="The path that answers with 200 when all is well."
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
