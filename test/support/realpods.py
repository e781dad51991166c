"""Pods for a real node: restricted ones, of an image that lies there already."""

from typing import Any


def restricted_pod(name: str, image: str, *command: str, **container: Any) -> dict[str, Any]:
    """A pod that the restricted level of Pod Security admits, with one container of the same name."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": restricted_spec(name, image, *command, **container),
    }


def restricted_spec(name: str, image: str, *command: str, **container: Any) -> dict[str, Any]:
    """The pod's spec alone, for a template."""
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": name,
                "image": image,
                "imagePullPolicy": "Never",
                "command": list(command),
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                **container,
            }
        ],
    }
