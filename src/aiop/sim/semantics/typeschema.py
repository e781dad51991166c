"""One view on schemas: those of the built-in kinds and those of CustomResourceDefinitions."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Any

import msgspec

# The published definitions that the embedded server speaks; the newest that we support.
_DEFINITIONS = "kubernetes-json-schema/v1.37.0-local/_definitions.json"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
# Free-form JSON, whatever the schema's shape says.
_FREE = ("RawExtension", "FieldsV1", "JSON", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrArray", "JSONSchemaProps")


@functools.cache
def definitions() -> Mapping[str, Any]:
    """All definitions, by name."""
    data = resources.files("kubernetes_validate").joinpath(_DEFINITIONS).read_bytes()
    found: Mapping[str, Any] = msgspec.json.decode(data)["$defs"]
    return found


@functools.cache
def builtin_schema(group: str, version: str, kind: str) -> TypeSchema:
    """The schema of a built-in kind; raises KeyError if it is none."""
    for name, raw in definitions().items():
        for gvk in raw.get("x-kubernetes-group-version-kind", ()):
            if (gvk["group"], gvk["version"], gvk["kind"]) == (group, version, kind):
                return TypeSchema(raw, name)
    raise KeyError(kind)


def custom_schema(raw: Mapping[str, Any]) -> TypeSchema:
    """The schema of a CustomResourceDefinition's version; metadata is what it always is."""
    properties = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        **raw.get("properties", {}),
        "metadata": {"$ref": f"#/$defs/{_META}"},
    }
    return TypeSchema({**raw, "properties": properties})


class TypeSchema:
    """A node of a schema, its reference followed."""

    __slots__ = ("_fields", "name", "raw")

    def __init__(self, raw: Mapping[str, Any], name: str = "") -> None:
        while "$ref" in raw:
            name = raw["$ref"].removeprefix("#/$defs/")
            overrides = {key: value for key, value in raw.items() if key not in {"$ref", "description"}}
            raw = {**definitions()[name], **overrides}
        self.raw = raw
        self.name = name
        self._fields: dict[str, TypeSchema | None] = {}

    @property
    def free(self) -> bool:
        """True if anything goes."""
        if self.raw.get("x-kubernetes-preserve-unknown-fields") and "properties" not in self.raw:
            return True
        if self.name.rsplit(".", 1)[-1] in _FREE:
            return True
        return not ({"type", "properties", "items", "oneOf", "x-kubernetes-int-or-string"} & set(self.raw))

    @property
    def keeps_parts(self) -> bool:
        """True if the members of a free-form map have owners of their own."""
        return bool(self.raw.get("x-kubernetes-preserve-unknown-fields"))

    @property
    def keeps_unknown(self) -> bool:
        """True if undeclared fields stay."""
        return self.free or bool(self.raw.get("x-kubernetes-preserve-unknown-fields"))

    @property
    def types(self) -> tuple[str, ...]:
        """The JSON types that fit; empty if any does."""
        if self.raw.get("x-kubernetes-int-or-string"):
            return ("integer", "string")
        if "oneOf" in self.raw:
            return tuple(kind for branch in self.raw["oneOf"] for kind in _types(branch))
        return _types(self.raw)

    @property
    def declared(self) -> Mapping[str, Any]:
        """The declared fields' raw schemas."""
        found: Mapping[str, Any] = self.raw.get("properties", {})
        return found

    def field(self, name: str) -> TypeSchema | None:
        """The schema of a field: a declared one, or a map's value; None if it is unknown."""
        if name not in self._fields:
            raw = self.declared.get(name)
            if raw is None and isinstance(self.raw.get("additionalProperties"), Mapping):
                raw = self.raw["additionalProperties"]
            self._fields[name] = None if raw is None else TypeSchema(raw)
        return self._fields[name]

    @property
    def items(self) -> TypeSchema | None:
        """The schema of a list's items."""
        raw = self.raw.get("items")
        return None if raw is None else TypeSchema(raw)

    @property
    def atomic(self) -> bool:
        """True if apply takes the value as a whole."""
        if "list" in self._shape:
            return self.list_type == "atomic"
        return self.free or self.raw.get("x-kubernetes-map-type") == "atomic"

    @property
    def _shape(self) -> str:
        return "list" if "items" in self.raw else "map"

    @property
    def list_type(self) -> str:
        """One of atomic (the default), set and map."""
        return str(self.raw.get("x-kubernetes-list-type", "atomic"))

    @property
    def keys(self) -> tuple[str, ...]:
        """What identifies an item of a list of type map."""
        return tuple(self.raw.get("x-kubernetes-list-map-keys", ()))

    @property
    def merge_key(self) -> str:
        """What identifies an item to a strategic merge patch; empty if the list is replaced."""
        merges = "merge" in str(self.raw.get("x-kubernetes-patch-strategy", "")).split(",")
        return str(self.raw.get("x-kubernetes-patch-merge-key", "")) if merges else ""

    @property
    def merges_values(self) -> bool:
        """True for a list of scalars that a strategic merge patch adds to."""
        merges = "merge" in str(self.raw.get("x-kubernetes-patch-strategy", "")).split(",")
        return merges and not self.raw.get("x-kubernetes-patch-merge-key")

    def default_of(self, name: str) -> Any:
        """The default of a declared field, or None."""
        raw = self.declared.get(name, {})
        return raw.get("default")


def key_default(schema: TypeSchema, key: str) -> Any:
    """What an absent key of an item stands for: protocol is TCP unless said."""
    items = schema.items
    default = items.default_of(key) if items is not None else None
    return "TCP" if default is None and key == "protocol" else default


def _types(raw: Mapping[str, Any]) -> tuple[str, ...]:
    found = raw.get("type", ())
    return (found,) if isinstance(found, str) else tuple(each for each in found if each != "null")
