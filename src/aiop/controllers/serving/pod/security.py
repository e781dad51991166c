"""What makes a pod meet the restricted Pod Security Standard, whatever was asked."""

from typing import Any

from aiop.api.servingruntime import ServingRuntimeSpec

CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod_security(runtime: ServingRuntimeSpec) -> dict[str, Any]:
    """Of the whole pod: never root; the runtime's UID, if it names one, is its group and its volumes' too."""
    security: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if runtime.run_as_user is not None:
        security |= {
            "runAsUser": runtime.run_as_user,
            "runAsGroup": runtime.run_as_user,
            "fsGroup": runtime.run_as_user,
        }
    return security
