"""Whether an applied configuration fits its schema, in the words of the server's typed objects."""

from collections.abc import Iterator
from typing import Any

import msgspec

from aiop.sim.semantics.fieldset import element_of, shown
from aiop.sim.semantics.typeschema import TypeSchema, key_default


def configuration_faults(config: Any, schema: TypeSchema) -> list[str]:
    """What keeps the server from reading ``config`` as a typed object; empty if nothing does."""
    return sorted(_faults(config, schema, ""))


def _faults(value: Any, schema: TypeSchema | None, path: str) -> Iterator[str]:
    if schema is None or schema.free or value is None:
        return
    if isinstance(value, dict) and "object" in schema.types:
        yield from _map_faults(value, schema, path)
    elif isinstance(value, list) and "array" in schema.types:
        yield from _list_faults(value, schema, path)
    elif wanted := _mismatch(value, schema):
        yield f"{path}: expected {wanted}, got {_shown(value, wanted)}"


def _map_faults(value: dict[str, Any], schema: TypeSchema, path: str) -> Iterator[str]:
    for name, child in value.items():
        field = schema.field(name)
        if field is not None:
            yield from _faults(child, field, f"{path}.{name}")
        elif not schema.keeps_unknown:
            yield f"{path}.{name}: field not declared in schema"


def _list_faults(value: list[Any], schema: TypeSchema, path: str) -> Iterator[str]:
    seen: set[str] = set()
    for number, item in enumerate(value):
        where = f"{path}[{number}]"
        if not schema.atomic:
            if _keyless(item, schema):
                keys = msgspec.json.encode(schema.keys).decode()
                yield (
                    f"{path}: element {number}: associative list with keys has an element that omits all key fields "
                    f"{keys} (and doesn't have default values for any key fields)"
                )
                return
            element = element_of(item, schema)
            if element in seen:
                yield f"{path}: duplicate entries for key {shown((element,))}"
            seen.add(element)
            where = path + shown((element,))
        yield from _faults(item, schema.items, where)


def _keyless(item: Any, schema: TypeSchema) -> bool:
    if schema.list_type != "map" or not isinstance(item, dict):
        return False
    return all(item.get(key, key_default(schema, key)) is None for key in schema.keys)


def _mismatch(value: Any, schema: TypeSchema) -> str:
    """What was expected instead of ``value``; empty if it fits."""
    types = set(schema.types)
    if not types or schema.raw.get("x-kubernetes-int-or-string"):
        return ""
    kind = _kind(value)
    if kind in {"int", "float"} and types & {"integer", "number"}:
        return ""
    fits = {"string": "string", "boolean": "boolean", "map": "object", "list": "array"}
    if fits.get(kind) in types:
        return ""
    words = {
        "object": "map", "array": "list", "string": "string", "boolean": "boolean",
        "integer": "numeric (int or float)", "number": "numeric (int or float)",
    }  # fmt: skip
    return next((words[each] for each in words if each in types), "")


def _kind(value: Any) -> str:
    names = {bool: "boolean", int: "int", float: "float", str: "string", dict: "map", list: "list"}
    return names[type(value)]


def _shown(value: Any, wanted: str) -> str:
    """A value as the server's message prints it, which depends on what was expected."""
    if wanted.startswith("numeric"):
        return _kind(value)
    if wanted == "string":
        return f"&value.valueUnstructured{{Value:{_go(value)}}}"
    return f"&{{{_go(value)}}}"


def _go(value: Any) -> str:
    """A JSON value as Go prints it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{_go(value[name])}' for name in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(_go(item) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)
