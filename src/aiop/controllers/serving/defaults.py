"""The ServingRuntimes that the operator brings along.

Images, ports, arguments and probes are those of each server's own documentation. An administrator may change or
disable any of them; one that was changed is never overwritten.
"""

from collections.abc import Mapping
from typing import Any

# Loading a large model may take this many probes of two seconds: half an hour. A small one is ready within two of them.
_SLOW_START = 900
_TEMPORARY = "/tmp"  # noqa: S108 - a path inside the container
_V2_ROUTE = "/v2/models/{model}/infer"


def _probes(ready: str, live: str) -> dict[str, Any]:
    return {
        "readiness": {"path": ready, "periodSeconds": 5},
        "liveness": {"path": live, "periodSeconds": 10},
        "startup": {"path": ready, "periodSeconds": 2, "failureThreshold": _SLOW_START},
    }


def _mlserver(framework: str, implementation: str) -> dict[str, Any]:
    return {
        "frameworks": [{"name": framework}],
        "image": "seldonio/mlserver:1.7.1",
        "env": [
            {"name": "MLSERVER_MODEL_NAME", "value": "$(AIOP_MODEL_ID)"},
            {"name": "MLSERVER_MODEL_URI", "value": "$(AIOP_MODEL_PATH)"},
            {"name": "MLSERVER_MODEL_IMPLEMENTATION", "value": implementation},
            {"name": "MLSERVER_HTTP_PORT", "value": "8080"},
            {"name": "MLSERVER_GRPC_PORT", "value": "8081"},
            # Its own choice for both is the image's folder, and the root file system is read-only.
            {"name": "MLSERVER_METRICS_DIR", "value": f"{_TEMPORARY}/mlserver/metrics"},
            {"name": "MLSERVER_ENVIRONMENTS_DIR", "value": f"{_TEMPORARY}/mlserver/environments"},
        ],
        "ports": [
            {"name": "http", "containerPort": 8080},
            {"name": "grpc", "containerPort": 8081},
            {"name": "metrics", "containerPort": 8082},
        ],
        "protocol": "V2",
        "model": {"mode": "Mount"},
        "route": _V2_ROUTE,
        "metrics": {"port": "metrics"},
        "probes": _probes("/v2/models/{model}/ready", "/v2/health/live"),
        "runAsUser": 1000,
    }


DEFAULT_RUNTIMES: Mapping[str, Mapping[str, Any]] = {
    "triton": {
        "frameworks": [
            {"name": "ONNX", "priority": 1},
            {"name": "PyTorch", "priority": 1},
            {"name": "TensorFlow", "priority": 1},
        ],
        "image": "nvcr.io/nvidia/tritonserver:24.12-py3",
        "command": ["tritonserver"],
        "args": ["--model-repository=/mnt/models", "--http-port=8000", "--grpc-port=8001", "--metrics-port=8002"],
        "ports": [
            {"name": "http", "containerPort": 8000},
            {"name": "grpc", "containerPort": 8001},
            {"name": "metrics", "containerPort": 8002},
        ],
        "protocol": "V2",
        "model": {"mode": "Mount"},
        "route": _V2_ROUTE,
        "metrics": {"port": "metrics"},
        "probes": _probes("/v2/health/ready", "/v2/health/live"),
        "runAsUser": 1000,
        "sharedMemory": True,
    },
    "tensorflow-serving": {
        "frameworks": [{"name": "TensorFlow", "priority": 2}],
        "image": "tensorflow/serving:2.18.0",
        "command": ["/usr/bin/tensorflow_model_server"],
        "args": [
            "--model_name=$(AIOP_MODEL_ID)",
            "--model_base_path=$(AIOP_MODEL_PATH)",
            "--rest_api_port=8501",
            "--port=8500",
        ],
        "ports": [{"name": "http", "containerPort": 8501}, {"name": "grpc", "containerPort": 8500}],
        "protocol": "V1",
        "model": {"mode": "Mount"},
        "route": "/v1/models/{model}:predict",
        "probes": _probes("/v1/models/{model}", "/v1/models/{model}"),
        "runAsUser": 1000,
    },
    "mlserver-sklearn": _mlserver("sklearn", "mlserver_sklearn.SKLearnModel"),
    "mlserver-xgboost": _mlserver("XGBoost", "mlserver_xgboost.XGBoostModel"),
    "mlserver-lightgbm": _mlserver("LightGBM", "mlserver_lightgbm.LightGBMModel"),
    "mlserver-mlflow": _mlserver("MLflow", "mlserver_mlflow.MLflowRuntime"),
    "vllm": {
        "frameworks": [{"name": "HuggingFace"}, {"name": "vLLM"}],
        "image": "vllm/vllm-openai:v0.11.0",
        "command": ["python3", "-m", "vllm.entrypoints.openai.api_server"],
        "args": ["--model=$(AIOP_MODEL_PATH)", "--served-model-name=$(AIOP_MODEL_NAME)", "--port=8000"],
        "ports": [{"name": "http", "containerPort": 8000}],
        "protocol": "OpenAI",
        "model": {"mode": "Name", "schemes": ["hf"]},
        "route": "/v1/chat/completions",
        "metrics": {},
        "probes": _probes("/v1/models", "/health"),
        "runAsUser": 1000,
        "home": "/home/vllm",
        "sharedMemory": True,
    },
    "custom": {
        "ports": [{"name": "http", "containerPort": 8080}],
        "protocol": "Custom",
        "model": {"mode": "Mount"},
        "readOnlyRootFilesystem": False,
    },
}
