"""AIWorkloads for tests, and what kubectl shows of them."""

from typing import Any

from support.kubectl import Kubectl, eventually

CPU = {"limits": {"cpu": "100m", "memory": "64Mi"}}


def workload(name: str = "demo", **spec: Any) -> dict[str, Any]:
    """A small workload of the framework sklearn."""
    defaults: dict[str, Any] = {"modelName": "iris", "modelVersion": "v1", "framework": "sklearn", "resources": CPU}
    return {
        "apiVersion": "geartickler.com/v1alpha1",
        "kind": "AIWorkload",
        "metadata": {"name": name},
        "spec": {key: value for key, value in {**defaults, **spec}.items() if value is not None},
    }


def models_volume(name: str, namespace: str) -> dict[str, Any]:
    """A volume for the claim `models` of a namespace; no provisioner runs here."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadOnlyMany"],
            "storageClassName": "",
            "hostPath": {"path": "/var/lib/models"},
            "claimRef": {"namespace": namespace, "name": "models"},
        },
    }


def models_claim() -> dict[str, Any]:
    """The claim `models`."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "models"},
        "spec": {
            "accessModes": ["ReadOnlyMany"],
            "storageClassName": "",
            "resources": {"requests": {"storage": "10Gi"}},
        },
    }


def restricted_namespace(name: str) -> dict[str, Any]:
    """A namespace that enforces the restricted level of Pod Security."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def conditions(kubectl: Kubectl, name: str = "demo") -> dict[str, Any]:
    """The conditions by type, of the newest generation only."""
    found = kubectl.get("aiworkload", name)
    generation = found["metadata"]["generation"]
    return {
        each["type"]: each
        for each in found.get("status", {}).get("conditions", [])
        if each["observedGeneration"] == generation
    }


def wait_for(kubectl: Kubectl, kind: str, status: str, reason: str = "", name: str = "demo") -> dict[str, Any]:
    """Wait until a condition has that status (and reason); returns it."""

    def found() -> dict[str, Any] | None:
        each: dict[str, Any] = conditions(kubectl, name).get(kind, {})
        return each if each.get("status") == status and (not reason or each["reason"] == reason) else None

    def told() -> str:
        return str(
            {
                each: (value["status"], value["reason"], value["message"])
                for each, value in conditions(kubectl, name).items()
            }
        )

    answer: dict[str, Any] = eventually(found, told=told)
    return answer
