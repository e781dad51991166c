"""Every child that can be planned, against the published schemas of the oldest and the newest Kubernetes."""

from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import msgspec
import pytest
from hypothesis import given, settings

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.controllers.serving.children.autoscaler import autoscaler, scaling_plan
from aiop.controllers.serving.children.disruption import disruption_budget
from aiop.controllers.serving.children.exposure import ingress
from aiop.controllers.serving.children.revision import (
    controller_revision,
    deployment,
    revision_service,
    stable_service,
)
from aiop.controllers.serving.names import pod_selector, revision_name
from aiop.controllers.serving.revision import KnownRevision, target_revision
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
    yield deployment(KEY, revision, 2)
    yield deployment(KEY, revision, None)
    yield revision_service(KEY, revision)
    yield stable_service(KEY, revision, pod_selector(KEY.name))
    yield disruption_budget(KEY, pod_selector(KEY.name))
    exposure, scaling = ingress(KEY, spec), scaling_plan(spec)
    if exposure is not None:
        yield exposure
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


@given(workload_specs)
@settings(max_examples=40)
def test_every_child_is_in_the_workloads_own_namespace_and_labelled(spec: AIWorkloadSpec) -> None:
    for child in children_of(spec):
        assert child.key.namespace == KEY.namespace
        assert "namespace" not in child.body["metadata"]
        assert child.body["metadata"]["labels"]["geartickler.com/aiworkload"] == KEY.name


def test_a_deployment_selects_its_own_pods_and_the_stable_service_all() -> None:
    revision = revision_of(workload_spec(BERT))
    made = deployment(KEY, revision, 1).body["spec"]
    labels = made["template"]["metadata"]["labels"]
    assert made["selector"]["matchLabels"].items() <= labels.items()
    assert revision_service(KEY, revision).body["spec"]["selector"].items() <= labels.items()
    stable = stable_service(KEY, revision, pod_selector(KEY.name)).body["spec"]["selector"]
    assert stable == {"geartickler.com/aiworkload": "bert"}


def test_a_count_that_is_another_managers_is_left_out() -> None:
    revision = revision_of(workload_spec(BERT))
    assert "replicas" not in deployment(KEY, revision, None).body["spec"]
    assert deployment(KEY, revision, 0).body["spec"]["replicas"] == 0


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


def test_the_ingress_leads_to_the_stable_service_by_prefix() -> None:
    spec = workload_spec({**BERT, "ingress": {"host": "a.example", "className": "nginx", "tlsSecretName": "cert"}})
    exposure = ingress(KEY, spec)
    assert exposure is not None
    made = exposure.body["spec"]
    (path,) = made["rules"][0]["http"]["paths"]
    assert (path["path"], path["pathType"]) == ("/api/v1/predict", "Prefix")
    assert path["backend"]["service"] == {"name": "bert", "port": {"name": "http"}}
    assert (made["rules"][0]["host"], made["ingressClassName"]) == ("a.example", "nginx")
    assert made["tls"] == [{"secretName": "cert", "hosts": ["a.example"]}]


def test_without_an_endpoint_there_is_no_ingress() -> None:
    assert ingress(KEY, workload_spec({"modelName": "m", "framework": "ONNX"})) is None


def test_a_drain_takes_one_server_at_a_time_and_is_never_held_up_for_ever() -> None:
    assert disruption_budget(KEY, {"a": "b"}).body["spec"]["maxUnavailable"] == 1


def scaling(resources: Any = None, **fields: Any) -> Any:
    raw = {**BERT, "autoscaling": {"enabled": True, **fields}}
    if resources is not None:
        raw["resources"] = resources
    return scaling_plan(workload_spec(raw))


def test_autoscaling_that_is_off_comes_to_nothing() -> None:
    assert scaling_plan(workload_spec(BERT)) is None
    assert scaling_plan(workload_spec({**BERT, "autoscaling": {"enabled": False}})) is None


def test_a_gpu_target_is_left_out_and_said_so() -> None:
    found = scaling(targetCPUUtilization=75, targetGPUUtilization=80)
    assert found.cpu == 75
    assert any("targetGPUUtilization 80 is left out" in note for note in found.notes)


def test_a_cpu_target_without_a_cpu_request_is_left_out_and_the_fix_named() -> None:
    found = scaling({"limits": {"memory": 1}}, targetCPUUtilization=75)
    assert not found.active
    assert any("resources.requests.cpu" in note for note in found.notes)


def test_no_target_at_all_means_kubernetes_own_default() -> None:
    assert scaling().cpu == 80


def test_a_gpu_target_alone_scales_by_nothing() -> None:
    assert not scaling(targetGPUUtilization=80).active


def test_replicas_outside_the_bounds_are_said_to_be_only_a_beginning() -> None:
    assert any("spec.replicas 2" in note for note in scaling(minReplicas=3, maxReplicas=4).notes)
    assert scaling(minReplicas=1, maxReplicas=4).notes == ()


def test_an_autoscaler_holds_only_metrics_that_can_be_read() -> None:
    plan = scaling(targetCPUUtilization=75, targetGPUUtilization=80, minReplicas=2, maxReplicas=5)
    made = autoscaler(KEY, plan, "bert-1").body["spec"]
    assert [metric["resource"]["name"] for metric in made["metrics"]] == ["cpu"]
    assert made["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "bert-1"}
