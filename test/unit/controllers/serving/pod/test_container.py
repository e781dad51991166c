"""The server's container and those that fetch: environment, probes, resources, credentials."""

from typing import Any

import pytest

from aiop.controllers.serving.defaults import DEFAULT_RUNTIMES
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.modelsource import model_source
from aiop.controllers.serving.pod.template import pod_spec
from aiop.controllers.serving.settings import ServingSettings
from support.servingspecs import runtime_spec, workload_spec

SETTINGS = ServingSettings(model_store="pvc://models", mlflow_tracking_uri="http://mlflow.ml.svc:5000")
CREDENTIALS: dict[str, Any] = {"credentials": {"secretName": "storage"}}
FROM_SECRET = {"secretRef": {"name": "storage"}}


def pod(runtime: str = "triton", settings: ServingSettings = SETTINGS, **fields: Any) -> dict[str, Any]:
    spec = workload_spec({"modelName": "m", "framework": "ONNX", **fields})
    served = runtime_spec(DEFAULT_RUNTIMES[runtime])
    return pod_spec("w", spec, served, model_source(spec, served, settings.model_store), settings)


def server(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = pod(**fields)["containers"][0]
    return found


@pytest.mark.security(3, 27)
def test_a_variable_out_of_a_secret_is_a_reference_and_never_a_value() -> None:
    source = {"secretKeyRef": {"name": "api", "key": "token"}}
    env = server(env=[{"name": "TOKEN", "valueFrom": source}])["env"]
    assert {"name": "TOKEN", "valueFrom": source} in env


def test_whole_secrets_and_config_maps_become_variables() -> None:
    given = [{"secretRef": {"name": "a"}, "prefix": "A_"}, {"configMapRef": {"name": "b", "optional": True}}]
    assert server(envFrom=given)["envFrom"] == given


def test_credentials_reach_the_containers_that_fetch_and_not_the_server() -> None:
    whole = pod(modelUri="s3://bucket/m", **CREDENTIALS)
    assert [each["envFrom"] for each in whole["initContainers"]] == [[FROM_SECRET], [FROM_SECRET]]
    assert "envFrom" not in whole["containers"][0]


def test_a_server_that_fetches_by_itself_gets_the_credentials() -> None:
    whole = pod("vllm", modelUri="hf://owner/model", **CREDENTIALS)
    assert "initContainers" not in whole
    assert whole["containers"][0]["envFrom"] == [FROM_SECRET]


def test_a_model_in_a_claim_needs_no_credentials() -> None:
    assert "envFrom" not in pod(**CREDENTIALS)["containers"][0]


def test_a_model_is_measured_and_then_fetched() -> None:
    first, second = pod(modelUri="gs://bucket/m")["initContainers"]
    assert (first["name"], first["args"]) == ("measure-model", ["measure", "gs://bucket/m", "/mnt/models/m"])
    assert (second["name"], second["args"]) == ("fetch-model", ["fetch", "gs://bucket/m", "/mnt/models/m"])
    assert first["securityContext"]["readOnlyRootFilesystem"] is True


def test_a_revision_of_a_hub_is_fetched_since_a_server_does_not_know_it() -> None:
    assert [each["args"][1] for each in pod("vllm", modelUri="hf://owner/model@v2")["initContainers"]] == [
        "hf://owner/model@v2"
    ] * 2


def test_the_registry_is_the_administrators_and_is_told_to_models_out_of_it_alone() -> None:
    registry = {"name": "MLFLOW_TRACKING_URI", "value": "http://mlflow.ml.svc:5000"}
    assert registry in pod(modelUri="models:/m@champion")["initContainers"][0]["env"]
    assert registry not in pod(modelUri="s3://bucket/m")["initContainers"][0]["env"]


def test_an_administrator_may_set_what_fetching_may_use() -> None:
    settings = ServingSettings(fetch_resources={"limits": {"memory": "1Gi"}})
    for fetcher in pod(settings=settings, modelUri="s3://b/m", resources={"limits": {"memory": "9Gi"}})[
        "initContainers"
    ]:
        assert fetcher["resources"] == {"limits": {"memory": "1Gi"}}


@pytest.mark.parametrize(
    ("probe", "handler"),
    [
        ({"path": "/{model}/ok"}, {"httpGet": {"path": "/m/ok", "port": "http"}}),
        ({"path": "/ok", "port": "metrics"}, {"httpGet": {"path": "/ok", "port": "metrics"}}),
        ({"type": "TCP", "port": "grpc"}, {"tcpSocket": {"port": "grpc"}}),
        ({"type": "GRPC", "port": "grpc"}, {"grpc": {"port": 8001}}),
        ({"type": "GRPC", "port": "grpc", "service": "x"}, {"grpc": {"port": 8001, "service": "x"}}),
        ({"type": "Exec", "command": ["test", "-e", "/ok"]}, {"exec": {"command": ["test", "-e", "/ok"]}}),
    ],
)
def test_a_server_can_be_asked_in_four_ways(probe: dict[str, Any], handler: dict[str, Any]) -> None:
    made = server(probes={"readiness": {**probe, "initialDelaySeconds": 7}})["readinessProbe"]
    assert made == {
        **handler,
        "initialDelaySeconds": 7,
        "periodSeconds": 10,
        "timeoutSeconds": 3,
        "failureThreshold": 3,
    }


def test_a_probe_of_a_port_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(NotAccepted, match="http, grpc, metrics") as refused:
        pod(probes={"liveness": {"type": "TCP", "port": "admin"}})
    assert refused.value.reason == "UnknownPort"


def test_a_kind_of_gpu_without_a_number_is_one() -> None:
    assert server(gpu={"product": ["L4"]})["resources"] == {"limits": {"nvidia.com/gpu": "1"}}
    assert server(gpu={"mig": "1g.10gb"})["resources"] == {"limits": {"nvidia.com/mig-1g.10gb": "1"}}
    two = {"limits": {"nvidia.com/gpu": "2"}}
    assert server(gpu={"memory": "24Gi"}, resources=two)["resources"] == two


def test_a_slice_and_a_whole_gpu_exclude_each_other() -> None:
    with pytest.raises(NotAccepted, match=r"nvidia\.com/gpu") as refused:
        pod(gpu={"mig": "1g.10gb"}, resources={"limits": {"nvidia.com/gpu": 1}})
    assert refused.value.reason == "ConflictingGpu"


@pytest.mark.security(7, 20)
def test_a_service_account_is_for_a_clouds_identity_and_mounts_no_token() -> None:
    whole = pod(serviceAccountName="reader", imagePullSecrets=[{"name": "registry"}])
    assert whole["serviceAccountName"] == "reader"
    assert whole["automountServiceAccountToken"] is False
    assert whole["imagePullSecrets"] == [{"name": "registry"}]
