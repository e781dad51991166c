"""What the server can write, its shared memory, and where its model lies."""

from typing import Any

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.modelsource import ModelSource

MODEL_VOLUME = "model"
_TEMPORARY = "/tmp"  # noqa: S108 - a path inside the container
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a path inside the container


def writable_mounts(runtime: ServingRuntimeSpec) -> list[dict[str, Any]]:
    """Home, /tmp and what else the runtime writes; the root file system is read-only."""
    return [{"name": _name(number), "mountPath": path} for number, path in enumerate(_writable(runtime))]


def mounts(runtime: ServingRuntimeSpec, source: ModelSource) -> list[dict[str, Any]]:
    """The server's mounts; the model is read-only."""
    result = writable_mounts(runtime)
    if runtime.shared_memory:
        result.append({"name": "shared-memory", "mountPath": _SHARED_MEMORY})
    if source.folder:
        mount: dict[str, Any] = {"name": MODEL_VOLUME, "mountPath": source.folder, "readOnly": True}
        result.append(mount | ({"subPath": source.sub_path} if source.sub_path else {}))
    return result


def volumes(spec: AIWorkloadSpec, runtime: ServingRuntimeSpec, source: ModelSource) -> list[dict[str, Any]]:
    """The pod's volumes: a claim for a model that lies in one, else room for what is fetched."""
    result: list[dict[str, Any]] = [
        {"name": _name(number), "emptyDir": {}} for number in range(len(_writable(runtime)))
    ]
    if runtime.shared_memory:
        memory = spec.resources.limits.get("memory")
        size = {"sizeLimit": memory} if memory else {}
        result.append({"name": "shared-memory", "emptyDir": {"medium": "Memory", **size}})
    if source.claim:
        claim = {"claimName": source.claim, "readOnly": True}
        result.append({"name": MODEL_VOLUME, "persistentVolumeClaim": claim})
    elif source.folder:
        result.append({"name": MODEL_VOLUME, "emptyDir": {}})
    return result


def _writable(runtime: ServingRuntimeSpec) -> list[str]:
    return list(dict.fromkeys([runtime.home, _TEMPORARY, *runtime.writable_paths]))


def _name(number: int) -> str:
    return f"writable-{number}"
