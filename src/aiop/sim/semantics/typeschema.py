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
    known = _custom.get(id(raw))
    if known is not None and known[0] is raw:
        return known[1]
    schema = TypeSchema({**raw, "properties": {**raw.get("properties", {}), **_OBJECT_FIELDS}})
    if len(_custom) >= _CUSTOM_KEPT:
        _custom.clear()
    _custom[id(raw)] = (raw, schema)
    return schema


# Every object has these, whatever its definition says.
_OBJECT_FIELDS: Mapping[str, Any] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"$ref": f"#/$defs/{_META}"},
}
# Reading a schema anew for every request would cost more than the request; a test cluster has a handful of them.
_CUSTOM_KEPT = 64
_custom: dict[int, tuple[Mapping[str, Any], TypeSchema]] = {}


class TypeSchema:
    """A node of a schema, its reference followed; what hangs below it is read when first asked for."""

    __slots__ = ("_fields", "_items", "declared", "free", "name", "raw", "types")

    def __init__(self, raw: Mapping[str, Any], name: str = "") -> None:
        while "$ref" in raw:
            name = raw["$ref"].removeprefix("#/$defs/")
            overrides = {key: value for key, value in raw.items() if key not in {"$ref", "description"}}
            raw = {**definitions()[name], **overrides}
        self.raw = raw
        self.name = name
        # True if anything goes.
        self.free = _is_free(raw, name)
        # The JSON types that fit; empty if any does.
        self.types = _types_of(raw)
        # The declared fields' raw schemas.
        self.declared: Mapping[str, Any] = _declared(raw)
        self._fields: dict[str, TypeSchema | None] = {}
        self._items: TypeSchema | None = None

    @property
    def keeps_parts(self) -> bool:
        """True if the members of a free-form map have owners of their own."""
        return bool(self.raw.get("x-kubernetes-preserve-unknown-fields"))

    @property
    def keeps_unknown(self) -> bool:
        """True if undeclared fields stay."""
        return self.free or bool(self.raw.get("x-kubernetes-preserve-unknown-fields"))

    def field(self, name: str) -> TypeSchema | None:
        """The schema of a field: a declared one, or a map's value; None if it is unknown."""
        if name in self.declared:
            if name not in self._fields:
                self._fields[name] = TypeSchema(self.declared[name])
            return self._fields[name]
        if "" not in self._fields:
            raw = self.raw.get("additionalProperties")
            self._fields[""] = TypeSchema(raw) if isinstance(raw, Mapping) else None
        return self._fields[""]

    @property
    def items(self) -> TypeSchema | None:
        """The schema of a list's items."""
        if self._items is None and "items" in self.raw:
            self._items = TypeSchema(self.raw["items"])
        return self._items

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


def _is_free(raw: Mapping[str, Any], name: str) -> bool:
    if raw.get("x-kubernetes-preserve-unknown-fields") and "properties" not in raw:
        return True
    if name.rsplit(".", 1)[-1] in _FREE:
        return True
    return not ({"type", "properties", "items", "oneOf", "x-kubernetes-int-or-string"} & set(raw))


def _declared(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = raw.get("properties", {})
    return {**found, **_OBJECT_FIELDS} if raw.get("x-kubernetes-embedded-resource") else found


def _types_of(raw: Mapping[str, Any]) -> tuple[str, ...]:
    if raw.get("x-kubernetes-int-or-string"):
        return ("integer", "string")
    if "oneOf" in raw:
        return tuple(kind for branch in raw["oneOf"] for kind in _types(branch))
    return _types(raw)


def _types(raw: Mapping[str, Any]) -> tuple[str, ...]:
    found = raw.get("type", ())
    return (found,) if isinstance(found, str) else tuple(each for each in found if each != "null")
