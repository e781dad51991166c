"""Defaulting, pruning and validation."""

from typing import Any

import pytest

from contract.api.widgets import COLLECTION, config_map, deployment, widget
from support.raw_api import RawAPI


def widgets(namespace: str) -> str:
    return COLLECTION.format(namespace=namespace)


async def test_defaults_are_filled_in_at_every_depth(api: RawAPI, namespace: str) -> None:
    answer = await api.post(widgets(namespace), widget())
    assert answer.body["spec"] == {"size": 1, "colour": "red", "options": {"fast": True}}


async def test_unknown_fields_are_pruned_with_a_warning(api: RawAPI, namespace: str) -> None:
    answer = await api.post(widgets(namespace), widget(shape="round"), fieldValidation="Warn")
    assert "shape" not in answer.body["spec"]
    assert 'unknown field \\"spec.shape\\"' in answer.headers["Warning"]


async def test_unknown_fields_are_refused_when_strict(api: RawAPI, namespace: str) -> None:
    answer = await api.post(widgets(namespace), widget(shape="round"), fieldValidation="Strict")
    assert answer.status == 400
    assert 'strict decoding error: unknown field "spec.shape"' in answer.body["message"]


async def test_unknown_fields_of_a_built_in_kind_are_refused_when_strict(api: RawAPI, namespace: str) -> None:
    body = deployment(replicaz=1)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    answer = await api.post(path, body, fieldValidation="Strict")
    assert answer.status == 400
    assert 'unknown field "spec.replicaz"' in answer.body["message"]


async def test_free_form_fields_keep_what_they_get(api: RawAPI, namespace: str) -> None:
    answer = await api.post(widgets(namespace), widget(free={"any": {"thing": 1}}))
    assert answer.body["spec"]["free"] == {"any": {"thing": 1}}


async def test_an_integer_or_a_string_will_do(api: RawAPI, namespace: str) -> None:
    first = await api.post(widgets(namespace), widget("one", port=80))
    second = await api.post(widgets(namespace), widget("two", port="http"))
    refused = await api.post(widgets(namespace), widget("three", port=[80]))
    assert (first.body["spec"]["port"], second.body["spec"]["port"], refused.status) == (80, "http", 422)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"size": -1}, "spec.size"),
        ({"size": 101}, "spec.size"),
        ({"size": "much"}, "spec.size"),
        ({"colour": "blue"}, "spec.colour"),
        ({"word": "Upper"}, "spec.word"),
        ({"word": "toolong"}, "spec.word"),
        ({"parts": [{"count": 1}]}, "spec.parts[0].name"),
        ({"parts": [{"name": "a"}, {"name": "a"}]}, "spec.parts[1]"),
        ({"parts": [{"name": name} for name in "abcd"]}, "spec.parts"),
        ({"tags": ["a", "a"]}, "spec.tags[1]"),
    ],
)
async def test_a_bad_value_is_refused_with_its_field(
    api: RawAPI, namespace: str, spec: dict[str, Any], field: str
) -> None:
    answer = await api.post(widgets(namespace), widget(**spec))
    assert (answer.status, answer.body["reason"]) == (422, "Invalid")
    assert field in {cause["field"] for cause in answer.body["details"]["causes"]}
    assert field in answer.body["message"]


async def test_a_missing_required_field_is_named(api: RawAPI, namespace: str) -> None:
    body = widget()
    del body["spec"]["size"]
    answer = await api.post(widgets(namespace), body)
    assert answer.status == 422
    assert answer.body["message"].startswith(
        'Widget.contract.example.com "one" is invalid: [spec.size: Required value, <nil>: Invalid value: null: '
        "some validation rules were not checked"
    )


async def test_rules_between_fields_hold(api: RawAPI, namespace: str) -> None:
    good = await api.post(widgets(namespace), widget("one", low=1, high=2))
    bad = await api.post(widgets(namespace), widget("two", low=3, high=2))
    assert (good.status, bad.status) == (201, 422)
    assert "low must not be above high" in bad.body["message"]


async def test_a_bad_name_is_refused(api: RawAPI, namespace: str) -> None:
    answer = await api.post(f"/api/v1/namespaces/{namespace}/configmaps", config_map("Not_A_Name"))
    assert answer.status == 422
    assert "metadata.name" in answer.body["message"]


async def test_built_in_kinds_get_their_defaults(api: RawAPI, namespace: str) -> None:
    answer = await api.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment())
    spec = answer.body["spec"]
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)
    container = spec["template"]["spec"]["containers"][0]
    assert container["terminationMessagePath"] == "/dev/termination-log"
    assert container["imagePullPolicy"] == "IfNotPresent"
    pod = spec["template"]["spec"]
    assert (pod["restartPolicy"], pod["dnsPolicy"]) == ("Always", "ClusterFirst")


async def test_a_service_gets_its_defaults(api: RawAPI, namespace: str) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    spec = (await api.post(f"/api/v1/namespaces/{namespace}/services", body)).body["spec"]
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert (spec["type"], spec["sessionAffinity"]) == ("ClusterIP", "None")
    assert spec["clusterIPs"] == [spec["clusterIP"]]


async def test_a_built_in_kind_is_validated(api: RawAPI, namespace: str) -> None:
    body = deployment(replicas=-1)
    answer = await api.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", body)
    assert answer.status == 422
    assert "spec.replicas" in answer.body["message"]
