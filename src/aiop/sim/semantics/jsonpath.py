"""The JSONPath that printer columns use: names, [*], [n] and [?(@.a=="b")]."""

import re
from collections.abc import Iterator
from typing import Any

_STEP = re.compile(
    r"\.(?P<name>[A-Za-z0-9_-]+)"
    r"|\[\?\(@\.(?P<key>[A-Za-z0-9_.-]+)\s*==\s*[\"'](?P<value>[^\"']*)[\"']\)\]"
    r"|\[(?P<index>\*|[0-9]+)\]"
    r"|\['(?P<quoted>[^']+)'\]"
)


def found_at(value: Any, path: str) -> list[Any]:
    """Everything that the path leads to."""
    values = [value]
    for step in _STEP.finditer(path.replace(r"\.", "\0")):
        values = [child for each in values for child in _children(each, step)]
    return values


def _children(value: Any, step: re.Match[str]) -> Iterator[Any]:
    name = step["name"] or step["quoted"]
    if name is not None:
        if isinstance(value, dict) and value.get(name) is not None:
            yield value[name]
    elif isinstance(value, list):
        if step["index"] == "*":
            yield from value
        elif step["index"] is not None:
            yield from value[int(step["index"]) : int(step["index"]) + 1]
        else:
            yield from (item for item in value if found_at(item, f".{step['key']}") == [step["value"]])
