"""JSON patches (RFC 6902)."""

import copy
from typing import Any

from aiop.sim.semantics.errors import BadPatch, PatchRefused


def json_patched(target: Any, operations: Any) -> Any:
    """``target`` with the operations applied in order; all of them or none.

    Raises BadPatch for nonsense and PatchRefused for a failed test or a path that does not exist.
    """
    if not isinstance(operations, list):
        message = "a JSON patch is a list of operations"
        raise BadPatch(message)
    document = {"": copy.deepcopy(target)}
    for operation in operations:
        try:
            _apply(document, operation)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            message = f"the server rejected our request due to an error in our request: {operation}: {error}"
            raise PatchRefused(message) from error
    return document[""]


def _apply(document: dict[str, Any], operation: Any) -> None:
    path = ["", *_split(operation["path"])]
    match operation.get("op"):
        case "add":
            _put(document, path, operation["value"], insert=True)
        case "replace":
            _value_at(document, path)
            _put(document, path, operation["value"], insert=False)
        case "remove":
            _remove(document, path)
        case "test":
            if _value_at(document, path) != operation.get("value"):
                message = f"testing value {operation['path']} failed"
                raise PatchRefused(message)
        case "move":
            value = _value_at(document, ["", *_split(operation["from"])])
            _remove(document, ["", *_split(operation["from"])])
            _put(document, path, value, insert=True)
        case "copy":
            value = copy.deepcopy(_value_at(document, ["", *_split(operation["from"])]))
            _put(document, path, value, insert=True)
        case other:
            message = f"unknown operation {other!r}"
            raise BadPatch(message)


def _split(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        message = f"{pointer!r} is no JSON pointer"
        raise BadPatch(message)
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _value_at(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def _put(document: Any, path: list[str], value: Any, *, insert: bool) -> None:
    parent, last = _value_at(document, path[:-1]), path[-1]
    if not isinstance(parent, list):
        parent[last] = value
    elif last == "-":
        parent.append(value)
    elif insert:
        if int(last) > len(parent):
            raise IndexError(last)
        parent.insert(int(last), value)
    else:
        parent[int(last)] = value


def _remove(document: Any, path: list[str]) -> None:
    parent, last = _value_at(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        del parent[int(last)]
    else:
        del parent[last]
