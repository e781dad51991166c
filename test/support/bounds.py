"""Every field of our kinds with values at its bounds and past them, out of the schema itself.

The fields are those of the reference's example objects, which hold every field there is (a test of theirs checks it).
"""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiop.api.crd import custom_resource_definitions
from hack.generated.examples import examples_of

KINDS = ("AIWorkload", "ServingRuntime")
MEBIBYTE = 1024 * 1024
MANY = 100_000
# What people write who mean harm or do not look, besides what is merely too long.
HOSTILE = (
    "../../etc/passwd",
    "$(id)",
    "{{ .Values }}",
    "模型\u202e",
    "a b",
    "line\nline",
    "http://169.254.169.254/latest",
    "https://user:password@host/model",
    "s3://key:secret@bucket/model",
    "file:///etc/passwd",
    "\u0000",
    "team-b/secret",
)
Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One field in one example object; ``path`` is how messages name it: `spec.env[0].name`."""

    kind: str
    example: int
    steps: Steps
    schema: Mapping[str, Any]
    value: Any

    @property
    def path(self) -> str:
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps)[1:]

    def with_value(self, value: Any) -> dict[str, Any]:
        """The example object with another value there."""
        changed = copy.deepcopy(examples_of(self.kind)[self.example])
        changed.pop("status", None)
        place: Any = changed
        for step in self.steps[:-1]:
            place = place[step]
        place[self.steps[-1]] = value
        found: dict[str, Any] = changed
        return found


def schema_of(kind: str) -> Mapping[str, Any]:
    (definition,) = [each for each in custom_resource_definitions() if each["spec"]["names"]["kind"] == kind]
    found: Mapping[str, Any] = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def fields(kind: str) -> list[Field]:
    """Each field of the spec once, in the first example that has it."""
    found: dict[str, Field] = {}
    for number, example in enumerate(examples_of(kind)):
        for steps, schema, value in _walk(example["spec"], schema_of(kind)["properties"]["spec"], ("spec",)):
            place = re.sub(r"\[\d+\]", "[]", Field(kind, number, steps, schema, value).path)
            found.setdefault(place, Field(kind, number, steps, schema, value))
    return list(found.values())


def beyond(field: Field) -> Iterator[tuple[str, Any]]:
    """Values that the schema must refuse, each with a word for it."""
    schema = field.schema
    kind = schema.get("type", "")
    if "x-kubernetes-int-or-string" in schema:
        yield from (("negative", -1), ("negative text", "-1"), ("words", "lots"), ("boolean", True), ("long", "9" * 65))
    elif "enum" in schema:
        yield from (("unknown word", "Nonsense"), ("number", 7))
    elif kind == "string":
        yield from (("number", 7), ("a mebibyte", "x" * MEBIBYTE), ("too long", "x" * (schema["maxLength"] + 1)))
        yield from _breaking(schema)
    elif kind == "integer":
        yield from (("text", "5"), ("fraction", 1.5), ("huge", 2**53), ("least", schema["minimum"] - 1))
        yield ("most", schema["maximum"] + 1)
    elif kind == "boolean":
        yield from (("text", "yes"), ("number", 1))
    elif kind == "array":
        item = field.value[0]
        yield from (("object", {}), ("text", "one"), ("one too many", _copies(item, schema["maxItems"] + 1, schema)))
        yield ("very many", _copies(item, MANY, schema))
    elif "additionalProperties" in schema:
        value = next(iter(field.value.values()))
        yield from (
            ("list", []),
            ("one too many", {f"k{number}": value for number in range(schema["maxProperties"] + 1)}),
        )
        yield ("very many", {f"k{number}": value for number in range(MANY)})
    else:
        yield from (("list", []), ("text", "one"))


def at_bounds(field: Field) -> Iterator[tuple[str, Any]]:
    """Values that the schema must take, as far out as it goes."""
    schema = field.schema
    kind = schema.get("type", "")
    if "enum" in schema:
        yield from ((f"enum {word}", word) for word in schema["enum"])
    elif kind == "string" and "x-kubernetes-int-or-string" not in schema:
        longest = _longest(schema)
        if longest is not None:
            yield "longest", longest
    elif kind == "integer":
        yield from (("least", schema["minimum"]), ("most", schema["maximum"]))
    elif kind == "array":
        yield "fullest", _copies(field.value[0], schema["maxItems"], schema)
        if not schema.get("minItems"):
            yield "empty", []
    elif "additionalProperties" in schema:
        value = next(iter(field.value.values()))
        yield "fullest", {f"k{number}": value for number in range(schema["maxProperties"])}


def _breaking(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if schema.get("minLength"):
        yield "empty", ""
    if "pattern" in schema:
        pattern = schema["pattern"].removesuffix("$") + r"\Z"
        yield from ((f"text {text!r}", text) for text in HOSTILE if not re.search(pattern, text))


def _longest(schema: Mapping[str, Any]) -> str | None:
    """The longest text that fits, if it is of one of the shapes that our patterns take."""
    length = schema["maxLength"]
    shapes = ("x" * length, "9" * length, "/" + "x" * (length - 1), ("s3://b/" + "x" * length)[:length])
    return next((text for text in shapes if re.search(schema.get("pattern", ""), text)), None)


def _copies(item: Any, number: int, schema: Mapping[str, Any]) -> list[Any]:
    """That many items; where the list is a map they differ in its keys, and ports in their numbers."""
    keys = schema.get("x-kubernetes-list-map-keys", ())
    if not isinstance(item, dict):
        return [item] * number
    return [
        {
            **item,
            **dict.fromkeys(keys, f"n{each}"),
            **({"containerPort": 1 + each} if "containerPort" in item else {}),
        }
        for each in range(number)
    ]


def _walk(value: Any, schema: Mapping[str, Any], steps: Steps) -> Iterator[tuple[Steps, Mapping[str, Any], Any]]:
    if len(steps) > 1:
        yield steps, schema, value
    if isinstance(value, dict):
        for name, child in value.items():
            if name in schema.get("properties", {}):
                yield from _walk(child, schema["properties"][name], (*steps, name))
            elif "additionalProperties" in schema:
                yield from _walk(child, schema["additionalProperties"], (*steps, name))
    elif isinstance(value, list) and value:
        yield from _walk(value[0], schema["items"], (*steps, 0))
