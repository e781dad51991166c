"""Defaulting, pruning and validation by a structural schema; words as the API server's."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiop.sim.semantics.errors import FieldFault
from aiop.sim.semantics.typeschema import TypeSchema, key_default

_JSON_TYPES: Mapping[type, str] = {
    bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object", type(None): "null",
}  # fmt: skip


def with_defaults(value: Any, schema: TypeSchema) -> Any:
    """``value`` with every default filled in, at every depth; nulls of fields with a default give way to it."""
    if isinstance(value, dict) and not schema.free:
        filled = dict(value)
        for name, raw in schema.declared.items():
            if "default" in raw and filled.get(name) is None:
                filled[name] = raw["default"]
        return {name: _default_child(name, child, schema) for name, child in filled.items()}
    if isinstance(value, list) and (items := schema.items) is not None:
        return [with_defaults(item, items) for item in value]
    return value


def _default_child(name: str, child: Any, schema: TypeSchema) -> Any:
    field = schema.field(name)
    return child if field is None else with_defaults(child, field)


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
    """The paths of what `pruned` would drop."""
    if schema.free:
        return
    if isinstance(value, dict):
        for name, child in value.items():
            field = schema.field(name)
            where = f"{path}.{name}" if path else name
            if field is not None:
                yield from unknown_fields(child, field, where)
            elif not schema.keeps_unknown:
                yield where
    elif isinstance(value, list) and (items := schema.items) is not None:
        for number, item in enumerate(value):
            yield from unknown_fields(item, items, f"{path}[{number}]")


def faults(value: Any, schema: TypeSchema, path: str = "") -> Iterator[FieldFault]:
    """What is wrong with ``value``."""
    if schema.free or (value is None and (schema.raw.get("nullable") or _builtin(schema))):
        return
    if not _type_fits(value, schema):
        wanted = ",".join(schema.types)
        found = _JSON_TYPES[type(value)]
        yield FieldFault(
            path,
            "FieldValueTypeInvalid",
            f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"',
        )
        return
    yield from _own_faults(value, schema, path)
    if isinstance(value, dict):
        yield from _map_faults(value, schema, path)
    elif isinstance(value, list):
        yield from _list_faults(value, schema, path)


def _builtin(schema: TypeSchema) -> bool:
    types = schema.raw.get("type", ())
    return bool(schema.name) or (not isinstance(types, str) and "null" in types)


def _type_fits(value: Any, schema: TypeSchema) -> bool:
    types = schema.types
    if not types:
        return True
    found = _JSON_TYPES[type(value)]
    return found in types or (found == "integer" and "number" in types)


def _own_faults(value: Any, schema: TypeSchema, path: str) -> Iterator[FieldFault]:
    raw = schema.raw
    if "enum" in raw and value not in raw["enum"]:
        known = ", ".join(f'"{each}"' for each in raw["enum"])
        yield FieldFault(path, "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {known}')
    if isinstance(value, str):
        yield from _text_faults(value, raw, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number_faults(value, raw, path)


def _text_faults(value: str, raw: Mapping[str, Any], path: str) -> Iterator[FieldFault]:
    if "maxLength" in raw and len(value) > raw["maxLength"]:
        yield FieldFault(path, "FieldValueTooLong", f"Too long: may not be more than {raw['maxLength']} bytes")
    if "minLength" in raw and len(value) < raw["minLength"]:
        words = f'Invalid value: "{value}": {path} in body should be at least {raw["minLength"]} chars long'
        yield FieldFault(path, "FieldValueInvalid", words)
    if "pattern" in raw and not re.search(_anchored(raw["pattern"]), value):
        words = f"Invalid value: \"{value}\": {path} in body should match '{raw['pattern']}'"
        yield FieldFault(path, "FieldValueInvalid", words)


def _anchored(pattern: str) -> str:
    """Go's ``$`` means the end of the text; Python's allows a newline after it."""
    return pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern


def _number_faults(value: float, raw: Mapping[str, Any], path: str) -> Iterator[FieldFault]:
    if "minimum" in raw and value < raw["minimum"]:
        words = f"Invalid value: {value}: {path} in body should be greater than or equal to {raw['minimum']}"
        yield FieldFault(path, "FieldValueInvalid", words)
    if "maximum" in raw and value > raw["maximum"]:
        words = f"Invalid value: {value}: {path} in body should be less than or equal to {raw['maximum']}"
        yield FieldFault(path, "FieldValueInvalid", words)


def _map_faults(value: dict[str, Any], schema: TypeSchema, path: str) -> Iterator[FieldFault]:
    raw = schema.raw
    for name in raw.get("required", ()):
        if value.get(name) is None:
            yield FieldFault(f"{path}.{name}" if path else name, "FieldValueRequired", "Required value")
    if "maxProperties" in raw and len(value) > raw["maxProperties"]:
        words = f"Too many: {len(value)}: must have at most {raw['maxProperties']} items"
        yield FieldFault(path, "FieldValueTooMany", words)
    for name, child in value.items():
        field = schema.field(name)
        # metadata has rules of its own that no schema holds
        if field is not None and not (not path and name == "metadata"):
            yield from faults(child, field, f"{path}.{name}" if path else name)


def _list_faults(value: list[Any], schema: TypeSchema, path: str) -> Iterator[FieldFault]:
    raw = schema.raw
    if "maxItems" in raw and len(value) > raw["maxItems"]:
        words = f"Too many: {len(value)}: must have at most {raw['maxItems']} items"
        yield FieldFault(path, "FieldValueTooMany", words)
    if "minItems" in raw and len(value) < raw["minItems"]:
        words = f"Invalid value: {len(value)}: {path} in body should have at least {raw['minItems']} items"
        yield FieldFault(path, "FieldValueInvalid", words)
    yield from _duplicates(value, schema, path)
    items = schema.items
    for number, item in enumerate(value):
        if items is not None:
            yield from faults(item, items, f"{path}[{number}]")


def _duplicates(value: list[Any], schema: TypeSchema, path: str) -> Iterator[FieldFault]:
    seen: list[Any] = []
    for number, item in enumerate(value):
        if schema.list_type == "map" and isinstance(item, dict):
            identity: Any = {key: item.get(key, key_default(schema, key)) for key in schema.keys}
        elif schema.list_type == "set":
            identity = item
        else:
            return
        if identity in seen:
            yield FieldFault(f"{path}[{number}]", "FieldValueDuplicate", f"Duplicate value: {identity!r}")
        seen.append(identity)
