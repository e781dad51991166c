"""The fully resolved PodSpec of a revision: it meets the restricted Pod Security Standard, whatever was asked."""

from collections.abc import Iterable, Sequence
from typing import Any

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.common import ContainerPort, EnvVar, Probe, Probes
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.modelsource import ModelSource

CONTAINER = "server"
SERVING_PORT = "http"
# Endpoints are told of a pod's end at the same moment as its server; proxies need a little longer to hear of it.
_LEAVE_SECONDS = 5
# Five to leave, the rest for requests under way: model servers answer slowly.
_GRACE_SECONDS = 60
# The taint that GPU nodes carry by NVIDIA's own advice.
_GPU = "nvidia.com/gpu"
# A part of a GPU is named by its profile, and lies on a node with the same taint.
_GPU_SLICE = "nvidia.com/mig-"
_CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_MODEL_VOLUME = "model"


def pod_spec(
    spec: AIWorkloadSpec, runtime: ServingRuntimeSpec, source: ModelSource, fetch_image: str
) -> dict[str, Any]:
    """The PodSpec; raises NotAccepted (NoImage) if neither the spec nor the runtime names an image."""
    image = spec.image or runtime.image
    if image is None:
        raise NotAccepted("NoImage", "the ServingRuntime has no image of its own: set spec.image")
    writable = _writable(runtime)
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "securityContext": _pod_security(runtime),
        "containers": [_server(spec, runtime, source, image, writable)],
        "volumes": _volumes(spec, runtime, source, writable),
        "tolerations": _tolerations(spec),
    }
    if source.fetch:
        pod["initContainers"] = [_fetcher(spec, runtime, source, fetch_image)]
    if spec.node_selector:
        pod["nodeSelector"] = dict(sorted(spec.node_selector.items()))
    if spec.priority_class_name:
        pod["priorityClassName"] = spec.priority_class_name
    return pod


def ports_of(spec: AIWorkloadSpec, runtime: ServingRuntimeSpec) -> list[dict[str, Any]]:
    """The container's ports; the first one serves and has one name in all revisions, so that one Service fits them."""
    ports: Sequence[ContainerPort] = spec.ports or runtime.ports
    names = [SERVING_PORT, *(port.name for port in ports[1:])]
    return [
        {"name": name, "containerPort": port.container_port, "protocol": "TCP"}
        for name, port in zip(names, ports, strict=True)
    ]


def model_id(spec: AIWorkloadSpec) -> str:
    """The last part of the model's name: what its folder and servers that know no slash call it."""
    return spec.model_name.rsplit("/", 1)[-1]


def _server(
    spec: AIWorkloadSpec,
    runtime: ServingRuntimeSpec,
    source: ModelSource,
    image: str,
    writable: Sequence[str],
) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": image,
        "env": _environment(spec, runtime, source),
        "ports": ports_of(spec, runtime),
        "resources": _resources(spec),
        "securityContext": {**_CONTAINER_SECURITY, "readOnlyRootFilesystem": runtime.read_only_root_filesystem},
        "volumeMounts": _mounts(runtime, source, writable),
        "lifecycle": {"preStop": {"sleep": {"seconds": _LEAVE_SECONDS}}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    command = spec.command if spec.command is not None else runtime.command
    arguments = [*runtime.args, *(spec.args or [])]
    container |= {"command": list(command)} if command else {}
    container |= {"args": arguments} if arguments else {}
    return container | _probes(spec, runtime)


def _fetcher(spec: AIWorkloadSpec, runtime: ServingRuntimeSpec, source: ModelSource, image: str) -> dict[str, Any]:
    """The init container that fetches the model; it may use what the server may, or large models kill it."""
    amounts = {
        kind: {name: amount for name, amount in values.items() if "/" not in name}
        for kind, values in _resources(spec).items()
    }
    return {
        "name": "fetch-model",
        "image": image,
        "args": [source.fetch, source.folder],
        "env": [{"name": "HOME", "value": runtime.home}],
        "resources": amounts,
        "securityContext": {**_CONTAINER_SECURITY, "readOnlyRootFilesystem": False},
        "volumeMounts": [
            {"name": _MODEL_VOLUME, "mountPath": source.folder},
            {"name": _volume_name(0), "mountPath": _writable(runtime)[0]},
        ],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _environment(spec: AIWorkloadSpec, runtime: ServingRuntimeSpec, source: ModelSource) -> list[dict[str, str]]:
    """Ours, then the runtime's, then the user's; a later one of the same name takes the place of an earlier."""
    ours = {
        "AIOP_MODEL_NAME": spec.model_name,
        "AIOP_MODEL_ID": model_id(spec),
        "AIOP_MODEL_VERSION": spec.model_version or "",
        "AIOP_MODEL_URI": source.uri,
        "AIOP_MODEL_PATH": source.path,
        "HOME": runtime.home,
    }
    # Kubernetes expands $(NAME) in values: what comes from a tenant's fields is text, not a reference.
    variables = {name: value.replace("$", "$$") for name, value in ours.items()}
    given: Iterable[EnvVar] = (*runtime.env, *spec.env)
    variables |= {each.name: each.value for each in given}
    return [{"name": name, "value": value} for name, value in variables.items()]


def _resources(spec: AIWorkloadSpec) -> dict[str, dict[str, str]]:
    limits, requests = dict(sorted(spec.resources.limits.items())), dict(sorted(spec.resources.requests.items()))
    result = {"limits": limits, "requests": requests}
    return {kind: amounts for kind, amounts in result.items() if amounts}


def _probes(spec: AIWorkloadSpec, runtime: ServingRuntimeSpec) -> dict[str, Any]:
    own = spec.probes or Probes()
    theirs = runtime.probes
    model = model_id(spec)
    chosen = {
        "readinessProbe": own.readiness or theirs.readiness,
        "livenessProbe": own.liveness or theirs.liveness,
        "startupProbe": own.startup or theirs.startup,
    }
    probes = {name: _probe(probe, model) for name, probe in chosen.items() if probe is not None}
    # Without any word about readiness an open port is the least that a server must have.
    return {"readinessProbe": {"tcpSocket": {"port": SERVING_PORT}, "periodSeconds": 5}} | probes


def _probe(probe: Probe, model: str) -> dict[str, Any]:
    return {
        "httpGet": {"path": probe.path.replace("{model}", model), "port": SERVING_PORT},
        "periodSeconds": probe.period_seconds,
        "timeoutSeconds": probe.timeout_seconds,
        "failureThreshold": probe.failure_threshold,
    }


def _pod_security(runtime: ServingRuntimeSpec) -> dict[str, Any]:
    security: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if runtime.run_as_user is not None:
        security |= {
            "runAsUser": runtime.run_as_user,
            "runAsGroup": runtime.run_as_user,
            "fsGroup": runtime.run_as_user,
        }
    return security


def _writable(runtime: ServingRuntimeSpec) -> list[str]:
    paths = dict.fromkeys([runtime.home, "/tmp", *runtime.writable_paths])  # noqa: S108 - inside the container
    return list(paths)


def _volume_name(number: int) -> str:
    return f"writable-{number}"


def _mounts(runtime: ServingRuntimeSpec, source: ModelSource, writable: Sequence[str]) -> list[dict[str, Any]]:
    mounts: list[dict[str, Any]] = [
        {"name": _volume_name(number), "mountPath": path} for number, path in enumerate(writable)
    ]
    if runtime.shared_memory:
        mounts.append({"name": "shared-memory", "mountPath": "/dev/shm"})  # noqa: S108 - inside the container
    if source.folder:
        mount: dict[str, Any] = {"name": _MODEL_VOLUME, "mountPath": source.folder, "readOnly": True}
        mounts.append(mount | ({"subPath": source.sub_path} if source.sub_path else {}))
    return mounts


def _volumes(
    spec: AIWorkloadSpec, runtime: ServingRuntimeSpec, source: ModelSource, writable: Sequence[str]
) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [{"name": _volume_name(number), "emptyDir": {}} for number in range(len(writable))]
    if runtime.shared_memory:
        memory = spec.resources.limits.get("memory")
        size = {"sizeLimit": memory} if memory else {}
        volumes.append({"name": "shared-memory", "emptyDir": {"medium": "Memory", **size}})
    if source.claim:
        claim = {"claimName": source.claim, "readOnly": True}
        volumes.append({"name": _MODEL_VOLUME, "persistentVolumeClaim": claim})
    elif source.folder:
        volumes.append({"name": _MODEL_VOLUME, "emptyDir": {}})
    return volumes


def _tolerations(spec: AIWorkloadSpec) -> list[dict[str, Any]]:
    tolerations = [
        toleration.model_dump(by_alias=True, exclude_none=True, mode="json") for toleration in spec.tolerations
    ]
    asked = {**spec.resources.limits, **spec.resources.requests}
    if any(name == _GPU or name.startswith(_GPU_SLICE) for name in asked):
        tolerations.append({"key": _GPU, "operator": "Exists"})
    return tolerations
