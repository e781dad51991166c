"""Who names a Secret or a ServiceAccount is asked for the right to it: no field may be forgotten."""

from pathlib import Path
from typing import Any

import pytest

from aiop.api.crd import custom_resource_definitions
from hack.generated.chart import rendered_chart
from support.references import ACCOUNT, naming, references_in_schemas

ROOT = Path(__file__).parents[2]


def objects(kind: str, *settings: str) -> list[Any]:
    return [each for each in rendered_chart(ROOT, *settings) if each["kind"] == kind]


def policy(*settings: str, name: str = "aiop-references") -> Any:
    (found,) = [each for each in objects("ValidatingAdmissionPolicy", *settings) if each["metadata"]["name"] == name]
    return found


def bindings(*settings: str) -> dict[str, list[str]]:
    """What becomes of a request that a policy refuses, by the policy's name."""
    found = objects("ValidatingAdmissionPolicyBinding", *settings)
    return {each["spec"]["policyName"]: each["spec"]["validationActions"] for each in found}


def variable(name: str) -> str:
    (found,) = [each["expression"] for each in policy()["spec"]["variables"] if each["name"] == name]
    return str(found)


@pytest.mark.security(3, 4)
def test_each_field_that_names_a_secret_or_a_serviceaccount_is_tried_on_the_real_server() -> None:
    """`test/e2e/security` tries the table; a field that is not in it would be checked by nobody."""
    assert references_in_schemas() == {*naming("x"), ACCOUNT}


@pytest.mark.security(4)
def test_the_policy_speaks_of_each_of_these_fields() -> None:
    words = str(policy())
    for path in references_in_schemas():
        last = path.rpartition(".")[2].removesuffix("[]")
        assert last in words, path


@pytest.mark.security(4)
def test_the_policy_is_of_creation_and_change_and_of_no_subresource() -> None:
    (rule,) = policy()["spec"]["matchConstraints"]["resourceRules"]
    assert (rule["resources"], sorted(rule["operations"])) == (["aiworkloads"], ["CREATE", "UPDATE"])
    assert policy()["spec"]["failurePolicy"] == "Fail"
    (version,) = rule["apiVersions"]
    served = [each for each in custom_resource_definitions() if each["spec"]["names"]["plural"] == "aiworkloads"]
    assert [each["name"] for each in served[0]["spec"]["versions"]] == [version]


@pytest.mark.security(4)
def test_what_counts_as_harmless_is_in_the_schema_and_names_nothing() -> None:
    (definition,) = [each for each in custom_resource_definitions() if each["spec"]["names"]["kind"] == "AIWorkload"]
    fields = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    harmless = {word for word in variable("harmless").split("'") if word.isalpha()}
    assert len(harmless) > 5
    assert harmless <= fields.keys()
    naming_fields = {path.split(".")[1].removesuffix("[]") for path in references_in_schemas()}
    assert not harmless & naming_fields
    assert not harmless & {"image", "command", "args", "probes", "modelUri", "modelName", "runtime", "framework"}


def test_the_policies_deny_unless_told_otherwise_and_there_are_none_where_none_are_wanted() -> None:
    names = {each["metadata"]["name"] for each in objects("ValidatingAdmissionPolicy")}
    assert names == {"aiop-references", "aiop-records"}
    assert bindings() == {name: ["Deny"] for name in names}
    assert bindings("--set", "admissionPolicy.action=Warn") == {name: ["Warn"] for name in names}
    for kind in ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"):
        assert objects(kind, "--set", "admissionPolicy.create=false") == []


@pytest.mark.parametrize("name", ["aiop-references", "aiop-records"])
def test_with_a_list_of_namespaces_a_policy_is_of_these(name: str) -> None:
    selector = policy("--set", "watchNamespaces={a,b}", name=name)["spec"]["matchConstraints"]["namespaceSelector"]
    assert selector["matchExpressions"] == [
        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["a", "b"]}
    ]
    assert "namespaceSelector" not in policy(name=name)["spec"]["matchConstraints"]
