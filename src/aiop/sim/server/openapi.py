"""OpenAPI v3, as far as kubectl looks: which verbs take fieldValidation, and the schemas for explain and apply."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from aiop.sim.semantics.typeschema import definitions
from aiop.sim.server.kinds import Kind, Kinds

_PREFIX = "#/components/schemas/"
# Keywords whose values are plain values, whatever they look like.
_VALUES = frozenset({"default", "enum", "example"})
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation", "force")
]


def index(kinds: Kinds) -> dict[str, Any]:
    """/openapi/v3: a document for each version of each group; its hash changes with its content."""
    paths = {}
    for path in dict.fromkeys(_path(kind) for kind in kinds):
        digest = hashlib.sha256(msgspec.json.encode(document(kinds, path))).hexdigest()[:16]
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def document(kinds: Kinds, path: str) -> dict[str, Any] | None:
    """The document of one version of a group; None if there is none."""
    found = [kind for kind in kinds if _path(kind) == path]
    if not found:
        return None
    schemas: dict[str, Any] = {}
    for kind in found:
        _collect(_schema_name(kind), _raw(kind), schemas)
    paths: dict[str, Any] = {}
    for kind in found:
        paths |= _operations(kind)
    info = {"title": "Kubernetes", "version": "v1.37.2"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _path(kind: Kind) -> str:
    resource = kind.resource
    return f"apis/{resource.group}/{resource.version}" if resource.group else f"api/{resource.version}"


def _gvk(kind: Kind) -> dict[str, str]:
    return {"group": kind.resource.group, "version": kind.resource.version, "kind": kind.resource.kind}


def _schema_name(kind: Kind) -> str:
    if not kind.custom:
        return kind.schema.name
    reverse = ".".join(reversed(kind.resource.group.split(".")))
    return f"{reverse}.{kind.resource.version}.{kind.resource.kind}"


def _raw(kind: Kind) -> Mapping[str, Any]:
    if not kind.custom:
        return kind.schema.raw
    gvk = {"x-kubernetes-group-version-kind": [_gvk(kind)]}
    properties = {**kind.schema_raw.get("properties", {}), "metadata": {"$ref": f"#/$defs/{_META}"}}
    return {**kind.schema_raw, **gvk, "properties": properties}


def _operations(kind: Kind) -> dict[str, Any]:
    space = "/namespaces/{namespace}" if kind.resource.namespaced else ""
    collection = f"/{_path(kind)}{space}/{kind.resource.plural}"
    gvk = _gvk(kind)
    reference = {"schema": {"$ref": _PREFIX + _schema_name(kind)}}
    answer = {"200": {"description": "OK", "content": {"application/json": reference}}}

    def operation(action: str, *, writes: bool) -> dict[str, Any]:
        return {
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": gvk,
            "parameters": _PARAMETERS if writes else [],
            "responses": answer,
        }

    return {
        collection: {"get": operation("list", writes=False), "post": operation("post", writes=True)},
        collection + "/{name}": {
            "get": operation("get", writes=False),
            "put": operation("put", writes=True),
            "patch": operation("patch", writes=True),
            "delete": operation("delete", writes=False),
        },
    }


def _collect(name: str, raw: Mapping[str, Any], schemas: dict[str, Any]) -> None:
    """The schema and everything that it refers to."""
    if name in schemas:
        return
    schemas[name] = {}
    schemas[name] = _converted(raw, schemas)


def _converted(raw: Any, schemas: dict[str, Any]) -> Any:
    if isinstance(raw, list):
        return [_converted(each, schemas) for each in raw]
    if not isinstance(raw, Mapping):
        return raw
    if isinstance(raw.get("$ref"), str):
        name = raw["$ref"].removeprefix("#/$defs/")
        _collect(name, definitions()[name], schemas)
        rest = {key: value for key, value in raw.items() if key != "$ref"}
        return {**rest, "allOf": [{"$ref": _PREFIX + name}]}
    result = {key: _converted_part(key, value, schemas) for key, value in raw.items()}
    kind = result.get("type")
    if isinstance(kind, list):
        result["type"] = next(each for each in kind if each != "null")
    return result


def _converted_part(key: str, value: Any, schemas: dict[str, Any]) -> Any:
    """Under ``properties`` stand fields' names, and some are called like a keyword: a schema's own has a `$ref`."""
    if key == "properties":
        return {name: _converted(field, schemas) for name, field in value.items()}
    return value if key in _VALUES else _converted(value, schemas)
