"""The API group metrics.k8s.io/v1beta1, served while there is somebody who measures pods."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from aiop.runtime.client.builtin import NODES, PODS
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.metrics.podmetrics import ContainerUse, PodMetrics, ResourceMetrics
from aiop.sim.server.refusals import Refused, no_such_path, refused
from aiop.sim.server.registry import Registry

Object = dict[str, Any]

GROUP = "metrics.k8s.io"
_VERSION = "v1beta1"
_API = f"{GROUP}/{_VERSION}"
_LISTED = {"groupVersion": _API, "version": _VERSION}
GROUP_DOCUMENT: Object = {
    "kind": "APIGroup", "apiVersion": "v1", "name": GROUP, "versions": [_LISTED], "preferredVersion": _LISTED,
}  # fmt: skip
_RESOURCES_DOCUMENT: Object = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": _API,
    "resources": [
        {"name": "nodes", "singularName": "", "namespaced": False, "kind": "NodeMetrics", "verbs": ["get", "list"]},
        {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]},
    ],
}
_KIB = 1024


def document(rest: Sequence[str]) -> Object | None:
    """What discovery says of the group, or of its version; None if there is no such version."""
    return {(): GROUP_DOCUMENT, (_VERSION,): _RESOURCES_DOCUMENT}.get(tuple(rest))


def answer(registry: Registry, metrics: ResourceMetrics, rest: Sequence[str], selector: str) -> Object:
    """What stands at the path below the version; raises Refused."""
    match rest:
        case ["pods"]:
            return _list("PodMetrics", _pods(registry, metrics, "", selector))
        case ["namespaces", namespace, "pods"]:
            return _list("PodMetrics", _pods(registry, metrics, namespace, selector))
        case ["namespaces", namespace, "pods", name]:
            found = metrics.of(ObjectKey(namespace, name))
            pod = registry.get(registry.kinds.of(PODS), ObjectKey(namespace, name)).obj
            if found is None:
                raise _not_measured("pods", name)
            return _pod(pod, found)
        case ["nodes"]:
            return _list("NodeMetrics", _nodes(registry, metrics, selector))
        case ["nodes", name]:
            for each in _nodes(registry, metrics, ""):
                if each["metadata"]["name"] == name:
                    return each
            raise _not_measured("nodes", name)
    raise no_such_path()


def _pods(registry: Registry, metrics: ResourceMetrics, namespace: str, selector: str) -> Iterable[Object]:
    for stored in registry.list(registry.kinds.of(PODS), namespace, selector):
        meta = stored.obj["metadata"]
        found = metrics.of(ObjectKey(meta["namespace"], meta["name"]))
        if found is not None:
            yield _pod(stored.obj, found)


def _pod(pod: Object, found: PodMetrics) -> Object:
    meta = {name: pod["metadata"][name] for name in ("name", "namespace", "labels") if name in pod["metadata"]}
    containers = [{"name": name, "usage": _usage([used])} for name, used in found.containers.items()]
    return {"kind": "PodMetrics", "apiVersion": _API, "metadata": meta, **_taken(found), "containers": containers}


def _nodes(registry: Registry, metrics: ResourceMetrics, selector: str) -> Iterable[Object]:
    """A node uses what its pods use."""
    by_node: dict[str, list[PodMetrics]] = defaultdict(list)
    for found in metrics.everything():
        by_node[found.node].append(found)
    for stored in registry.list(registry.kinds.of(NODES), "", selector):
        name = stored.obj["metadata"]["name"]
        if name in by_node:
            used = [each for found in by_node[name] for each in found.containers.values()]
            meta = {"name": name, "labels": stored.obj["metadata"].get("labels", {})}
            body = {"metadata": meta, **_taken(by_node[name][0]), "usage": _usage(used)}
            yield {"kind": "NodeMetrics", "apiVersion": _API, **body}


def _taken(found: PodMetrics) -> Object:
    moment = found.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"timestamp": moment, "window": f"{found.window_seconds:.3f}s"}


def _usage(used: Sequence[ContainerUse]) -> dict[str, str]:
    nanocores = sum(each.nanocores for each in used)
    memory = sum(each.memory_bytes for each in used)
    return {"cpu": f"{nanocores}n" if nanocores else "0", "memory": f"{math.ceil(memory / _KIB)}Ki"}


def _list(kind: str, items: Iterable[Object]) -> Object:
    return {"kind": f"{kind}List", "apiVersion": _API, "metadata": {}, "items": list(items)}


def _not_measured(plural: str, name: str) -> Refused:
    """In metrics-server's words."""
    details = {"name": name, "group": GROUP, "kind": plural}
    return refused(404, "NotFound", f'{plural}.{GROUP} "{name}" not found', details=details)
