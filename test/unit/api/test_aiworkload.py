"""What people may type, and what comes of it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from pydantic import ValidationError

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.common import QUANTITY_PATTERN
from aiop.api.servingruntime import ServingRuntimeSpec

SAMPLES = Path(__file__).parents[3] / "manifests" / "samples"
LEAST: dict[str, Any] = {"modelName": "m", "framework": "ONNX"}


def typed(**fields: Any) -> AIWorkloadSpec:
    """As aiop's own tools read a person's file: unknown keys are refused."""
    return AIWorkloadSpec.model_validate_json(msgspec.json.encode({**LEAST, **fields}), extra="forbid")


def test_the_bert_manifest_is_read_to_the_letter() -> None:
    manifest = yaml.safe_load((SAMPLES / "aiworkload-bert.yaml").read_text())
    spec = AIWorkloadSpec.model_validate(manifest["spec"], extra="forbid")
    assert spec.model_name == "bert-base-uncased"
    assert spec.model_version == "v1.0.0"
    assert spec.resources.limits == {"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": "1"}
    assert spec.autoscaling is not None
    assert spec.autoscaling.target_gpu_utilization == 80
    assert spec.model_dump(by_alias=True, exclude_unset=True, mode="json") == manifest["spec"]


def test_a_name_and_a_framework_are_enough() -> None:
    spec = typed()
    assert (spec.replicas, spec.update_policy, spec.autoscaling) == (1, "Pinned", None)


@pytest.mark.parametrize(
    "spec", [{"inventedLater": 1}, {"resources": {"later": {}}}, {"autoscaling": {"enabled": True, "later": 2}}]
)
def test_unknown_keys_are_tolerated_in_stored_objects_and_refused_in_typed_ones(spec: dict[str, Any]) -> None:
    stored = AIWorkloadSpec.model_validate_json(msgspec.json.encode({**LEAST, **spec}))
    assert stored.model_name == "m"
    with pytest.raises(ValidationError, match="Extra inputs"):
        typed(**spec)


@pytest.mark.parametrize("amount", [1, "1", "500m", "4Gi", "1.5", "1e3", "12E", 0])
def test_an_amount_is_a_number_or_a_text(amount: Any) -> None:
    assert typed(resources={"limits": {"cpu": amount}}).resources.limits == {"cpu": str(amount)}


@pytest.mark.parametrize("amount", [-1, "-1", "", "a lot", "1 Gi", "1Gib", True, 1.5, None, "$(X)", "9" * 65, [1]])
def test_an_amount_that_is_none_is_refused(amount: Any) -> None:
    with pytest.raises(ValidationError, match="limits"):
        typed(resources={"limits": {"cpu": amount}})


@pytest.mark.security(2, 12, 13, 27)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("modelName", ""),
        ("modelName", "owner/"),
        ("modelName", "/etc/passwd"),
        ("modelName", "../up"),
        ("modelName", "a b"),
        ("modelName", "$(HOME)"),
        ("modelName", "模型"),
        ("modelName", "x" * 254),
        ("modelVersion", "-v1"),
        ("modelVersion", "v1/../.."),
        ("framework", "ON NX"),
        ("modelUri", "file:///etc/passwd"),
        ("modelUri", "/etc/passwd"),
        ("modelUri", "ftp://host/model"),
        ("modelUri", "models:/name"),
        ("modelUri", "models:/name/latest"),
        ("modelUri", "https://user:password@host/model"),
        ("modelUri", "https://host/model?token=secret"),
        ("modelUri", "s3://key:secret@bucket/model"),
        ("modelUri", "s3://bucket/$(SECRET)"),
        ("modelUri", "http://169.254.169.254/"),
        ("runtime", "Other/Namespace"),
        ("image", "-x"),
        ("image", "a b"),
        ("replicas", -1),
        ("replicas", 1001),
        ("replicas", "2"),
        ("replicas", 1.5),
        ("inferenceEndpoint", "predict"),
        ("inferenceEndpoint", "/a b"),
        ("inferenceEndpoint", "/$(X)"),
        ("inferenceEndpoint", "/a%zz"),
        ("priorityClassName", "System Critical"),
        ("updatePolicy", "Sometimes"),
        ("args", ["x" * 4097]),
        ("args", ["x"] * 129),
        ("args", "one"),
        ("env", [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "other/s", "key": "k"}}}]),
        ("env", [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "namespace": "other"}}}]),
        ("env", [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations"}}}]),
        ("envFrom", [{"secretRef": {"name": "../s"}}]),
        ("credentials", {"secretName": "other/s"}),
        ("imagePullSecrets", [{"name": ""}]),
        ("gpu", {"mig": "7"}),
        ("gpu", {"product": [""]}),
        ("gateway", {"name": "a", "namespace": "Other"}),
        ("rollout", {"strategy": "Canary"}),
        ("rollout", {"progressDeadlineSeconds": 1}),
        ("affinity", {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"namespaces": ["x"]}]}}),
        ("versions", [{"name": "v1", "command": ["sh"]}]),
        ("terminationGracePeriodSeconds", 1),
        ("env", [{"name": "a b"}]),
        ("ports", [{"name": "HTTP", "containerPort": 1}]),
        ("ports", [{"name": "a--b", "containerPort": 1}]),
        ("ports", [{"name": "http", "containerPort": 0}]),
        ("ports", [{"name": "http", "containerPort": 1, "hostPort": 1}]),
        ("probes", {"readiness": {"path": "no-slash"}}),
        ("probes", {"readiness": {"path": "/", "httpHeaders": []}}),
        ("probes", {"readiness": {"path": "/", "host": "169.254.169.254"}}),
        ("autoscaling", {"minReplicas": 0}),
        ("autoscaling", {"targetGPUUtilization": 101}),
        ("tolerations", [{"operator": "Perhaps"}]),
        ("ingress", {"host": "UPPER.example"}),
        ("ingress", {"tlsSecretName": "other/secret"}),
        ("serviceAccountName", "other/admin"),
        ("hostNetwork", True),
        ("volumes", [{"name": "x", "hostPath": {"path": "/"}}]),
    ],
)
def test_what_makes_no_sense_or_reaches_too_far_is_refused_by_field(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=field):
        typed(**{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("modelName", "owner/Model_1.0-x"),
        ("modelUri", "pvc://claim/a/b"),
        ("modelUri", "hf://owner/model"),
        ("modelUri", "hf://owner/model@main"),
        ("modelUri", "oci://registry.example:5000/models/bert:1@sha256:" + "0" * 64),
        ("modelUri", "azure://account/container/path"),
        ("modelUri", "models:/bert@champion"),
        ("modelUri", "models:/bert/3"),
        ("env", [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]),
        ("modelUri", "https://host:8443/a.tar?no".removesuffix("?no")),
        ("image", "registry.example:5000/a/b@sha256:" + "0" * 64),
        ("inferenceEndpoint", "/"),
        ("ingress", {"host": "*.example.com"}),
        ("args", ["$(AIOP_MODEL_PATH)", 'a "quoted" line\nand another', "ünïcödé"]),
        ("replicas", 0),
    ],
)
def test_what_makes_sense_is_taken(field: str, value: Any) -> None:
    assert typed(**{field: value}).model_dump(by_alias=True, mode="json", exclude_unset=True)[field] == value


def test_a_spec_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        typed().replicas = 3  # type: ignore[misc]  # that it cannot is the point


def test_the_pattern_of_an_amount_admits_no_sign() -> None:
    assert QUANTITY_PATTERN.startswith(r"^(\.")


def test_a_runtime_needs_a_port_and_a_way_to_get_the_model() -> None:
    with pytest.raises(ValidationError) as refused:
        ServingRuntimeSpec.model_validate({})
    assert {fault["loc"][0] for fault in refused.value.errors()} == {"ports", "model"}
