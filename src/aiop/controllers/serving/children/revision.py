"""The children of one revision: ControllerRevision, Deployment, Service."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from aiop.controllers.serving.names import (
    ROLLOUT_ANNOTATION,
    revision_labels,
    revision_name,
    workload_labels,
)
from aiop.controllers.serving.pod.probes import SERVING_PORT
from aiop.controllers.serving.pod.template import CONTAINER
from aiop.controllers.serving.revision import KnownRevision
from aiop.runtime.client.builtin import CONTROLLERREVISIONS, DEPLOYMENTS, SERVICES
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.children import Child

HTTP = 80


def controller_revision(workload: ObjectKey, revision: KnownRevision) -> Child:
    """What the revision was made of, for as long as it may come back."""
    name = revision_name(workload.name, revision.hash)
    return Child(
        CONTROLLERREVISIONS,
        ObjectKey(workload.namespace, name),
        {
            "metadata": {
                "labels": revision_labels(workload.name, revision.hash),
                "annotations": revision.annotations(),
            },
            "data": msgspec.to_builtins(revision.data),
            "revision": revision.number,
        },
    )


def deployment(
    workload: ObjectKey,
    revision: KnownRevision,
    replicas: int | None,
    *,
    deadline: int,
    mark: str = "",
    paused: bool = False,
) -> Child:
    """The revision's pods; ``replicas`` None leaves the count to whoever owns it.

    ``deadline`` are the seconds without progress after which the rollout counts as stuck; ``mark`` says how it goes.
    ``paused``: its ReplicaSet is to be changed in place, so none may be made meanwhile.
    """
    labels = revision_labels(workload.name, revision.hash)
    spec: dict[str, Any] = {
        "selector": {"matchLabels": {**labels}},
        "template": {"metadata": {"labels": labels}, "spec": revision.data.pod},
        "progressDeadlineSeconds": deadline,
        "revisionHistoryLimit": 0,  # of its template nothing but amounts changes: history is ours
    }
    if paused:
        spec["paused"] = True
    if replicas is not None:
        spec["replicas"] = replicas
    meta: dict[str, Any] = {"labels": {**labels}}
    if mark:
        meta["annotations"] = {ROLLOUT_ANNOTATION: mark}
    name = revision_name(workload.name, revision.hash)
    return Child(DEPLOYMENTS, ObjectKey(workload.namespace, name), {"metadata": meta, "spec": spec})


def revision_service(workload: ObjectKey, revision: KnownRevision) -> Child:
    """The Service of this revision alone."""
    labels = revision_labels(workload.name, revision.hash)
    name = revision_name(workload.name, revision.hash)
    return _service(ObjectKey(workload.namespace, name), labels, labels, revision)


def stable_service(workload: ObjectKey, revision: KnownRevision, selector: Mapping[str, str]) -> Child:
    """The Service that clients know: the pods of all revisions; readiness decides who answers."""
    return _service(workload, workload_labels(workload.name), selector, revision)


def _service(key: ObjectKey, labels: Mapping[str, str], selector: Mapping[str, str], revision: KnownRevision) -> Child:
    spec = {"selector": dict(selector), "ports": _ports(revision), "type": "ClusterIP"}
    return Child(SERVICES, key, {"metadata": {"labels": dict(labels)}, "spec": spec})


def _ports(revision: KnownRevision) -> list[dict[str, Any]]:
    """80 for the port that serves; the others keep their numbers, unless that is 80 too."""
    ports: Sequence[Mapping[str, Any]] = next(
        container["ports"] for container in revision.data.pod["containers"] if container["name"] == CONTAINER
    )
    first = {"name": SERVING_PORT, "port": HTTP, "targetPort": SERVING_PORT, "protocol": "TCP"}
    others = [
        {"name": port["name"], "port": port["containerPort"], "targetPort": port["name"], "protocol": "TCP"}
        for port in ports[1:]
        if port["containerPort"] != HTTP
    ]
    return [first, *others]
