"""Defaulting and pruning by a structural schema, and what pruning would drop."""

import copy
from collections.abc import Iterator
from typing import Any

from aiop.sim.semantics.typeschema import TypeSchema


def with_defaults(value: Any, schema: TypeSchema) -> Any:
    """``value`` with every default filled in, at every depth.

    A null gives way to the default of its field, or goes if there is none, unless the field may be null.
    """
    if schema.free:
        return value
    if isinstance(value, dict):
        filled = dict(value)
        for name, raw in schema.declared.items():
            if "default" in raw and (name not in filled or (filled[name] is None and not raw.get("nullable"))):
                filled[name] = copy.deepcopy(raw["default"])
        return dict(_defaulted_fields(filled, schema))
    if isinstance(value, list) and (items := schema.items) is not None:
        return [with_defaults(item, items) for item in value]
    return value


def _defaulted_fields(value: dict[str, Any], schema: TypeSchema) -> Iterator[tuple[str, Any]]:
    for name, child in value.items():
        field = schema.field(name)
        if field is None or (child is None and (field.free or field.raw.get("nullable"))):
            yield name, child
        elif child is not None:
            yield name, with_defaults(child, field)
        elif "default" in field.raw:
            yield name, with_defaults(copy.deepcopy(field.raw["default"]), field)


def pruned(value: Any, schema: TypeSchema) -> Any:
    """``value`` without the fields that the schema does not know."""
    if schema.free:
        return value
    if isinstance(value, dict):
        known = {name: (child, schema.field(name)) for name, child in value.items()}
        return {
            name: child if field is None else pruned(child, field)
            for name, (child, field) in known.items()
            if field is not None or schema.keeps_unknown
        }
    if isinstance(value, list) and (items := schema.items) is not None:
        return [pruned(item, items) for item in value]
    return value


def unknown_fields(value: Any, schema: TypeSchema, path: str = "") -> Iterator[str]:
    """The paths of what `pruned` would drop: by name in a custom kind, as they come in one of the server's own."""
    if schema.free:
        return
    if isinstance(value, dict):
        for name in value if schema.name else sorted(value):
            field = schema.field(name)
            where = f"{path}.{name}" if path else name
            if field is not None:
                yield from unknown_fields(value[name], field, where)
            elif not schema.keeps_unknown:
                yield where
    elif isinstance(value, list) and (items := schema.items) is not None:
        for number, item in enumerate(value):
            yield from unknown_fields(item, items, f"{path}[{number}]")
