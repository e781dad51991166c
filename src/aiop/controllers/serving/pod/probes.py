"""The probes of the server: the workload's own, else its runtime's."""

from typing import Any

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.container import Probe, Probes
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.modelsource import model_id

SERVING_PORT = "http"


def probes(spec: AIWorkloadSpec, runtime: ServingRuntimeSpec, ports: dict[str, int]) -> dict[str, Any]:
    """By the container's field names; ``ports`` are the server's by name. Raises NotAccepted (UnknownPort)."""
    own = spec.probes or Probes()
    theirs = runtime.probes
    model = model_id(spec)
    chosen = {
        "readinessProbe": own.readiness or theirs.readiness,
        "livenessProbe": own.liveness or theirs.liveness,
        "startupProbe": own.startup or theirs.startup,
    }
    made = {name: _probe(name, probe, model, ports) for name, probe in chosen.items() if probe is not None}
    # Without any word about readiness an open port is the least that a server must have.
    return {"readinessProbe": {"tcpSocket": {"port": SERVING_PORT}, "periodSeconds": 5}} | made


def _probe(name: str, probe: Probe, model: str, ports: dict[str, int]) -> dict[str, Any]:
    port = probe.port or SERVING_PORT
    if port not in ports:
        raise NotAccepted(
            "UnknownPort",
            f"spec.probes: the {name} asks the port {port!r}, and the server has {', '.join(ports)}; name one of these",
        )
    delay = {"initialDelaySeconds": probe.initial_delay_seconds} if probe.initial_delay_seconds else {}
    return {
        **_handler(probe, port, model, ports),
        **delay,
        "periodSeconds": probe.period_seconds,
        "timeoutSeconds": probe.timeout_seconds,
        "failureThreshold": probe.failure_threshold,
    }


def _handler(probe: Probe, port: str, model: str, ports: dict[str, int]) -> dict[str, Any]:
    if probe.type == "Exec":
        return {"exec": {"command": list(probe.command or ())}}
    if probe.type == "TCP":
        return {"tcpSocket": {"port": port}}
    if probe.type == "GRPC":
        service = {"service": probe.service} if probe.service else {}
        return {"grpc": {"port": ports[port], **service}}  # the one probe that takes no port by name
    return {"httpGet": {"path": (probe.path or "/").replace("{model}", model), "port": port}}
