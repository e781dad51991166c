"""Pods as an API server sends them: about 7 KB each, more than a third of it managedFields."""

import json
from collections.abc import Iterator, Mapping

from aiop.controllers.serving.names import revision_labels

# Pods of one workload, and so of one ReplicaSet: what an index value has under it.
_PODS_A_WORKLOAD = 10


def watch_lines(count: int, *, versions: int = 1, after: int = 0) -> Iterator[bytes]:
    """``count`` ADDED events, then ``versions - 1`` rounds of MODIFIED ones, each a line of a watch stream.

    Their resourceVersions go on from ``after``.
    """
    for version in range(versions):
        kind = "MODIFIED" if version else "ADDED"
        for number in range(count):
            event = {"type": kind, "object": pod(number, resource_version=after + 1 + version * count + number)}
            yield json.dumps(event, separators=(",", ":")).encode() + b"\n"


def pod(number: int, *, resource_version: int) -> dict[str, object]:
    """A running Pod of a Deployment with one container, probes, volumes and three managers."""
    name = f"bert-sentiment-5d9c7b6f4-{number:05d}"
    # The operator's informer selects by these labels, and its index reads them.
    labels = revision_labels(f"bert-sentiment-{number // _PODS_A_WORKLOAD:04d}", "5d9c7b6f4")
    labels |= {"pod-template-hash": "5d9c7b6f4"}
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "bert-sentiment-5d9c7b6f4",
        "uid": f"00000000-0000-4000-8000-{number // _PODS_A_WORKLOAD:012d}",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "generateName": "bert-sentiment-5d9c7b6f4-",
            "namespace": "default",
            "uid": f"11111111-0000-4000-8000-{number:012d}",
            "resourceVersion": str(resource_version),
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": labels,
            "annotations": {"kubernetes.io/config.seen": "2026-01-01T00:00:00.000000000Z"},
            "ownerReferences": [owner],
            "managedFields": _managed_fields(owner["uid"], labels),
        },
        "spec": _spec(number),
        "status": _status(number),
    }


def _spec(number: int) -> dict[str, object]:
    probe = {
        "httpGet": {"path": "/v2/health/ready", "port": 8000, "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
    }
    container = {
        "name": "server",
        "image": "registry.example/tritonserver:24.08-py3",
        "args": ["tritonserver", "--model-repository=/models", "--http-port=8000", "--log-verbose=0"],
        "env": [{"name": f"VARIABLE_{index}", "value": f"value-{index}"} for index in range(8)],
        "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
        "resources": {
            "limits": {"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": "1"},
            "requests": {"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": "1"},
        },
        "livenessProbe": probe,
        "readinessProbe": probe,
        "startupProbe": probe,
        "volumeMounts": [
            {"name": "model", "mountPath": "/models", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a mount inside a container that never runs
        ],
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": security,
    }
    return {
        "volumes": [
            {"name": "model", "persistentVolumeClaim": {"claimName": "models", "readOnly": True}},
            {"name": "tmp", "emptyDir": {}},
        ],
        "containers": [container],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 60,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "serviceAccount": "default",
        "automountServiceAccountToken": False,
        "nodeName": f"gpu-node-{number % 100:03d}",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "schedulerName": "default-scheduler",
        "tolerations": [
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"},
            {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"},
            {"key": "nvidia.com/gpu", "operator": "Exists"},
        ],
        "priority": 0,
        "enableServiceLinks": False,
        "preemptionPolicy": "PreemptLowerPriority",
    }


def _status(number: int) -> dict[str, object]:
    moment = "2026-01-01T00:00:05Z"
    conditions = [
        {"type": name, "status": "True", "lastProbeTime": None, "lastTransitionTime": moment}
        for name in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    address = f"10.{number // 62500 % 250}.{number // 250 % 250}.{number % 250 + 1}"
    return {
        "phase": "Running",
        "conditions": conditions,
        "hostIP": "10.0.0.1",
        "hostIPs": [{"ip": "10.0.0.1"}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": "2026-01-01T00:00:01Z",
        "containerStatuses": [
            {
                "name": "server",
                "state": {"running": {"startedAt": moment}},
                "lastState": {},
                "ready": True,
                "restartCount": 0,
                "image": "registry.example/tritonserver:24.08-py3",
                "imageID": "registry.example/tritonserver@sha256:" + "0" * 64,
                "containerID": f"containerd://{number:064d}",
                "started": True,
            }
        ],
        "qosClass": "Guaranteed",
    }


def _managed_fields(owner_uid: object, own_labels: Mapping[str, str]) -> list[dict[str, object]]:
    container = {
        "f:args": {}, "f:env": {".": {}} | {f'k:{{"name":"VARIABLE_{index}"}}': {".": {}, "f:name": {}, "f:value": {}}
                                            for index in range(8)},
        "f:image": {}, "f:imagePullPolicy": {}, "f:livenessProbe": {".": {}, "f:httpGet": {}}, "f:name": {},
        "f:ports": {".": {}, 'k:{"containerPort":8000,"protocol":"TCP"}': {".": {}, "f:name": {}}},
        "f:readinessProbe": {".": {}, "f:httpGet": {}}, "f:resources": {".": {}, "f:limits": {}, "f:requests": {}},
        "f:securityContext": {".": {}, "f:capabilities": {".": {}, "f:drop": {}}}, "f:startupProbe": {".": {}},
        "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {}, "f:volumeMounts": {".": {}},
    }  # fmt: skip
    spec = {
        "f:automountServiceAccountToken": {}, "f:containers": {'k:{"name":"server"}': container}, "f:dnsPolicy": {},
        "f:enableServiceLinks": {}, "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {".": {}},
        "f:terminationGracePeriodSeconds": {}, "f:tolerations": {}, "f:volumes": {".": {}},
    }  # fmt: skip
    labels: dict[str, object] = {".": {}, **{f"f:{name}": {} for name in own_labels}}
    metadata = {
        "f:generateName": {},
        "f:labels": labels,
        "f:ownerReferences": {".": {}, f'k:{{"uid":"{owner_uid}"}}': {}},
    }
    conditions: dict[str, object] = {
        f'k:{{"type":"{name}"}}': {
            ".": {},
            "f:lastProbeTime": {},
            "f:lastTransitionTime": {},
            "f:status": {},
            "f:type": {},
        }
        for name in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")
    }
    status = {"f:conditions": conditions, "f:containerStatuses": {}, "f:hostIP": {}, "f:phase": {}, "f:podIP": {}}
    entry = {"operation": "Update", "apiVersion": "v1", "time": "2026-01-01T00:00:05Z", "fieldsType": "FieldsV1"}
    return [
        entry | {"manager": "kube-controller-manager", "fieldsV1": {"f:metadata": metadata, "f:spec": spec}},
        entry | {"manager": "kubelet", "fieldsV1": {"f:status": status}, "subresource": "status"},
        entry | {"manager": "kube-scheduler", "fieldsV1": {"f:status": {"f:conditions": {}}}, "subresource": "status"},
    ]
