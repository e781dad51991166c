"""What turns one object into another, as JSON Patch (RFC 6902)."""

from collections.abc import Iterator, Mapping
from typing import Any


def operations(before: Any, after: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """The operations, in an order in which they can be applied.

    A list of another length, or of plain values, is replaced as a whole; of others only the items that differ.
    """
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _in_mapping(before, after, path)
    elif _same_shape(before, after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from operations(one, other, f"{path}/{number}")
    else:
        yield {"op": "replace", "path": path, "value": after}


def _in_mapping(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[dict[str, Any]]:
    for key, value in before.items():
        here = f"{path}/{_escaped(key)}"
        if key in after:
            yield from operations(value, after[key], here)
        else:
            yield {"op": "remove", "path": here}
    for key, value in after.items():
        if key not in before:
            yield {"op": "add", "path": f"{path}/{_escaped(key)}", "value": value}


def _same_shape(before: Any, after: Any) -> bool:
    both_lists = isinstance(before, list) and isinstance(after, list)
    return both_lists and len(before) == len(after) and all(isinstance(each, Mapping) for each in [*before, *after])


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
