"""From a pydantic model's JSON schema to a structural schema, as CustomResourceDefinitions want it.

It has no references, no titles, no unions but int-or-string, and bounds in OpenAPI 3.0's words.
"""

from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel

Schema = dict[str, object]

# Words of JSON Schema that a structural schema may hold as they are; all others are converted or dropped.
_KEPT = frozenset({
    "description", "type", "format", "pattern", "enum", "minimum", "maximum", "minLength", "maxLength",
    "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required", "nullable",
})  # fmt: skip


class NotStructural(TypeError):
    """Raised when a model holds something that a structural schema cannot say, such as a union of objects."""


def structural_schema(model: type[BaseModel]) -> Schema:
    """The structural schema of ``model``, by field aliases; raises NotStructural for what cannot be said."""
    whole = model.model_json_schema(by_alias=True, mode="validation")
    definitions = cast("Mapping[str, Schema]", whole.get("$defs", {}))
    return _convert(whole, definitions, model.__name__)


def _convert(node: Mapping[str, object], definitions: Mapping[str, Schema], where: str) -> Schema:
    node = _resolved(node, definitions, where)
    result: Schema = {word: value for word, value in node.items() if word in _KEPT or word.startswith("x-kubernetes-")}
    if "x-kubernetes-int-or-string" in node:
        result.pop("type", None)
    if "const" in node:
        result["enum"] = [node["const"]]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if exclusive in node:
            result[bound], result[exclusive] = node[exclusive], True
    if node.get("default") is not None:
        result["default"] = node["default"]
    _convert_children(node, definitions, where, result)
    if not result.get("type") and not any(word.startswith("x-kubernetes-") for word in result):
        message = f"{where}: no single type in {sorted(node)}"
        raise NotStructural(message)
    return result


def _convert_children(
    node: Mapping[str, object], definitions: Mapping[str, Schema], where: str, result: Schema
) -> None:
    if "properties" in node:
        properties = cast("Mapping[str, Schema]", node["properties"])
        result["properties"] = {
            name: _convert(child, definitions, f"{where}.{name}") for name, child in properties.items()
        }
    if "items" in node:
        result["items"] = _convert(cast("Schema", node["items"]), definitions, f"{where}[]")
    extra = node.get("additionalProperties")
    if isinstance(extra, Mapping) and "properties" not in node:
        result["additionalProperties"] = _convert(extra, definitions, f"{where}{{}}")
    elif extra is True and "properties" not in node:
        result["x-kubernetes-preserve-unknown-fields"] = True


def _resolved(node: Mapping[str, object], definitions: Mapping[str, Schema], where: str) -> Schema:
    """``node`` with its reference followed and an optional's ``null`` branch left out."""
    own = {word: value for word, value in node.items() if word not in {"$ref", "anyOf", "allOf", "title", "$defs"}}
    if "$ref" in node:
        name = str(node["$ref"]).rsplit("/", 1)[-1]
        return {**_resolved(definitions[name], definitions, where), **own}
    branches = cast("list[Schema]", node.get("anyOf") or node.get("allOf") or [])
    branches = [branch for branch in branches if branch.get("type") != "null"]
    if "x-kubernetes-int-or-string" in own or not branches:
        return own
    if len(branches) > 1:
        message = f"{where}: a union of {len(branches)} branches"
        raise NotStructural(message)
    return {**_resolved(branches[0], definitions, where), **own}
