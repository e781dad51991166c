"""The CRDs: structural, bounded, described, and with rules that say what to do."""

import json
from collections.abc import Iterator
from typing import Any

import cel
import kubernetes_validate
import pytest

from aiop.api.crd import custom_resource_definition, custom_resource_definitions
from aiop.api.resources import KINDS

DEFINITIONS = {each["spec"]["names"]["kind"]: each for each in custom_resource_definitions()}
BERT: dict[str, Any] = {"modelName": "m", "framework": "ONNX"}


def schema_of(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = DEFINITIONS[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def walk(schema: dict[str, Any], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield where, schema
    for name, child in schema.get("properties", {}).items():
        yield from walk(child, f"{where}.{name}")
    for word in ("items", "additionalProperties"):
        if word in schema:
            yield from walk(schema[word], f"{where}[]")


def spec_fields(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from walk(schema_of(kind)["properties"]["spec"], f"{kind}.spec")


ALL = [field for kind in DEFINITIONS for field in spec_fields(kind)]


@pytest.mark.parametrize("version", ["1.34", "1.37"])
@pytest.mark.parametrize("kind", DEFINITIONS)
def test_a_definition_is_valid_in_the_oldest_and_the_newest_kubernetes(kind: str, version: str) -> None:
    kubernetes_validate.validate(DEFINITIONS[kind], version, strict=True)


@pytest.mark.parametrize(("where", "schema"), [each for kind in DEFINITIONS for each in walk(schema_of(kind), kind)])
def test_every_part_is_structural(where: str, schema: dict[str, Any]) -> None:
    assert not set(schema) & {"$ref", "anyOf", "oneOf", "allOf", "title", "$defs", "definitions", "const"}
    assert "type" in schema or schema.get("x-kubernetes-int-or-string")
    assert not ("properties" in schema and "additionalProperties" in schema)


@pytest.mark.security(24)
@pytest.mark.parametrize(("where", "schema"), ALL)
def test_every_part_of_a_spec_is_bounded(where: str, schema: dict[str, Any]) -> None:
    if schema.get("type") == "string":
        assert "maxLength" in schema or "enum" in schema, where
    if schema.get("type") == "integer":
        assert {"minimum", "maximum"} <= set(schema), where
    if schema.get("type") == "array":
        assert "maxItems" in schema, where
    if "additionalProperties" in schema:
        assert "maxProperties" in schema, where


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_every_field_is_described(kind: str) -> None:
    properties = schema_of(kind)["properties"]
    for part in ("spec", "status"):
        for where, schema in walk(properties.get(part, {}), f"{kind}.{part}"):
            for name, child in schema.get("properties", {}).items():
                assert child.get("description", "").endswith("."), f"{where}.{name}"


# A Gateway's owner says by allowedRoutes whose routes it takes; the other fields name the workload's own outside.
OUTSIDE = {
    "AIWorkload.spec.gateway.namespace",
    "AIWorkload.spec.gateway.hostnames",
    "AIWorkload.spec.gateway.hostnames[]",
    "AIWorkload.spec.ingress.host",
}


@pytest.mark.security(1, 11)
@pytest.mark.parametrize(("where", "schema"), [each for each in ALL if each[0] not in OUTSIDE])
def test_no_field_names_another_namespace_or_a_way_out_of_the_pod(where: str, schema: dict[str, Any]) -> None:
    name = where.rpartition(".")[2].lower()
    assert "namespace" not in name
    assert not name.startswith("host")
    assert name not in {"securitycontext", "privileged", "volumes", "hostpath", "automountserviceaccounttoken"}


def test_lists_with_names_are_maps_by_name() -> None:
    found = {where.partition(".")[2] for where, schema in ALL if schema.get("x-kubernetes-list-type") == "map"}
    assert {"spec.env", "spec.ports", "spec.frameworks"} <= found


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_a_definition_is_small_enough_for_a_client_side_apply(kind: str) -> None:
    assert len(json.dumps(DEFINITIONS[kind])) < 200 * 1024


def test_kinds_have_their_names_and_the_category() -> None:
    names = {kind: each["spec"]["names"] for kind, each in DEFINITIONS.items()}
    assert names["AIWorkload"]["shortNames"] == ["aiw"]
    assert names["ServingRuntime"]["shortNames"] == ["srt"]
    assert all(each["categories"] == ["geartickler"] for each in names.values())
    assert {kind: each["spec"]["scope"] for kind, each in DEFINITIONS.items()} == {
        "AIWorkload": "Namespaced",
        "ServingRuntime": "Cluster",
    }


def test_the_scale_subresource_leads_to_replicas_and_selector() -> None:
    assert DEFINITIONS["AIWorkload"]["spec"]["versions"][0]["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }


def test_the_columns_answer_whether_it_is_fine_and_if_not_why() -> None:
    columns = DEFINITIONS["AIWorkload"]["spec"]["versions"][0]["additionalPrinterColumns"]
    assert [column["name"] for column in columns] == [
        "Ready", "Reason", "Version", "Replicas", "URL", "Message", "Age",
    ]  # fmt: skip


def test_a_definition_comes_out_the_same_each_time() -> None:
    assert [custom_resource_definition(kind) for kind in KINDS] == custom_resource_definitions()


def broken_rules(value: Any, schema: dict[str, Any]) -> list[str]:
    """The messages of the CEL rules that ``value`` breaks, at every depth."""
    found = [
        str(rule["message"])
        for rule in schema.get("x-kubernetes-validations", ())
        if cel.evaluate(rule["rule"], {"self": value}) is not True
    ]
    for name, child in schema.get("properties", {}).items():
        if isinstance(value, dict) and name in value:
            found += broken_rules(value[name], child)
    for item in value if isinstance(value, list) else ():
        found += broken_rules(item, schema["items"])
    return found


def rules_of(**fields: Any) -> list[str]:
    spec = {name: value for name, value in {**BERT, **fields}.items() if value is not None}
    return broken_rules(spec, schema_of("AIWorkload")["properties"]["spec"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"framework": None}, "name a framework"),
        ({"command": ["x"]}, "set image or runtime too"),
        ({"autoscaling": {"minReplicas": 5, "maxReplicas": 2}}, "lower minReplicas or raise maxReplicas"),
        ({"ingress": {"host": "a.example"}}, "set inferenceEndpoint"),
        ({"modelName": "a..b"}, "modelName must not contain '..'"),
        ({"modelVersion": "a..b"}, "modelVersion must not contain '..'"),
        ({"modelUri": "pvc://claim/../other"}, "modelUri must not contain '..'"),
        ({"inferenceEndpoint": "/a//b"}, "inferenceEndpoint must be a plain path"),
        ({"inferenceEndpoint": "/a/../b"}, "inferenceEndpoint must be a plain path"),
        ({"inferenceEndpoint": "/a/.."}, "inferenceEndpoint must be a plain path"),
        ({"inferenceEndpoint": "/a%2Fb"}, "inferenceEndpoint must be a plain path"),
        ({"ports": [{"name": "a", "containerPort": 1}, {"name": "http", "containerPort": 2}]}, "named http first"),
        ({"ports": [{"name": "a", "containerPort": 1}, {"name": "b", "containerPort": 1}]}, "same containerPort"),
        ({"tolerations": [{"operator": "Equal"}]}, "set operator to Exists"),
        ({"tolerations": [{"operator": "Exists", "key": "a", "value": "b"}]}, "set operator to Equal"),
        ({"tolerations": [{"operator": "Exists", "tolerationSeconds": 3}]}, "set effect to NoExecute"),
    ],
)
def test_fields_that_contradict_each_other_are_refused_with_the_fix(fields: dict[str, Any], words: str) -> None:
    (message,) = rules_of(**fields)
    assert words in message


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"framework": None, "image": "own:1", "command": ["x"]},
        {"framework": None, "runtime": "triton"},
        {"autoscaling": {"minReplicas": 2, "maxReplicas": 2}},
        {"ingress": {"host": "a.example"}, "inferenceEndpoint": "/.well-known/x"},
        {"ports": [{"name": "http", "containerPort": 1}, {"name": "b", "containerPort": 2}]},
        {"ports": []},
        {"tolerations": [{"operator": "Exists"}, {"operator": "Equal", "key": "a", "value": "b"}]},
        {"tolerations": [{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3}]},
    ],
)
def test_fields_that_agree_break_no_rule(fields: dict[str, Any]) -> None:
    assert rules_of(**fields) == []


@pytest.mark.parametrize(("name", "good"), [("bert-2", True), ("a" * 63, True), ("a" * 64, False), ("2b", False)])
def test_the_name_fits_a_service(name: str, good: bool) -> None:
    (rule,) = schema_of("AIWorkload")["x-kubernetes-validations"]
    assert cel.evaluate(rule["rule"], {"self": {"metadata": {"name": name}}}) is good
