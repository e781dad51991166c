from typing import Any

import pytest

from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.runtimeselection import select_runtime
from support.servingspecs import runtime_spec, workload_spec
from support.servingworld import default_runtimes


def selected(runtimes: dict[str, ServingRuntimeSpec], **fields: Any) -> str:
    return select_runtime(workload_spec({"modelName": "m", **fields}), runtimes)[0]


def runtime(priority: int = 0, *, disabled: bool = False, framework: str = "ONNX") -> ServingRuntimeSpec:
    return runtime_spec(
        {
            "frameworks": [{"name": framework, "priority": priority}],
            "ports": [{"name": "http", "containerPort": 1}],
            "model": {"mode": "Mount"},
            "disabled": disabled,
        }
    )


@pytest.mark.parametrize(
    ("framework", "expected"),
    [
        ("ONNX", "triton"),
        ("onnx", "triton"),
        ("PyTorch", "triton"),
        ("TENSORFLOW", "tensorflow-serving"),
        ("sklearn", "mlserver-sklearn"),
        ("SKLearn", "mlserver-sklearn"),
        ("xgboost", "mlserver-xgboost"),
        ("LightGBM", "mlserver-lightgbm"),
        ("mlflow", "mlserver-mlflow"),
        ("huggingface", "vllm"),
    ],
)
def test_the_default_runtimes_serve_every_framework_whatever_the_case(framework: str, expected: str) -> None:
    assert selected(default_runtimes(), framework=framework) == expected


def test_a_named_runtime_goes_before_the_framework() -> None:
    assert selected(default_runtimes(), framework="TensorFlow", runtime="triton") == "triton"


def test_an_image_of_ones_own_is_served_by_the_custom_runtime() -> None:
    assert selected(default_runtimes(), framework="ONNX", image="own:1") == "custom"


def test_the_highest_priority_wins_and_then_the_newest() -> None:
    newest_first = {"newest": runtime(), "b": runtime(1), "a": runtime(1), "c": runtime()}
    assert selected(newest_first, framework="ONNX") == "b"


def test_a_disabled_runtime_is_taken_neither_by_framework_nor_by_name() -> None:
    runtimes = {"off": runtime(9, disabled=True), "on": runtime()}
    assert selected(runtimes, framework="ONNX") == "on"
    with pytest.raises(NotAccepted, match="disabled"):
        selected(runtimes, runtime="off")


def test_a_framework_that_nobody_serves_is_named_together_with_all_that_exist() -> None:
    with pytest.raises(NotAccepted) as refused:
        selected({"a": runtime(), "b": runtime(framework="JAX")}, framework="Fortran")
    assert refused.value.reason == "NoServingRuntime"
    assert "'Fortran'" in refused.value.message
    assert "a (ONNX); b (JAX)" in refused.value.message


def test_a_cluster_without_runtimes_is_said_to_have_none() -> None:
    with pytest.raises(NotAccepted, match="no ServingRuntime at all"):
        selected({}, framework="ONNX")


def test_a_named_runtime_that_does_not_exist_is_named() -> None:
    with pytest.raises(NotAccepted, match=r"'nowhere'.*none of that name"):
        selected(default_runtimes(), runtime="nowhere")
