"""Built-in objects that several tests here make."""

from typing import Any


def deployment(name: str, *, replicas: int = 1, image: str = "serve:1", gpus: int = 0) -> dict[str, Any]:
    """A Deployment of one container."""
    container: dict[str, Any] = {"name": "main", "image": image}
    if gpus:
        container["resources"] = {"limits": {"nvidia.com/gpu": str(gpus)}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }


def job(name: str, image: str = "work:1") -> dict[str, Any]:
    """A Job of one pod."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": image}]}
    metadata = {"name": name}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }


def config_map(name: str, **data: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
