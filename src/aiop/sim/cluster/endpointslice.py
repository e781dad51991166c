"""The EndpointSlice controller: where the pods behind a Service are, and which of them serve."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from aiop.runtime.client.builtin import ENDPOINTSLICES, PODS, SERVICES
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.objects import (
    containers_of,
    controlled_by,
    finished,
    key_of,
    labels_of,
    owner_reference,
    pod_ready,
    status_of,
    terminating,
    uid_of,
)
from aiop.sim.cluster.world import World

_SERVICE_NAME = "kubernetes.io/service-name"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_MANAGER = "endpointslice-controller.k8s.io"
_HEADLESS = "service.kubernetes.io/headless"
# The real controller's default.
_MOST_ENDPOINTS = 100

Ports = tuple[tuple[tuple[str, Any], ...], ...]


class EndpointSlices:
    """Reconciles every Service that has a selector."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._services = world.mirror(SERVICES)
        self._slices = world.mirror(ENDPOINTSLICES)
        self.loop = Loop(world.clock, self._reconcile)
        self._services.subscribe(self._service_changed)
        self._slices.subscribe(self._slice_changed)
        world.pods.subscribe(self._pod_changed)

    def _service_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.loop.add(key_of(new))

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        """Repair what others did to a slice of ours."""
        each = new or old
        if each is not None and labels_of(each).get(_MANAGED_BY) == _MANAGER:
            self.loop.add(ObjectKey(each["metadata"]["namespace"], labels_of(each).get(_SERVICE_NAME, "")))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and _what_counts(old) == _what_counts(new):
            return
        pods = [pod for pod in (old, new) if pod is not None]
        for service in self._services.in_namespace(pods[0]["metadata"]["namespace"]):
            selector = service["spec"].get("selector")
            if selector and any(selector.items() <= labels_of(pod).items() for pod in pods):
                self.loop.add(key_of(service))

    async def _reconcile(self, key: ObjectKey) -> None:
        service = self._services.get(key)
        if service is None or terminating(service) or not service["spec"].get("selector"):
            return
        known = [each for each in self._slices.owned_by(uid_of(service)) if controlled_by(each, uid_of(service))]
        known = [each for each in known if not terminating(each)]
        wanted = list(slices_of(service, self._pods_of(service)))
        for index, content in enumerate(wanted):
            if index < len(known):
                await self._update(known[index], content)
            else:
                await self._world.create(ENDPOINTSLICES, _manifest(service, content))
        for each in known[len(wanted) :]:
            await self._world.delete(ENDPOINTSLICES, each)

    def _pods_of(self, service: Object) -> list[Object]:
        selector = service["spec"]["selector"]
        pods = self._world.pods.in_namespace(service["metadata"]["namespace"])
        return [pod for pod in pods if selector.items() <= labels_of(pod).items()]

    async def _update(self, known: Object, content: Object) -> None:
        same = all(known.get(field) == value for field, value in content.items() if field != "metadata")
        labels = content["metadata"]["labels"]
        if same and labels.items() <= labels_of(known).items():
            return
        meta = {**known["metadata"], "labels": {**labels_of(known), **labels}}
        written = await self._world.api.update(ENDPOINTSLICES, {**known, **content, "metadata": meta})
        self._slices.wrote(written)


def slices_of(service: Object, pods: Sequence[Object]) -> Iterator[Object]:
    """What the slices of a Service should hold: one a set of resolved ports, a hundred endpoints each; at least one."""
    by_ports: dict[Ports, list[Object]] = defaultdict(list)
    for pod in pods:
        if status_of(pod).get("podIP") and not finished(pod):
            by_ports[_ports_of(service, pod)].append(_endpoint(service, pod))
    if not by_ports:
        by_ports[()] = []
    for ports, endpoints in by_ports.items():
        for start in range(0, max(1, len(endpoints)), _MOST_ENDPOINTS):
            yield {
                "metadata": {"labels": _labels(service)},
                "addressType": "IPv4",
                "ports": [dict(port) for port in ports],
                "endpoints": endpoints[start : start + _MOST_ENDPOINTS],
            }


def _endpoint(service: Object, pod: Object) -> Object:
    leaving, serving = terminating(pod), pod_ready(pod)
    ready = (serving and not leaving) or bool(service["spec"].get("publishNotReadyAddresses"))
    meta = pod["metadata"]
    return {
        "addresses": [status_of(pod)["podIP"]],
        "conditions": {"ready": ready, "serving": serving, "terminating": leaving},
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": {"kind": PODS.kind, "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
    }


def _ports_of(service: Object, pod: Object) -> Ports:
    ports = []
    for port in service["spec"].get("ports") or []:
        number = _target(port, pod)
        if number is not None:
            ports.append(_port(port, number))
    return tuple(ports)


def _port(port: Object, number: int) -> tuple[tuple[str, Any], ...]:
    found = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
    if port.get("appProtocol"):
        found["appProtocol"] = port["appProtocol"]
    return tuple(found.items())


def _target(port: Object, pod: Object) -> int | None:
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int) or str(target).isdigit():
        return int(target)
    protocol = port.get("protocol", "TCP")
    for container in containers_of(pod):
        for each in container.get("ports") or []:
            if each.get("name") == target and each.get("protocol", "TCP") == protocol:
                return int(each["containerPort"])
    return None


def _labels(service: Object) -> dict[str, str]:
    labels = {**labels_of(service), _SERVICE_NAME: service["metadata"]["name"], _MANAGED_BY: _MANAGER}
    return labels | ({_HEADLESS: ""} if service["spec"].get("clusterIP") == "None" else {})


def _manifest(service: Object, content: Object) -> Object:
    meta = service["metadata"]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        **content,
        "metadata": {
            **content["metadata"],
            "generateName": f"{meta['name']}-",
            "namespace": meta["namespace"],
            "ownerReferences": [owner_reference(service)],
        },
    }


def _what_counts(pod: Object) -> object:
    """What of a pod a slice can show."""
    return (
        labels_of(pod),
        status_of(pod).get("podIP"),
        pod["spec"].get("nodeName"),
        pod_ready(pod),
        terminating(pod),
        finished(pod),
        uid_of(pod),
    )
