"""Pods that meet the restricted level and take tenants' words as words, whatever was asked."""

from typing import Any

import pytest
from hypothesis import given, settings

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.defaults import DEFAULT_RUNTIMES
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.modelsource import ModelSource, model_source
from aiop.controllers.serving.pod.template import pod_spec
from aiop.controllers.serving.settings import ServingSettings
from support.podsecurity import violations
from support.servingspecs import HOSTILE, runtime_spec, runtime_specs, workload_spec, workload_specs

STORE = "pvc://models"
FETCHER = "fetcher:1"
SETTINGS = ServingSettings(fetch_image=FETCHER)


def pod_of(workload: AIWorkloadSpec, runtime: ServingRuntimeSpec, store: str = STORE) -> dict[str, Any]:
    return pod_spec("w", workload, runtime, model_source(workload, runtime, store), SETTINGS)


def default_pod(runtime: str, **fields: Any) -> dict[str, Any]:
    return pod_of(
        workload_spec({"modelName": "m", "framework": "x", **fields}), runtime_spec(DEFAULT_RUNTIMES[runtime])
    )


def server(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["containers"]
    found: dict[str, Any] = container
    return found


def env_of(pod: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in server(pod)["env"]}


@pytest.mark.security(11, 20)
@given(workload_specs, runtime_specs)
def test_every_pod_meets_the_restricted_level(workload: AIWorkloadSpec, runtime: ServingRuntimeSpec) -> None:
    assert violations(pod_of(workload, runtime)) == []


@pytest.mark.security(7, 11, 20)
@given(workload_specs, runtime_specs)
def test_no_pod_carries_a_token_or_a_service_account_that_was_not_named(
    workload: AIWorkloadSpec, runtime: ServingRuntimeSpec
) -> None:
    pod = pod_of(workload, runtime)
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod.get("serviceAccountName") == workload.service_account_name


@pytest.mark.security(11)
@given(workload_specs, runtime_specs)
@settings(max_examples=50)
def test_a_pod_holds_only_allowed_fields(workload: AIWorkloadSpec, runtime: ServingRuntimeSpec) -> None:
    assert set(pod_of(workload, runtime)) <= {
        "automountServiceAccountToken", "enableServiceLinks", "terminationGracePeriodSeconds", "securityContext",
        "containers", "initContainers", "volumes", "tolerations", "nodeSelector", "priorityClassName", "affinity",
        "topologySpreadConstraints", "serviceAccountName", "imagePullSecrets",
    }  # fmt: skip


@given(workload_specs, runtime_specs)
def test_every_mount_has_its_volume_and_nothing_is_mounted_twice(
    workload: AIWorkloadSpec, runtime: ServingRuntimeSpec
) -> None:
    pod = pod_of(workload, runtime)
    volumes = [volume["name"] for volume in pod["volumes"]]
    assert len(set(volumes)) == len(volumes)
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        assert {mount["name"] for mount in container["volumeMounts"]} <= set(volumes)
        places = [mount["mountPath"] for mount in container["volumeMounts"]]
        assert len(set(places)) == len(places)


@pytest.mark.security(22)
@pytest.mark.parametrize("words", HOSTILE)
def test_arguments_and_commands_arrive_word_for_word_and_never_meet_a_shell(words: str) -> None:
    container = server(default_pod("custom", image="own:1", command=[words], args=[words]))
    assert container["command"] == [words]
    assert container["args"] == [words]


@pytest.mark.security(22)
def test_what_comes_from_fields_is_no_reference_to_a_variable() -> None:
    workload = workload_spec({"modelName": "m", "framework": "x"})
    runtime = runtime_spec(DEFAULT_RUNTIMES["triton"])
    source = ModelSource(uri="s3://$(HOME)/$$(HOME)/$x", path="/m")
    uri = env_of(pod_spec("w", workload, runtime, source, SETTINGS))["AIOP_MODEL_URI"]
    assert uri == "s3://$$(HOME)/$$$$(HOME)/$$x"  # Kubernetes turns $$ into $ and expands nothing else here


def test_a_variable_of_the_users_takes_the_place_of_the_runtimes() -> None:
    pod = default_pod("mlserver-sklearn", env=[{"name": "MLSERVER_HTTP_PORT", "value": "9999"}])
    names = [each["name"] for each in server(pod)["env"]]
    assert names.count("MLSERVER_HTTP_PORT") == 1
    assert env_of(pod)["MLSERVER_HTTP_PORT"] == "9999"


def test_a_gpu_brings_the_toleration_of_its_taint() -> None:
    toleration = {"key": "nvidia.com/gpu", "operator": "Exists"}
    for resource in ("nvidia.com/gpu", "nvidia.com/mig-1g.5gb"):
        assert toleration in default_pod("triton", resources={"limits": {resource: 1}})["tolerations"]
    assert default_pod("triton", resources={"limits": {"cpu": 1}})["tolerations"] == []


def test_an_amount_may_be_a_number_or_a_text() -> None:
    assert server(default_pod("triton", resources={"limits": {"nvidia.com/gpu": 1, "cpu": "2"}}))["resources"] == {
        "limits": {"cpu": "2", "nvidia.com/gpu": "1"}
    }


def test_pods_leave_the_endpoints_before_their_server_is_told_to_end() -> None:
    pod = default_pod("triton")
    pause = server(pod)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 0 < pause < pod["terminationGracePeriodSeconds"]


@pytest.mark.security(20)
def test_the_root_file_system_is_read_only_but_for_what_the_runtime_names() -> None:
    pod = default_pod("vllm")
    assert server(pod)["securityContext"]["readOnlyRootFilesystem"] is True
    empty = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
    places = {mount["mountPath"] for mount in server(pod)["volumeMounts"] if mount["name"] in empty}
    assert places == {"/home/vllm", "/tmp", "/dev/shm"}  # noqa: S108 - paths in a container
    assert env_of(pod)["HOME"] == "/home/vllm"


def test_a_claim_is_mounted_read_only_where_the_model_lies_in_it() -> None:
    pod = default_pod("triton", modelName="owner/bert", modelVersion="v1")
    assert {"name": "model", "persistentVolumeClaim": {"claimName": "models", "readOnly": True}} in pod["volumes"]
    (mount,) = (mount for mount in server(pod)["volumeMounts"] if mount["name"] == "model")
    assert mount == {"name": "model", "mountPath": "/mnt/models/bert", "readOnly": True, "subPath": "owner/bert/v1"}


def test_the_fetcher_may_use_the_servers_memory_but_not_its_gpu() -> None:
    amounts = {"limits": {"memory": "64Gi", "nvidia.com/gpu": 1}}
    pod = default_pod("triton", modelUri="s3://bucket/model", resources=amounts)
    for fetcher in pod["initContainers"]:
        assert fetcher["resources"] == {"limits": {"memory": "64Gi"}}
        assert fetcher["image"] == FETCHER


def test_own_probes_replace_the_runtimes_one_by_one() -> None:
    container = server(default_pod("triton", probes={"readiness": {"path": "/mine"}}))
    assert container["readinessProbe"]["httpGet"]["path"] == "/mine"
    assert container["livenessProbe"]["httpGet"]["path"] == "/v2/health/live"


def test_a_server_without_a_word_about_readiness_must_at_least_listen() -> None:
    assert server(default_pod("custom", image="own:1"))["readinessProbe"]["tcpSocket"] == {"port": "http"}


def test_the_first_port_serves_under_one_name_in_every_revision() -> None:
    pod = default_pod(
        "custom", image="own:1", ports=[{"name": "web", "containerPort": 9}, {"name": "m", "containerPort": 8}]
    )
    assert [port["name"] for port in server(pod)["ports"]] == ["http", "m"]


def test_a_runtime_without_an_image_asks_for_one() -> None:
    with pytest.raises(NotAccepted, match=r"spec\.image") as refused:
        default_pod("custom", modelUri="pvc://m/x")
    assert refused.value.reason == "NoImage"


def test_what_the_server_says_last_reaches_the_condition() -> None:
    pod = default_pod("triton", modelUri="s3://b/m")
    for container in [*pod["containers"], *pod["initContainers"]]:
        assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"
