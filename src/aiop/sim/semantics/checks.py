"""All that a structural schema says about an object: its shape first, its rules if the shape allows."""

from typing import Any

from aiop.sim.semantics.cel import rule_faults
from aiop.sim.semantics.errors import FieldFault
from aiop.sim.semantics.fieldset import MISSING
from aiop.sim.semantics.typeschema import TypeSchema
from aiop.sim.semantics.validation import faults

# Faults after which the server does not trust an object's shape enough to evaluate rules on it.
_HIDING = frozenset(
    {
        "FieldValueRequired",
        "FieldValueTypeInvalid",
        "FieldValueNotSupported",
        "FieldValueTooLong",
        "FieldValueTooMany",
    }
)
_UNCHECKED = FieldFault(
    "<nil>",
    "FieldValueInvalid",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)


def violations(obj: dict[str, Any], old: dict[str, Any] | None, schema: TypeSchema) -> list[FieldFault]:
    """What is wrong with ``obj``, which replaces ``old`` if there is one.

    Raises RuleError for a rule that cannot be evaluated.
    """
    found = list(faults(obj, schema, old=MISSING if old is None else old))
    if not _has_rules(schema.raw):
        return found
    if any(fault.reason in _HIDING for fault in found):
        return [*found, _UNCHECKED]
    return [*found, *rule_faults(obj, old, schema)]


def _has_rules(raw: Any) -> bool:
    """True if there is a CEL rule anywhere in a schema."""
    if isinstance(raw, list):
        return any(_has_rules(each) for each in raw)
    return isinstance(raw, dict) and ("x-kubernetes-validations" in raw or any(map(_has_rules, raw.values())))
