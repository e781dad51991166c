"""Nonsense from a tenant: refused by the schema with the field named, and harmless where it is not."""

import json
from typing import Any

import pytest

from support.kubectl import Kubectl, eventually
from support.workloads import conditions, wait_for, workload

STRANGE = ["$(rm -rf /)", "a'b", 'a"b', "ünïcode", "line\nline", "{{ .Values }}", "../../etc/passwd", "a b", ""]
# By the schema: nothing of it comes to exist, so any namespace will do.
refused_by_schema = pytest.mark.usefixtures("installed")
TEXT_FIELDS = [
    "modelName",
    "modelVersion",
    "framework",
    "modelUri",
    "runtime",
    "image",
    "inferenceEndpoint",
    "priorityClassName",
]


@refused_by_schema
@pytest.mark.security(12)
@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"replicas": -1}, "spec.replicas"),
        ({"replicas": "two"}, "spec.replicas"),
        ({"modelName": "x" * 1024 * 1024}, "spec.modelName"),
        ({"modelName": 7}, "spec.modelName"),
        ({"modelUri": "file:///etc/passwd"}, "spec.modelUri"),
        ({"modelUri": "https://user:password@registry.example/model"}, "spec.modelUri"),
        ({"modelUri": "pvc://models/../../etc"}, "modelUri must not contain '..'"),
        ({"modelUri": "pvc://../other"}, "spec.modelUri"),
        ({"modelUri": "pvc:///etc"}, "spec.modelUri"),
        ({"modelUri": "pvc://other-team:models/iris"}, "spec.modelUri"),
        ({"inferenceEndpoint": "no-slash"}, "spec.inferenceEndpoint"),
        ({"inferenceEndpoint": "/api/../admin"}, "inferenceEndpoint must be a plain path"),
        ({"inferenceEndpoint": "/api/%2e%2e/admin"}, "spec.inferenceEndpoint"),
        ({"inferenceEndpoint": "/api?model=other"}, "spec.inferenceEndpoint"),
        ({"inferenceEndpoint": "/api#part"}, "spec.inferenceEndpoint"),
        ({"inferenceEndpoint": "/an api"}, "spec.inferenceEndpoint"),
        ({"inferenceEndpoint": "/prédire"}, "spec.inferenceEndpoint"),
        ({"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 2}}, "minReplicas"),
        ({"resources": {"limits": {"cpu": "lots"}}}, "spec.resources.limits"),
        ({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}, "spec.env[1]"),
        ({"ports": [{"name": "web", "containerPort": 70000}]}, "spec.ports[0].containerPort"),
        ({"framework": None}, "name a framework"),
        ({"tolerations": [{"operator": "Sometimes"}]}, "spec.tolerations[0].operator"),
    ],
)
def test_a_bad_value_is_refused_with_its_field(admin: Kubectl, spec: dict[str, Any], field: str) -> None:
    assert field in admin.refusal("create", "-f", "-", stdin=_text(workload(**spec)))


@refused_by_schema
def test_an_unknown_field_is_refused_by_kubectls_default(admin: Kubectl) -> None:
    assert 'unknown field "spec.modleName"' in admin.refusal("apply", "-f", "-", stdin=_text(workload(modleName="x")))


@refused_by_schema
@pytest.mark.parametrize("name", ["1-begins-with-a-digit", "a" * 64, "has.dots"])
def test_a_name_that_no_service_could_have_is_refused(admin: Kubectl, name: str) -> None:
    assert "metadata.name" in admin.refusal("create", "-f", "-", stdin=_text(workload(name)))


@refused_by_schema
@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_strange_text_is_refused_in_every_field_that_names_something(admin: Kubectl, field: str) -> None:
    for text in STRANGE:
        refusal = admin.refusal("create", "-f", "-", stdin=_text(workload(**{field: text})))
        assert f"spec.{field}" in refusal, (text, refusal)


@pytest.mark.security(22)
def test_strange_text_reaches_the_server_as_text_where_text_is_allowed(kubectl: Kubectl) -> None:
    strange = [text for text in STRANGE if text]
    kubectl.apply(
        workload(args=strange, env=[{"name": f"V{number}", "value": text} for number, text in enumerate(strange)])
    )
    wait_for(kubectl, "Ready", "True")
    (pod,) = kubectl.items("pods")
    container = pod["spec"]["containers"][0]
    assert container["args"][-len(strange) :] == strange
    values = {each["name"]: each.get("value", "") for each in container["env"]}
    assert [values[f"V{number}"] for number in range(len(strange))] == strange


def test_a_serving_manifest_edited_into_nonsense_goes_on_serving_and_hurts_no_other(kubectl: Kubectl) -> None:
    kubectl.apply(workload("good"))
    kubectl.apply(workload("other"))
    wait_for(kubectl, "Ready", "True", name="good")
    wait_for(kubectl, "Ready", "True", name="other")
    pods = {pod["metadata"]["uid"] for pod in kubectl.items("pods")}
    kubectl.apply(workload("good", runtime="no-such-runtime"))
    refused = wait_for(kubectl, "Accepted", "False", name="good")
    assert "no-such-runtime" in refused["message"]
    assert conditions(kubectl, "good")["Available"]["status"] == "True"
    kubectl.apply(workload("other", replicas=2))
    eventually(lambda: kubectl.get("aiworkload", "other")["status"]["readyReplicas"] == 2)
    assert pods <= {pod["metadata"]["uid"] for pod in kubectl.items("pods")}


def _text(manifest: dict[str, Any]) -> str:
    return json.dumps(manifest)
