"""Every field that a view reads is one that Kubernetes has: a misspelt one would silently keep its default for ever."""

import json
import types
import typing
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from aiop.runtime.views import meta, owned, workloads

SCHEMAS = ["v1.34.0-local", "v1.37.0-local"]
VIEWS: dict[type[msgspec.Struct], str] = {
    workloads.Pod: "io.k8s.api.core.v1.Pod",
    workloads._WireManaged: "io.k8s.api.core.v1.Pod",
    workloads.Node: "io.k8s.api.core.v1.Node",
    workloads.ReplicaSet: "io.k8s.api.apps.v1.ReplicaSet",
    workloads.EndpointSlice: "io.k8s.api.discovery.v1.EndpointSlice",
    owned.DeploymentStatus: "io.k8s.api.apps.v1.DeploymentStatus",
    owned.IngressStatus: "io.k8s.api.networking.v1.IngressStatus",
    owned.AutoscalerStatus: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus",
    owned._WireMeta: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
    meta.ObjectMeta: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
}
# Found in managedFields, and not by this name.
DERIVED = frozenset({"Pod.resized_at"})


@cache
def definitions(schema: str) -> dict[str, Any]:
    path = files("kubernetes_validate") / "kubernetes-json-schema" / schema / "_definitions.json"
    published = json.loads(path.read_text())
    found: dict[str, Any] = published.get("$defs") or published["definitions"]
    return found


def resolved(schema: str, node: dict[str, Any]) -> dict[str, Any]:
    """The definition behind a property: through references, allOf and lists."""
    if "$ref" in node:
        return resolved(schema, definitions(schema)[node["$ref"].rpartition("/")[2]])
    if "allOf" in node:
        return resolved(schema, node["allOf"][0])
    return resolved(schema, node["items"]) if "items" in node else node


def structs_in(annotation: Any) -> list[type[msgspec.Struct]]:
    """The structs that a field's type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return [annotation]
    arguments = typing.get_args(annotation) if typing.get_origin(annotation) in {tuple, types.UnionType} else ()
    return [found for argument in arguments for found in structs_in(argument)]


def unknown_fields(schema: str, view: type[msgspec.Struct], node: dict[str, Any], path: str) -> list[str]:
    definition = resolved(schema, node)
    if "additionalProperties" in definition:
        return []  # a map: a view reads the keys that it knows, as cpu and memory of amounts
    properties = definition.get("properties", {})
    unknown = []
    for field in msgspec.structs.fields(view):
        here = f"{path}.{field.encode_name}"
        if here in DERIVED:
            continue
        if field.encode_name not in properties:
            unknown.append(here)
            continue
        for inner in structs_in(field.type):
            unknown += unknown_fields(schema, inner, properties[field.encode_name], here)
    return unknown


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_a_view_reads_only_fields_that_kubernetes_has(schema: str, view: type[msgspec.Struct]) -> None:
    assert unknown_fields(schema, view, definitions(schema)[VIEWS[view]], view.__name__) == []


def test_a_misspelt_field_is_found() -> None:
    wrong = msgspec.defstruct("Wrong", [("podIp", str)])
    schema = SCHEMAS[-1]
    assert unknown_fields(schema, wrong, definitions(schema)["io.k8s.api.core.v1.PodStatus"], "Pod") == ["Pod.podIp"]
