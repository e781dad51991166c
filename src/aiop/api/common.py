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
    # A pattern says nothing of a number, so the least stands beside it.
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": QUANTITY_PATTERN, "maxLength": 64, "minimum": 0}),
]
Resources = Annotated[dict[str, Quantity], Field(max_length=16)]
# A DNS-1123 subdomain: what names of ServiceAccounts, runtimes, classes and Secrets look like.
DnsName = Annotated[
    str,
    Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"),
]
LabelKey = Annotated[str, Field(max_length=316)]
LabelValue = Annotated[str, Field(max_length=63, pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")]
Port = Annotated[int, Field(ge=1, le=65535)]
# What a Service takes as a port's name: letters, digits and single hyphens.
PortName = Annotated[str, Field(min_length=1, max_length=15, pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
