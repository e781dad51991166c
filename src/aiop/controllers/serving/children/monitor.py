"""What has Prometheus scrape the servers: a ServiceMonitor, or a PodMonitor where there is only that kind.

Never both, for each of them alone has every server scraped, and two would count all twice. A ServiceMonitor selects the
Services of the revisions and not the stable one beside them, for the same reason.
"""

from collections.abc import Mapping
from typing import Any

from aiop.controllers.serving.exposure.kinds import SERVICEMONITORS
from aiop.controllers.serving.names import REVISION_LABEL, WORKLOAD_LABEL, workload_labels
from aiop.controllers.serving.revision import MetricsAt
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.controller.children import Child

# How Prometheus' service discovery calls the pod's label REVISION_LABEL.
_REVISION = "__meta_kubernetes_pod_label_geartickler_com_revision"


def monitor(
    kind: Resource, workload: ObjectKey, shown: Mapping[str, MetricsAt | None], labels: Mapping[str, str]
) -> Child | None:
    """The monitor of the revisions that have servers; None if none of them shows metrics.

    ``shown`` says for the hash of each where its servers show metrics, None if they do not. ``labels`` are what
    Prometheus' selectors look for. Every series gets the labels of workload and revision, and the workload as its job.
    """
    endpoints = _endpoints(shown)
    if not endpoints:
        return None
    selector = {"matchLabels": {WORKLOAD_LABEL: workload.name}}
    spec: dict[str, Any] = {"jobLabel": WORKLOAD_LABEL}
    if kind == SERVICEMONITORS:
        of_revisions = {"matchExpressions": [{"key": REVISION_LABEL, "operator": "Exists"}]}
        spec |= {"selector": {**selector, **of_revisions}, "endpoints": endpoints}
        spec["targetLabels"] = [WORKLOAD_LABEL, REVISION_LABEL]
    else:
        spec |= {"selector": selector, "podMetricsEndpoints": endpoints}
        spec["podTargetLabels"] = [WORKLOAD_LABEL, REVISION_LABEL]
    metadata = {"labels": {**labels, **workload_labels(workload.name)}}
    return Child(kind, workload, {"metadata": metadata, "spec": spec})


def _endpoints(shown: Mapping[str, MetricsAt | None]) -> list[dict[str, Any]]:
    """One if all show metrics at one place, so that a rollout changes nothing; else one a place, for its revisions."""
    by_place: dict[MetricsAt | None, list[str]] = {}
    for revision, place in sorted(shown.items(), key=lambda item: item[0]):
        by_place.setdefault(place, []).append(revision)
    found = []
    for place, hashes in sorted(by_place.items(), key=lambda item: item[1]):
        if place is not None:
            only = {"sourceLabels": [_REVISION], "regex": "|".join(hashes), "action": "keep"}
            limits = {"relabelings": [only]} if len(by_place) > 1 else {}
            found.append({"port": place.port, "path": place.path, **limits})
    return found
