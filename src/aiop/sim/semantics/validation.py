"""Validation by a structural schema, in the API server's words."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from aiop.sim.semantics.compare import same_json
from aiop.sim.semantics.errors import FieldFault
from aiop.sim.semantics.fieldset import MISSING, element_of
from aiop.sim.semantics.typeschema import TypeSchema, key_default

_JSON_TYPES: Mapping[type, str] = {
    bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object", type(None): "null",
}  # fmt: skip
# Where a fault has no field of its own.
_NOWHERE = "<nil>"


def faults(value: Any, schema: TypeSchema, path: str = "", *, old: Any = MISSING) -> Iterator[FieldFault]:
    """What is wrong with ``value``; what was so in ``old`` already is forgiven, as the server does on updates."""
    if schema.free or (old is not MISSING and same_json(value, old)) or (value is None and _nullable(schema)):
        return
    if not _type_fits(value, schema):
        yield from _type_faults(value, schema, path)
        yield from _enum_faults(value, schema.raw, path)
        return
    yield from _enum_faults(value, schema.raw, path)
    if isinstance(value, str):
        yield from _text_faults(value, schema.raw, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number_faults(value, schema.raw, path)
    elif isinstance(value, dict):
        yield from _map_faults(value, schema, path, old)
    elif isinstance(value, list):
        yield from _list_faults(value, schema, path, old)


def shown(value: Any) -> str:
    """A value as a fault's message shows it."""
    return msgspec.json.encode(value).decode()


def joined(path: str, name: str) -> str:
    """The path of a field."""
    return f"{path}.{name}" if path else name


def _invalid(path: str, value: Any, words: str) -> FieldFault:
    return FieldFault(path, "FieldValueInvalid", f"Invalid value: {shown(value)}: {path} in body {words}")


def _nullable(schema: TypeSchema) -> bool:
    """True where null may stand; the server's own types take it for absent everywhere."""
    types = schema.raw.get("type", ())
    return bool(schema.raw.get("nullable") or schema.name) or (not isinstance(types, str) and "null" in types)


def _type_fits(value: Any, schema: TypeSchema) -> bool:
    types = schema.types
    found = _JSON_TYPES[type(value)]
    if not types or found in types:
        return True
    whole = isinstance(value, float) and value.is_integer()
    return (found == "integer" and "number" in types) or (whole and "integer" in types)


def _type_faults(value: Any, schema: TypeSchema, path: str) -> Iterator[FieldFault]:
    wanted, found = ",".join(schema.types), _JSON_TYPES[type(value)]
    words = f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"'
    yield FieldFault(path, "FieldValueTypeInvalid", words)
    if isinstance(value, float) and "integer" in schema.types:
        words = f'Invalid value: "": Checked value must be of type integer (default format) in {path}'
        yield FieldFault(_NOWHERE, "FieldValueInvalid", words)


def _enum_faults(value: Any, raw: Mapping[str, Any], path: str) -> Iterator[FieldFault]:
    if "enum" in raw and value not in raw["enum"]:
        known = ", ".join(shown(each) for each in raw["enum"])
        yield FieldFault(
            path, "FieldValueNotSupported", f"Unsupported value: {shown(value)}: supported values: {known}"
        )


def _text_faults(value: str, raw: Mapping[str, Any], path: str) -> Iterator[FieldFault]:
    if len(value) > raw.get("maxLength", len(value)):
        yield FieldFault(path, "FieldValueTooLong", f"Too long: may not be more than {raw['maxLength']} bytes")
    elif len(value) < raw.get("minLength", 0):
        yield _invalid(path, value, f"should be at least {raw['minLength']} chars long")
    elif "pattern" in raw and not re.search(_anchored(raw["pattern"]), value):
        yield _invalid(path, value, f"should match '{raw['pattern']}'")
    kind = raw.get("format", "")
    if kind in _FORMATS and not _FORMATS[kind](value):
        words = f'Invalid value: {shown(value)}: {path} in body must be of type {kind}: "{value}"'
        yield FieldFault(path, "FieldValueTypeInvalid", words)


def _anchored(pattern: str) -> str:
    """Go's ``$`` means the end of the text; Python's allows a newline after it."""
    return pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(value: str) -> bool:
        try:
            parse(value)
        except (ValueError, binascii.Error):
            return False
        return True

    return fits


def _date_time(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if "T" not in value.upper() or moment.tzinfo is None:
        raise ValueError(value)
    return moment


# The formats that the server checks and clients use; others are taken as notes, as the server takes unknown ones.
_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date-time": _parses(_date_time),
    "date": _parses(date.fromisoformat),
    "byte": _parses(lambda value: base64.b64decode(value, validate=True)),
    "uuid": lambda value: bool(re.fullmatch(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", value)),
}


def _number_faults(value: float, raw: Mapping[str, Any], path: str) -> Iterator[FieldFault]:
    if "minimum" in raw and (value < raw["minimum"] or (raw.get("exclusiveMinimum") and value == raw["minimum"])):
        words = "greater than" if raw.get("exclusiveMinimum") else "greater than or equal to"
        yield _invalid(path, value, f"should be {words} {raw['minimum']}")
    if "maximum" in raw and (value > raw["maximum"] or (raw.get("exclusiveMaximum") and value == raw["maximum"])):
        words = "less than" if raw.get("exclusiveMaximum") else "less than or equal to"
        yield _invalid(path, value, f"should be {words} {raw['maximum']}")
    if "multipleOf" in raw and value % raw["multipleOf"]:
        yield _invalid(path, value, f"should be a multiple of {raw['multipleOf']}")


def _map_faults(value: dict[str, Any], schema: TypeSchema, path: str, old: Any) -> Iterator[FieldFault]:
    raw = schema.raw
    for name in raw.get("required", ()):
        if value.get(name) is None and not (name in value and _nullable_field(schema, name)):
            yield FieldFault(joined(path, name), "FieldValueRequired", "Required value")
    yield from _size_faults(len(value), raw, path, "Properties")
    for name, child in value.items():
        field = schema.field(name)
        # metadata has rules of its own that no schema holds
        if field is not None and not (not path and name == "metadata"):
            before = old.get(name, MISSING) if isinstance(old, dict) else MISSING
            yield from faults(child, field, joined(path, name), old=before)


def _nullable_field(schema: TypeSchema, name: str) -> bool:
    field = schema.field(name)
    return field is not None and bool(field.raw.get("nullable"))


def _size_faults(size: int, raw: Mapping[str, Any], path: str, what: str) -> Iterator[FieldFault]:
    most, least = raw.get(f"max{what}", size), raw.get(f"min{what}", 0)
    if size > most:
        yield FieldFault(path, "FieldValueTooMany", f"Too many: {size}: must have at most {most} items")
    if size < least:
        yield _invalid(path, size, f"should have at least {least} {what.lower()}")


def _list_faults(value: list[Any], schema: TypeSchema, path: str, old: Any) -> Iterator[FieldFault]:
    yield from _size_faults(len(value), schema.raw, path, "Items")
    yield from _duplicates(value, schema, path)
    items = schema.items
    if items is None:
        return
    before = {element_of(item, schema): item for item in old} if _matchable(old, schema) else {}
    for number, item in enumerate(value):
        known = before.get(element_of(item, schema), MISSING) if before and isinstance(item, dict) else MISSING
        yield from faults(item, items, f"{path}[{number}]", old=known)


def _matchable(old: Any, schema: TypeSchema) -> bool:
    return isinstance(old, list) and schema.list_type == "map"


def _duplicates(value: list[Any], schema: TypeSchema, path: str) -> Iterator[FieldFault]:
    if schema.list_type not in {"map", "set"}:
        return
    seen: list[Any] = []
    for number, item in enumerate(value):
        where = f"{path}[{number}]"
        identity = item
        if schema.list_type == "map":
            if not isinstance(item, dict):
                words = f"Invalid value: {shown(item)}: must be an object for an array of list-type map"
                yield FieldFault(where, "FieldValueInvalid", words)
                continue
            keys = {key: item.get(key, key_default(schema, key)) for key in sorted(schema.keys)}
            identity = {key: value for key, value in keys.items() if value is not None}
        if identity in seen:
            yield FieldFault(where, "FieldValueDuplicate", f"Duplicate value: {shown(identity)}")
        seen.append(identity)
