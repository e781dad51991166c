from typing import Any

import pytest
from hypothesis import given

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.defaults import DEFAULT_RUNTIMES
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.modelsource import ModelSource, model_source
from support.servingspecs import runtime_spec, runtime_specs, workload_spec, workload_specs


def source_of(runtime: str, store: str = "", **fields: Any) -> ModelSource:
    workload = workload_spec({"modelName": "owner/bert", "modelVersion": "v1", "framework": "x", **fields})
    return model_source(workload, runtime_spec(DEFAULT_RUNTIMES[runtime]), store)


def test_a_uri_goes_before_every_store() -> None:
    assert source_of("triton", "pvc://models", modelUri="s3://bucket/x").uri == "s3://bucket/x"


def test_a_store_is_followed_by_name_and_version() -> None:
    assert source_of("triton", "s3://bucket/prefix/").uri == "s3://bucket/prefix/owner/bert/v1"


def test_a_version_that_is_not_given_leaves_no_trace_in_the_path() -> None:
    workload = workload_spec({"modelName": "bert", "framework": "ONNX"})
    runtime = runtime_spec(DEFAULT_RUNTIMES["triton"])
    assert model_source(workload, runtime, "pvc://models").uri == "pvc://models/bert"


def test_the_runtimes_store_goes_before_the_operators() -> None:
    runtime = runtime_spec({**DEFAULT_RUNTIMES["triton"], "modelStore": "gs://theirs"})
    workload = workload_spec({"modelName": "bert", "framework": "ONNX"})
    assert model_source(workload, runtime, "pvc://ours").uri == "gs://theirs/bert"


def test_a_runtime_that_loads_by_name_takes_the_name() -> None:
    assert source_of("vllm") == ModelSource(uri="owner/bert", path="owner/bert")


def test_an_image_of_ones_own_takes_the_name() -> None:
    assert source_of("custom", image="own:1") == ModelSource(uri="owner/bert", path="owner/bert")


def test_without_any_source_the_refusal_says_what_to_set() -> None:
    with pytest.raises(NotAccepted, match=r"modelUri.*modelStore.*models\.store") as refused:
        source_of("triton")
    assert refused.value.reason == "NoModelSource"
    assert "'owner/bert'" in refused.value.message


def test_a_hub_model_is_named_for_a_server_that_reads_the_hub_and_fetched_for_one_that_does_not() -> None:
    assert source_of("vllm", modelUri="hf://owner/llama").path == "owner/llama"
    fetched = source_of("triton", modelUri="hf://owner/llama")
    assert fetched.fetch == "hf://owner/llama"
    assert fetched.path == fetched.folder == "/mnt/models/bert"


def test_a_claim_is_split_from_the_path_in_it() -> None:
    found = source_of("triton", modelUri="pvc://claim/a/b/")
    assert (found.claim, found.sub_path, found.fetch) == ("claim", "a/b", "")
    assert source_of("triton", modelUri="pvc://claim").sub_path == ""


@given(workload_specs, runtime_specs)
def test_a_source_is_mounted_or_fetched_or_neither(workload: AIWorkloadSpec, runtime: ServingRuntimeSpec) -> None:
    found = model_source(workload, runtime, "pvc://models")
    assert not (found.claim and found.fetch)
    assert bool(found.folder) == bool(found.claim or found.fetch)
    assert found.uri
    assert found.path
