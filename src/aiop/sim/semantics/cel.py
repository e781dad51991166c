"""The CEL rules of a structural schema (x-kubernetes-validations), evaluated by a library."""

from collections.abc import Iterator, Mapping
from typing import Any

import cel

from aiop.sim.semantics.errors import FieldFault, RuleError
from aiop.sim.semantics.typeschema import TypeSchema


def rule_faults(value: Any, old: Any, schema: TypeSchema, path: str = "") -> Iterator[FieldFault]:
    """The rules that ``value`` breaks, at every depth; transition rules need ``old`` and are left out without it."""
    if value is None:
        return
    for rule in schema.raw.get("x-kubernetes-validations", ()):
        yield from _fault(rule, value, old, path)
    if isinstance(value, dict):
        for name, child in value.items():
            field = schema.field(name)
            if field is not None:
                previous = old.get(name) if isinstance(old, dict) else None
                yield from rule_faults(child, previous, field, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and (items := schema.items) is not None:
        for number, item in enumerate(value):
            yield from rule_faults(item, None, items, f"{path}[{number}]")


def _fault(rule: Mapping[str, Any], value: Any, old: Any, path: str) -> Iterator[FieldFault]:
    expression = rule["rule"]
    if "oldSelf" in expression and old is None:
        return
    try:
        verdict = cel.evaluate(expression, {"self": value, "oldSelf": old})
    except (ValueError, TypeError, RuntimeError) as error:
        message = f"rule {expression!r} at {path or 'the root'} cannot be evaluated: {error}"
        raise RuleError(message) from error
    if verdict is not True:
        shown = _shown(value)
        message = rule.get("message") or f"failed rule: {expression}"
        field = path + rule.get("fieldPath", "") if path else rule.get("fieldPath", "<nil>").removeprefix(".")
        yield FieldFault(
            field or "<nil>", rule.get("reason", "FieldValueInvalid"), f"Invalid value: {shown}: {message}"
        )


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict):
        return '"object"'
    return '"array"' if isinstance(value, list) else str(value)
