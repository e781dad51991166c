"""What a schema says, in words: types, bounds, patterns, defaults."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hack.generated.patterns import PATTERNS

Schema = Mapping[str, Any]


def type_name(schema: Schema) -> str:
    """The type as a person calls it."""
    if schema.get("x-kubernetes-int-or-string"):
        return "quantity"
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {type_name(schema['items'])}"
    if kind == "object" and "additionalProperties" in schema:
        return f"map to {type_name(schema['additionalProperties'])}"
    return "time" if schema.get("format") == "date-time" else kind


def default(schema: Schema) -> str:
    """The default as it would be typed; empty if there is none, or nothing in it."""
    value = schema.get("default")
    return f"`{json.dumps(value, ensure_ascii=False)}`" if value not in (None, "", [], {}) else ""


def bounds(schema: Schema) -> Iterator[str]:
    """What the API server checks, a phrase each; for lists and maps what it checks of their members too."""
    if "enum" in schema:
        yield "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    yield from _range(schema, "minimum", "maximum", "")
    yield from _range(schema, "minLength", "maxLength", "characters")
    yield from _range(schema, "minItems", "maxItems", "items")
    yield from _range(schema, "minProperties", "maxProperties", "keys")
    if schema.get("pattern") in PATTERNS:
        yield PATTERNS[schema["pattern"]]
    for word in ("items", "additionalProperties"):
        member = schema.get(word)
        if member and "properties" not in member:
            yield from (f"each: {phrase}" for phrase in bounds(member))


def _range(schema: Schema, lowest: str, highest: str, unit: str) -> Iterator[str]:
    low, high = schema.get(lowest), schema.get(highest)
    # From no characters, items or keys on is no bound.
    low = None if unit and not low else low
    tail = f" {unit}" if unit else ""
    if low is not None and high is not None:
        yield f"{low} to {high}{tail}"
    elif low is not None:
        yield f"at least {low}{tail}"
    elif high is not None:
        yield f"at most {high}{tail}"


def table_text(text: str) -> str:
    """``text`` as a cell of a table may have it."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
