"""Sets of fields, as managedFields keeps them: paths of elements f:name, k:{keys}, v:value."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from aiop.sim.semantics.typeschema import TypeSchema, key_default

Path = tuple[str, ...]
FieldSet = frozenset[Path]


def encode(paths: FieldSet) -> dict[str, Any]:
    """The set as fieldsV1."""
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        node["."] = {}
    return _folded(tree)


def decode(fields: Mapping[str, Any]) -> FieldSet:
    """The set that a fieldsV1 holds."""
    return frozenset(_paths(fields, ()))


def element_of(item: Any, schema: TypeSchema) -> str:
    """The path element of a list's item."""
    if schema.list_type == "map" and isinstance(item, dict):
        keys = {key: item.get(key, key_default(schema, key)) for key in sorted(schema.keys)}
        known = {key: value for key, value in keys.items() if value is not None}
        return "k:" + msgspec.json.encode(known).decode()
    return "v:" + msgspec.json.encode(item).decode()


def value_at(value: Any, path: Path, schema: TypeSchema | None) -> Any:
    """What stands at ``path``, or MISSING."""
    for element in path:
        if element.startswith("f:"):
            name = element[2:]
            if not isinstance(value, dict) or name not in value:
                return MISSING
            value, schema = value[name], schema.field(name) if schema else None
        else:
            item = next((each for each in value or () if schema and element_of(each, schema) == element), MISSING)
            if item is MISSING:
                return MISSING
            value, schema = item, schema.items if schema else None
    return value


def fields_of(value: Any, schema: TypeSchema | None) -> Iterator[Path]:
    """The fields that an applied configuration claims."""
    yield from _claimed(value, schema, ())


def shown(path: Path) -> str:
    """A path as conflicts name it: .spec.containers[name="a"].image."""
    text = ""
    for element in path:
        if element.startswith("f:"):
            text += f".{element[2:]}"
        elif element.startswith("k:"):
            keys = msgspec.json.decode(element[2:])
            inner = ",".join(f"{key}={msgspec.json.encode(value).decode()}" for key, value in keys.items())
            text += f"[{inner}]"
        else:
            text += f"[={element[2:]}]"
    return text


def changed_fields(old: Any, new: Any, schema: TypeSchema | None) -> Iterator[Path]:
    """The fields that an update set: those added, parents included, and those whose value changed."""
    yield from _changed(old, new, schema, ())


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()

# Structs that the server's own types always contain, so that nobody adds them: they show no dot in managedFields.
_ALWAYS_THERE = frozenset({"metadata", "spec", "status", "template", "strategy", "containers", "conditions"})


def _folded(tree: dict[str, Any]) -> dict[str, Any]:
    """Leaves are empty maps; only an inner node that is a member itself has a dot."""
    result: dict[str, Any] = {}
    for element, node in tree.items():
        if element == ".":
            result[element] = {}
        else:
            result[element] = {} if set(node) == {"."} else _folded(node)
    return result


def _paths(fields: Mapping[str, Any], prefix: Path) -> Iterator[Path]:
    for element, node in fields.items():
        if element == ".":
            yield prefix
        elif not node:
            yield (*prefix, element)
        else:
            yield from _paths(node, (*prefix, element))


def _is_leaf(value: Any, schema: TypeSchema | None) -> bool:
    return not value or not isinstance(value, dict | list) or schema is None or schema.atomic


def _claimed(value: Any, schema: TypeSchema | None, path: Path) -> Iterator[Path]:
    if _is_leaf(value, schema):
        if path:
            yield path
        return
    assert schema is not None  # noqa: S101 - no schema makes a leaf
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _claimed(child, schema.field(name), (*path, f"f:{name}"))
        return
    for item in value:
        here = (*path, element_of(item, schema))
        yield here
        if isinstance(item, dict):
            yield from _claimed(item, schema.items, here)


def _changed(old: Any, new: Any, schema: TypeSchema | None, path: Path) -> Iterator[Path]:
    if old == new and type(old) is type(new):
        return
    if _is_leaf(new, schema):
        if path:
            yield path
        return
    if old is MISSING and path and path[-1].removeprefix("f:") not in _ALWAYS_THERE:
        yield path
    assert schema is not None  # noqa: S101 - no schema makes a leaf
    if isinstance(new, dict):
        before: Mapping[str, Any] = old if isinstance(old, dict) else {}
        for name, child in new.items():
            yield from _changed(before.get(name, MISSING), child, schema.field(name), (*path, f"f:{name}"))
        return
    known = {element_of(item, schema): item for item in old} if isinstance(old, list) else {}
    for item in new:
        element = element_of(item, schema)
        if element not in known and not isinstance(item, dict):
            yield (*path, element)
        elif isinstance(item, dict):
            yield from _changed(known.get(element, MISSING), item, schema.items, (*path, element))


def without(paths: FieldSet, prefixes: Iterable[Path]) -> FieldSet:
    """``paths`` but for those at or below one of ``prefixes``."""
    unwanted = tuple(prefixes)
    return frozenset(path for path in paths if not any(path[: len(prefix)] == prefix for prefix in unwanted))
