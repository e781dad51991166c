"""Every child that can be planned, against the published schemas of the oldest and the newest Kubernetes."""

from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import msgspec
import pytest
from hypothesis import given, settings

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.controllers.serving.children.autoscaler import autoscaler
from aiop.controllers.serving.children.disruption import disruption_budget
from aiop.controllers.serving.children.revision import (
    controller_revision,
    deployment,
    revision_service,
    stable_service,
)
from aiop.controllers.serving.names import pod_selector, revision_name
from aiop.controllers.serving.revision import KnownRevision, target_revision
from aiop.controllers.serving.scaling.plan import scaling_plan
from aiop.controllers.serving.settings import ServingSettings
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.children import Child
from support.servingspecs import workload_spec, workload_specs
from support.servingworld import BERT, default_runtimes

VERSIONS = ("1.34", "1.37")
KEY = ObjectKey("team", "bert")


def revision_of(spec: AIWorkloadSpec) -> KnownRevision:
    found = target_revision("bert", spec, [], default_runtimes(), ServingSettings(model_store="s3://bucket"))
    return KnownRevision(found.hash, 1, found.data, found.asked)


def children_of(spec: AIWorkloadSpec) -> Iterator[Child]:
    revision = revision_of(spec)
    yield controller_revision(KEY, revision)
    yield deployment(KEY, revision, 2, deadline=600)
    yield deployment(KEY, revision, None, deadline=600)
    yield revision_service(KEY, revision)
    yield stable_service(KEY, revision, pod_selector(KEY.name))
    yield disruption_budget(KEY, pod_selector(KEY.name))
    scaling = scaling_plan(spec, ServingSettings())
    if scaling is not None and scaling.active:
        yield autoscaler(KEY, scaling, revision_name(KEY.name, revision.hash))


def whole(child: Child) -> dict[str, Any]:
    """As it is sent: plain JSON, with kind and name."""
    head = {"apiVersion": child.resource.api_version, "kind": child.resource.kind}
    metadata = {**child.body["metadata"], "name": child.key.name, "namespace": child.key.namespace}
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode({**head, **child.body, "metadata": metadata}))
    return found


@pytest.mark.parametrize("version", VERSIONS)
@given(spec=workload_specs)
@settings(max_examples=40)
def test_every_child_is_valid_in_the_oldest_and_the_newest_kubernetes(version: str, spec: AIWorkloadSpec) -> None:
    for child in children_of(spec):
        kubernetes_validate.validate(whole(child), version, strict=True)


@pytest.mark.security(1, 10)
@given(workload_specs)
@settings(max_examples=40)
def test_every_child_is_in_the_workloads_own_namespace_and_labelled(spec: AIWorkloadSpec) -> None:
    for child in children_of(spec):
        assert child.key.namespace == KEY.namespace
        assert "namespace" not in child.body["metadata"]
        assert child.body["metadata"]["labels"]["geartickler.com/aiworkload"] == KEY.name


def test_a_deployment_selects_its_own_pods_and_the_stable_service_all() -> None:
    revision = revision_of(workload_spec(BERT))
    made = deployment(KEY, revision, 1, deadline=600).body["spec"]
    labels = made["template"]["metadata"]["labels"]
    assert made["selector"]["matchLabels"].items() <= labels.items()
    assert revision_service(KEY, revision).body["spec"]["selector"].items() <= labels.items()
    stable = stable_service(KEY, revision, pod_selector(KEY.name)).body["spec"]["selector"]
    assert stable == {"geartickler.com/aiworkload": "bert"}


def test_a_count_that_is_another_managers_is_left_out() -> None:
    revision = revision_of(workload_spec(BERT))
    assert "replicas" not in deployment(KEY, revision, None, deadline=600).body["spec"]
    assert deployment(KEY, revision, 0, deadline=600).body["spec"]["replicas"] == 0


def test_the_service_answers_on_80_and_keeps_the_other_ports() -> None:
    ports = stable_service(KEY, revision_of(workload_spec(BERT)), {}).body["spec"]["ports"]
    assert [(port["name"], port["port"], port["targetPort"]) for port in ports] == [
        ("http", 80, "http"),
        ("grpc", 8001, "grpc"),
        ("metrics", 8002, "metrics"),
    ]


def test_a_second_port_of_80_is_not_in_the_services_way() -> None:
    own = [{"name": "a", "containerPort": 8080}, {"name": "b", "containerPort": 80}]
    spec = workload_spec({"modelName": "m", "image": "own:1", "ports": own})
    ports = stable_service(KEY, revision_of(spec), {}).body["spec"]["ports"]
    assert [port["port"] for port in ports] == [80]


def test_a_drain_takes_one_server_at_a_time_and_is_never_held_up_for_ever() -> None:
    assert disruption_budget(KEY, {"a": "b"}).body["spec"]["maxUnavailable"] == 1
