"""What a tenant can say at all: no other namespace, no raw objects, nothing of nodes, nothing of internal kinds."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from aiop.api.crd import custom_resource_definitions

# Kinds that people write. One that only the operator writes needs roles that keep people out.
PEOPLES = {"AIWorkload", "ServingRuntime"}
# Fields that name an object of the workload's own namespace, or a cluster-scoped one.
NAMING = {
    "AIWorkload: spec.runtime",
    "AIWorkload: spec.versions[].runtime",
    "AIWorkload: spec.serviceAccountName",
    "AIWorkload: spec.priorityClassName",
    "AIWorkload: spec.credentials.secretName",
    "AIWorkload: spec.imagePullSecrets[].name",
    "AIWorkload: spec.env[].valueFrom.secretKeyRef.name",
    "AIWorkload: spec.env[].valueFrom.configMapKeyRef.name",
    "AIWorkload: spec.versions[].env[].valueFrom.secretKeyRef.name",
    "AIWorkload: spec.versions[].env[].valueFrom.configMapKeyRef.name",
    "AIWorkload: spec.envFrom[].secretRef.name",
    "AIWorkload: spec.envFrom[].configMapRef.name",
    "AIWorkload: spec.ingress.className",
    "AIWorkload: spec.ingress.tlsSecretName",
    "AIWorkload: spec.gateway.name",
    "AIWorkload: spec.gateway.namespace",
    "AIWorkload: spec.gateway.sectionName",
}
ELSEWHERE = (
    "team-b/secret",
    "team-b.secret/x",
    "../secret",
    "/secret",
    "team-b\\secret",
    "TEAM-B",
    "a:b",
    "$(NAME)",
    "",
)


def every_schema() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each part of every kind's spec with its path; a list's items are `[]`."""
    for definition in custom_resource_definitions():
        kind = definition["spec"]["names"]["kind"]
        for version in definition["spec"]["versions"]:
            schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
            yield from ((f"{kind}: {path}", found) for path, found in inner("spec", schema))


def inner(path: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from inner(f"{path}.{name}", child)
    if "items" in schema:
        yield from inner(f"{path}[]", schema["items"])


SCHEMAS = dict(every_schema())


@pytest.mark.security(2, 3)
@pytest.mark.parametrize("path", sorted(NAMING))
def test_a_field_that_names_an_object_takes_no_path_and_no_namespace(path: str) -> None:
    pattern = SCHEMAS[path]["pattern"]
    for name in ELSEWHERE:
        assert re.search(pattern, name) is None, name
    assert re.search(pattern, "team-a")


@pytest.mark.security(2)
def test_no_field_that_names_an_object_is_forgotten_above() -> None:
    """Such a field is known by its pattern, which is that of an object's name."""
    patterns = {SCHEMAS[path]["pattern"] for path in NAMING}
    found = {path for path, schema in SCHEMAS.items() if schema.get("pattern") in patterns}
    assert found == NAMING


@pytest.mark.security(9)
def test_no_field_takes_an_object_as_it_comes() -> None:
    raw = {"x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"}
    assert [path for path, schema in SCHEMAS.items() if raw & set(schema)] == []


@pytest.mark.security(31)
def test_no_field_is_of_a_nodes_making() -> None:
    makings = ("nodeclass", "nodepool", "userdata", "instanceprofile", "instancetype", "provider", "role")
    found = [path for path in SCHEMAS if path.rpartition(".")[2].lower().startswith(makings)]
    assert found == []


@pytest.mark.security(14)
def test_every_kind_is_one_that_people_write() -> None:
    """A kind that only the operator writes may be in no role of people, and counts only with our owner's UID."""
    assert {each["spec"]["names"]["kind"] for each in custom_resource_definitions()} == PEOPLES
