"""The restricted level of the Pod Security Standards, as far as a PodSpec can break it."""

from typing import Any

_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def violations(pod: dict[str, Any]) -> list[str]:
    """What the PodSpec does that a restricted namespace refuses; empty if nothing."""
    found = [f"{name} is set" for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name)]
    found += [
        f"volume {volume['name']} is {kind}"
        for volume in pod.get("volumes", [])
        for kind in volume
        if kind != "name" and kind not in _VOLUMES
    ]
    whole = pod.get("securityContext", {})
    found += ["sysctls are set"] if whole.get("sysctls") else []
    for container in [*pod["containers"], *pod.get("initContainers", []), *pod.get("ephemeralContainers", [])]:
        found += [f"{container['name']}: {fault}" for fault in _faults(whole, container)]
    return found


def _faults(whole: dict[str, Any], container: dict[str, Any]) -> list[str]:
    own = container.get("securityContext", {})
    capabilities = own.get("capabilities", {})
    checks = {
        "privileged": not own.get("privileged"),
        "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
        "capabilities": capabilities.get("drop") == ["ALL"]
        and set(capabilities.get("add", ())) <= {"NET_BIND_SERVICE"},
        "runAsNonRoot": own.get("runAsNonRoot", whole.get("runAsNonRoot")) is True,
        "runAsUser": own.get("runAsUser", whole.get("runAsUser", 1)) != 0,
        "seccompProfile": own.get("seccompProfile", whole.get("seccompProfile", {})).get("type")
        in {"RuntimeDefault", "Localhost"},
        "procMount": own.get("procMount", "Default") == "Default",
        "hostPort": not any(port.get("hostPort") for port in container.get("ports", [])),
        "seLinux": not own.get("seLinuxOptions"),
        "probe host": not any("host" in container.get(name, {}).get("httpGet", {}) for name in _PROBES),
    }
    return [name for name, holds in checks.items() if not holds]
