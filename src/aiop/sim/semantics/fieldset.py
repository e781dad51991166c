"""Sets of fields, as managedFields keeps them: paths of elements f:name, k:{keys}, v:value."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from aiop.sim.semantics.typeschema import TypeSchema, key_default

Path = tuple[str, ...]
FieldSet = frozenset[Path]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


# Stands for "not there", which is not the same as null.
MISSING = _Missing()


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


def shape_of(value: Any, schema: TypeSchema | None) -> str:
    """How ownership sees a value: ``map`` and ``list`` have parts with owners of their own, a ``leaf`` has none.

    Where nothing is declared, maps still have parts and lists do not.
    """
    if schema is None or schema.free:
        granular = schema is None or schema.keeps_parts
        return "map" if isinstance(value, dict) and granular else "leaf"
    if schema.atomic or not isinstance(value, dict | list):
        return "leaf"
    return "map" if isinstance(value, dict) else "list"


def child_schema(schema: TypeSchema | None, element: str) -> TypeSchema | None:
    """The schema of what stands under a path element."""
    if schema is None:
        return None
    return schema.field(element[2:]) if element.startswith("f:") else schema.items


def fields_of(value: Any, schema: TypeSchema | None) -> FieldSet:
    """The fields that a configuration claims: leaves, items, members of maps, and empty maps."""
    return frozenset(_claimed(value, schema, ()))


def with_named_parents(paths: Iterable[Path], schema: TypeSchema | None) -> FieldSet:
    """``paths`` and every declared field above one of them."""
    found = set(paths)
    for path in tuple(found):
        node = schema
        for depth, element in enumerate(path[:-1], start=1):
            if node is not None and element.startswith("f:") and element[2:] in node.declared:
                found.add(path[:depth])
            node = child_schema(node, element)
    return frozenset(found)


def without_items(value: Any, paths: FieldSet, schema: TypeSchema | None) -> Any:
    """``value`` without what stands at ``paths``; a container that this empties becomes null."""
    prefixes = {path[:depth] for path in paths for depth in range(len(path))}
    return _kept(value, schema, (), paths, prefixes)


def in_order(paths: Iterable[Path]) -> list[Path]:
    """The order in which the server names fields: those of one level before those below them."""
    return sorted(paths, key=_rank)


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


def _rank(path: Path) -> tuple[tuple[int, str], ...]:
    """Members of a level sort before the children of that level."""
    return (*((1, element) for element in path[:-1]), (0, path[-1]))


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


def _claimed(value: Any, schema: TypeSchema | None, path: Path) -> Iterator[Path]:
    shape = shape_of(value, schema)
    if shape == "leaf":
        if path:
            yield path
    elif shape == "map":
        for name, child in value.items():
            here = (*path, f"f:{name}")
            yield from _claimed(child, schema.field(name) if schema else None, here)
            if child is None or child == {} or schema is None or name not in schema.declared:
                yield here
    else:
        assert schema is not None  # noqa: S101 - what has no schema is no list with parts
        for item in value:
            here = (*path, element_of(item, schema))
            yield here
            yield from _claimed(item, schema.items, here)


def _kept(value: Any, schema: TypeSchema | None, path: Path, paths: FieldSet, prefixes: set[Path]) -> Any:
    shape = shape_of(value, schema)
    if path not in prefixes or shape == "leaf":
        return value
    if shape == "map":
        kept = {
            name: _kept(child, schema.field(name) if schema else None, here, paths, prefixes)
            for name, child, here in ((name, child, (*path, f"f:{name}")) for name, child in value.items())
            if here not in paths
        }
        return kept or None
    assert schema is not None  # noqa: S101 - what has no schema is no list with parts
    items = ((item, (*path, element_of(item, schema))) for item in value)
    return [_kept(item, schema.items, here, paths, prefixes) for item, here in items if here not in paths] or None
