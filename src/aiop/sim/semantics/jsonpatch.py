"""JSON patches (RFC 6902), read as generously as the API server reads them."""

import copy
from typing import Any

from aiop.sim.semantics.compare import same_json
from aiop.sim.semantics.errors import BadPatch, PatchRefused

# The server never says which operation failed.
_REFUSAL = "the server rejected our request due to an error in our request"


def json_patched(target: Any, operations: Any) -> Any:
    """``target`` with the operations applied in order; all of them or none.

    Raises BadPatch for what is no list of operations, and PatchRefused for a failed test, a path that leads nowhere or
    an unknown operation. Unlike the RFC, and like the server, replace sets a member that was not there.
    """
    if not isinstance(operations, list) or not all(isinstance(each, dict) for each in operations):
        raise BadPatch("error decoding patch: a JSON patch is a list of operations")
    document = {"": copy.deepcopy(target)}
    for operation in operations:
        try:
            _apply(document, operation)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise PatchRefused(_REFUSAL) from error
    return document[""]


def _apply(document: dict[str, Any], operation: dict[str, Any]) -> None:
    path = _split(operation["path"])
    match operation.get("op"):
        case "add":
            _put(document, path, copy.deepcopy(operation["value"]), insert=True)
        case "replace":
            _put(document, path, copy.deepcopy(operation["value"]), insert=False)
        case "remove":
            _remove(document, path)
        case "test":
            _test(document, path, operation.get("value"))
        case "move":
            source = _split(operation["from"])
            value = _value_at(document, source)
            _remove(document, source)
            _put(document, path, value, insert=True)
        case "copy":
            _put(document, path, copy.deepcopy(_value_at(document, _split(operation["from"]))), insert=True)
        case other:
            raise ValueError(other)


def _test(document: dict[str, Any], path: list[str], wanted: Any) -> None:
    parent = _value_at(document, path[:-1])
    # A test for null holds where nothing is.
    found = parent.get(path[-1]) if isinstance(parent, dict) else _value_at(parent, path[-1:])
    if not same_json(found, wanted):
        raise ValueError(wanted)


def _split(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise ValueError(pointer)
    return ["", *(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])]


def _value_at(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[_index(part, len(document) - 1)] if isinstance(document, list) else document[part]
    return document


def _index(part: str, last: int) -> int:
    index = int(part)
    if not 0 <= index <= last:
        raise IndexError(part)
    return index


def _put(document: Any, path: list[str], value: Any, *, insert: bool) -> None:
    parent, last = _value_at(document, path[:-1]), path[-1]
    if not isinstance(parent, list):
        parent[last] = value
    elif last == "-":
        parent.append(value)
    elif insert:
        parent.insert(_index(last, len(parent)), value)
    else:
        parent[_index(last, len(parent) - 1)] = value


def _remove(document: Any, path: list[str]) -> None:
    parent, last = _value_at(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        del parent[_index(last, len(parent) - 1)]
    else:
        del parent[last]
