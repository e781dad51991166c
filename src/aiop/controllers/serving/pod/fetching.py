"""The two containers that bring a model before the server starts: one measures it, the other fetches it.

Two, so that the size is known (it stands in the first one's termination message) while the second one is at work.
"""

from typing import Any

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.modelsource import ModelSource
from aiop.controllers.serving.pod.environment import secret_variables
from aiop.controllers.serving.pod.resources import resources
from aiop.controllers.serving.pod.security import CONTAINER_SECURITY
from aiop.controllers.serving.pod.volumes import MODEL_VOLUME, writable_mounts
from aiop.controllers.serving.settings import ServingSettings

MEASURE = "measure-model"
FETCH = "fetch-model"
_REGISTRY = "models:/"


def fetchers(
    spec: AIWorkloadSpec, runtime: ServingRuntimeSpec, source: ModelSource, settings: ServingSettings
) -> list[dict[str, Any]]:
    """The init containers, in order; none if the model is mounted or fetched by the server itself."""
    if not source.fetch:
        return []
    common = {
        "image": settings.fetch_image,
        "env": _environment(runtime, source, settings),
        "resources": dict(settings.fetch_resources) or _as_the_server(spec),
        "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": MODEL_VOLUME, "mountPath": source.folder}, *writable_mounts(runtime)],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    if spec.credentials is not None:
        common["envFrom"] = [secret_variables(spec.credentials.secret_name)]
    return [
        {"name": name, "args": [task, source.fetch, source.folder], **common}
        for name, task in ((MEASURE, "measure"), (FETCH, "fetch"))
    ]


def _environment(runtime: ServingRuntimeSpec, source: ModelSource, settings: ServingSettings) -> list[dict[str, str]]:
    variables = [{"name": "HOME", "value": runtime.home}]
    if source.fetch.startswith(_REGISTRY) and settings.mlflow_tracking_uri:
        variables.append({"name": "MLFLOW_TRACKING_URI", "value": settings.mlflow_tracking_uri})
    return variables


def _as_the_server(spec: AIWorkloadSpec) -> dict[str, dict[str, str]]:
    """What the server may use, GPUs aside: init containers run before it, so this costs the pod nothing more."""
    return {
        kind: {name: amount for name, amount in values.items() if "/" not in name}
        for kind, values in resources(spec).items()
    }
