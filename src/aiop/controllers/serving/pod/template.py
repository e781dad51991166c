"""The fully resolved PodSpec of a revision: it meets the restricted Pod Security Standard, whatever was asked."""

from collections.abc import Sequence
from typing import Any

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.container import ContainerPort
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.modelsource import ModelSource
from aiop.controllers.serving.pod.environment import environment, environment_from
from aiop.controllers.serving.pod.fetching import fetchers
from aiop.controllers.serving.pod.probes import SERVING_PORT, probes
from aiop.controllers.serving.pod.resources import resources
from aiop.controllers.serving.pod.scheduling import scheduling
from aiop.controllers.serving.pod.security import CONTAINER_SECURITY, pod_security
from aiop.controllers.serving.pod.volumes import mounts, volumes
from aiop.controllers.serving.settings import ServingSettings

CONTAINER = "server"
# Endpoints are told of a pod's end at the same moment as its server; proxies need a little longer to hear of it.
_LEAVE_SECONDS = 5


def pod_spec(
    workload: str,
    spec: AIWorkloadSpec,
    runtime: ServingRuntimeSpec,
    source: ModelSource,
    settings: ServingSettings,
) -> dict[str, Any]:
    """The PodSpec of the workload of that name; raises NotAccepted if it cannot be made (NoImage, UnknownPort, …)."""
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": spec.termination_grace_period_seconds,
        "securityContext": pod_security(runtime),
        "containers": [_server(spec, runtime, source)],
        "volumes": volumes(spec, runtime, source),
        **scheduling(spec, workload),
    }
    initial = fetchers(spec, runtime, source, settings)
    if initial:
        pod["initContainers"] = initial
    if spec.service_account_name:
        pod["serviceAccountName"] = spec.service_account_name
    if spec.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": each.name} for each in spec.image_pull_secrets]
    return pod


def ports_of(spec: AIWorkloadSpec, runtime: ServingRuntimeSpec) -> list[dict[str, Any]]:
    """The container's ports; the first one serves and has one name in all revisions, so that one Service fits them."""
    ports: Sequence[ContainerPort] = spec.ports or runtime.ports
    names = [SERVING_PORT, *(port.name for port in ports[1:])]
    return [
        {"name": name, "containerPort": port.container_port, "protocol": "TCP"}
        for name, port in zip(names, ports, strict=True)
    ]


def _server(spec: AIWorkloadSpec, runtime: ServingRuntimeSpec, source: ModelSource) -> dict[str, Any]:
    ports = ports_of(spec, runtime)
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": _image(spec, runtime),
        "env": environment(spec, runtime, source),
        "ports": ports,
        "resources": resources(spec),
        "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": runtime.read_only_root_filesystem},
        "volumeMounts": mounts(runtime, source),
        "lifecycle": {"preStop": {"sleep": {"seconds": _LEAVE_SECONDS}}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **probes(spec, runtime, {port["name"]: port["containerPort"] for port in ports}),
    }
    command = spec.command if spec.command is not None else runtime.command
    optional = {
        "command": list(command),
        "args": [*runtime.args, *(spec.args or [])],
        "envFrom": environment_from(spec, source),
    }
    return container | {name: value for name, value in optional.items() if value}


def _image(spec: AIWorkloadSpec, runtime: ServingRuntimeSpec) -> str:
    image = spec.image or runtime.image
    if image is None:
        raise NotAccepted("NoImage", "the ServingRuntime has no image of its own: set spec.image")
    return image
