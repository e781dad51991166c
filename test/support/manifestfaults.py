"""What a cluster would say of an object: the published schemas for built-in kinds, ours as the embedded server does."""

from typing import Any

import kubernetes_validate

from aiop.api.crd import custom_resource_definitions
from aiop.sim.semantics.checks import violations
from aiop.sim.semantics.schema import unknown_fields, with_defaults
from aiop.sim.server.kinds import Kind, custom_kinds

# The newest version that we support; the oldest has the same fields where it matters to a reader.
KUBERNETES = "1.37"
OURS: dict[tuple[str, str], Kind] = {
    (kind.resource.api_version, kind.resource.kind): kind
    for definition in custom_resource_definitions()
    for kind in custom_kinds(definition)
}


def faults_of(obj: dict[str, Any]) -> list[str]:
    """Why a strict server refuses ``obj``; empty if it takes it. Raises LookupError for a kind that nobody knows."""
    kind = OURS.get((str(obj.get("apiVersion")), str(obj.get("kind"))))
    return _builtin_faults(obj) if kind is None else custom_faults(obj, kind)


def custom_faults(obj: dict[str, Any], kind: Kind) -> list[str]:
    """Unknown fields, and what breaks the schema or its rules."""
    unknown = [f"unknown field {path}" for path in unknown_fields(obj, kind.schema)]
    broken = violations(with_defaults(obj, kind.schema), None, kind.schema)
    return unknown + [f"{fault.field}: {fault.message}" for fault in broken]


def _builtin_faults(obj: dict[str, Any]) -> list[str]:
    try:
        kubernetes_validate.validate(obj, KUBERNETES, strict=True)
    except kubernetes_validate.SchemaNotFoundError as error:
        raise LookupError(str(error)) from error
    except kubernetes_validate.ValidationError as error:
        return [str(error.message)]
    return []
