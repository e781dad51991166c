"""Tables, as `kubectl get` prints them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aiop.sim.semantics.jsonpath import found_at

Object = Mapping[str, Any]
Cell = Callable[[Object, datetime], Any]
# Name, type, whether only -o wide shows it, and how to read it.
Column = tuple[str, str, int, Cell]


def table_of(objects: Sequence[Object], columns: Sequence[Column], now: datetime, version: str) -> dict[str, Any]:
    """A Table with the objects' metadata beside the cells."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": [
            {
                "name": name,
                "type": kind,
                "format": "name" if name == "Name" else "",
                "description": name,
                "priority": wide,
            }
            for name, kind, wide, _ in columns
        ],
        "rows": [_row(obj, columns, now) for obj in objects],
    }


def columns_of(kind: str, printed: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The columns of a kind: those of its CustomResourceDefinition, those known for a built-in one, else its age."""
    if printed:
        return [_NAME, *(_custom(column) for column in printed)]
    if kind == "Event":
        return list(_EVENT)
    return [_NAME, *_BUILTIN.get(kind, ()), *_after(kind)]


def age(moment: str, now: datetime) -> str:
    """How long ago, in kubectl's short form."""
    seconds = max(0, int((now - datetime.fromisoformat(moment)).total_seconds()))
    if seconds < 120:  # noqa: PLR2004 - kubectl's own steps
        return f"{seconds}s"
    if seconds < 600:  # noqa: PLR2004
        return f"{seconds // 60}m{seconds % 60}s" if seconds % 60 else f"{seconds // 60}m"
    if seconds < 3 * 3600:
        return f"{seconds // 60}m"
    if seconds < 2 * 86400:
        return f"{seconds // 3600}h"
    return f"{seconds // 86400}d"


def _row(obj: Object, columns: Sequence[Column], now: datetime) -> dict[str, Any]:
    meta = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    return {"cells": [read(obj, now) for _, _, _, read in columns], "object": meta}


def _at(path: str, otherwise: Any = "") -> Cell:
    def read(obj: Object, _now: datetime) -> Any:
        values = found_at(obj, path)
        return values[0] if values else otherwise

    return read


def _listed(path: str, otherwise: str = "<none>") -> Cell:
    def read(obj: Object, _now: datetime) -> Any:
        return ",".join(str(value) for value in found_at(obj, path)) or otherwise

    return read


def _of(read: Callable[[Object], Any]) -> Cell:
    return lambda obj, _now: read(obj)


def _age_of(path: str) -> Cell:
    def read(obj: Object, now: datetime) -> Any:
        values = found_at(obj, path)
        return age(values[0], now) if values else "<unknown>"

    return read


def _custom(column: Mapping[str, Any]) -> Column:
    kind, path = column["type"], column["jsonPath"]
    if kind == "date":
        return (column["name"], kind, column.get("priority", 0), _age_of(path))

    def read(obj: Object, _now: datetime) -> Any:
        values = found_at(obj, path)
        return values[0] if values else None

    return (column["name"], kind, column.get("priority", 0), read)


def _pod_status(pod: Object) -> str:
    status = pod.get("status", {})
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for container in status.get("containerStatuses", ()):
        state = container.get("state", {})
        for each in ("waiting", "terminated"):
            if state.get(each, {}).get("reason"):
                return str(state[each]["reason"])
    return str(status.get("reason") or status.get("phase", "Unknown"))


def _pod_ready(pod: Object) -> str:
    containers = pod.get("status", {}).get("containerStatuses", [])
    return f"{sum(bool(each.get('ready')) for each in containers)}/{len(pod['spec'].get('containers', []))}"


def _restarts(pod: Object) -> str:
    return str(sum(each.get("restartCount", 0) for each in pod.get("status", {}).get("containerStatuses", [])))


def _node_status(node: Object) -> str:
    ready = found_at(node, '.status.conditions[?(@.type=="Ready")].status')
    words = ["Ready" if ready == ["True"] else "NotReady"]
    if node.get("spec", {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _ports(service: Object) -> str:
    ports = service["spec"].get("ports", [])
    return ",".join(f"{port['port']}/{port.get('protocol', 'TCP')}" for port in ports) or "<none>"


def _hpa_target(hpa: Object) -> str:
    texts = []
    current = {each.get("resource", {}).get("name"): each for each in found_at(hpa, ".status.currentMetrics[*]")}
    for metric in hpa["spec"].get("metrics", []):
        resource = metric.get("resource", {})
        now = current.get(resource.get("name"), {}).get("resource", {}).get("current", {}).get("averageUtilization")
        wanted = resource.get("target", {}).get("averageUtilization")
        texts.append(f"{resource.get('name')}: {'<unknown>' if now is None else f'{now}%'}/{wanted}%")
    return ", ".join(texts)


def _hpa_reference(hpa: Object) -> str:
    target = hpa["spec"]["scaleTargetRef"]
    return f"{target['kind']}/{target['name']}"


def _endpoints(each: Object) -> str:
    addresses = found_at(each, ".endpoints[*].addresses[*]")
    return ",".join(addresses[:3]) + (f" + {len(addresses) - 3} more..." if len(addresses) > 3 else "") or "<unset>"  # noqa: PLR2004 - kubectl shows three


def _owner(obj: Object) -> str:
    owners = obj["metadata"].get("ownerReferences") or [{}]
    group = owners[0].get("apiVersion", "").partition("/")[0]
    return f"{owners[0]['kind'].lower()}.{group}/{owners[0]['name']}" if owners[0] else "<none>"


def _regarding(event: Object) -> str:
    about = event.get("regarding") or event.get("involvedObject") or {}
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def _last_seen(event: Object, now: datetime) -> str:
    """Newer events count in a series, older ones in themselves."""
    series = event.get("series") or {}
    moments = (
        series.get("lastObservedTime"),
        event.get("lastTimestamp") or event.get("deprecatedLastTimestamp"),
        event.get("eventTime"),
        event["metadata"].get("creationTimestamp"),
    )
    return next((age(moment, now) for moment in moments if moment), "<unknown>")


def _reporter(event: Object) -> str:
    source = event.get("source") or event.get("deprecatedSource") or {}
    return str(event.get("reportingComponent") or event.get("reportingController") or source.get("component", ""))


def _deployment_ready(obj: Object) -> str:
    return f"{obj.get('status', {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"


def _job_status(obj: Object) -> str:
    conditions = obj.get("status", {}).get("conditions", [])
    true = {each["type"] for each in conditions if each["status"] == "True"}
    return next((each for each in _JOB_WORDS if each in true), "Running")


# A finished job has conditions of its way there too: the first of these that holds is shown.
_JOB_WORDS = ("Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet")


def _job_completions(obj: Object) -> str:
    return f"{obj.get('status', {}).get('succeeded', 0)}/{obj['spec'].get('completions', 1)}"


def _size(obj: Object) -> int:
    return len(obj.get("data") or {})


def _column(name: str, read: Cell, kind: str = "string", wide: int = 0) -> Column:
    return (name, kind, wide, read)


_NAME = _column("Name", _at(".metadata.name"))
_AGE = _column("Age", _age_of(".metadata.creationTimestamp"))


def _after(kind: str) -> list[Column]:
    return [_AGE, *_BEHIND_AGE.get(kind, ())]


_BUILTIN: Mapping[str, Sequence[Column]] = {
    "Pod": (
        _column("Ready", _of(_pod_ready)),
        _column("Status", _of(_pod_status)),
        _column("Restarts", _of(_restarts)),
    ),
    "Deployment": (
        _column("Ready", _of(_deployment_ready)),
        _column("Up-to-date", _at(".status.updatedReplicas", 0), "integer"),
        _column("Available", _at(".status.availableReplicas", 0), "integer"),
    ),
    "ReplicaSet": (
        _column("Desired", _at(".spec.replicas", 0), "integer"),
        _column("Current", _at(".status.replicas", 0), "integer"),
        _column("Ready", _at(".status.readyReplicas", 0), "integer"),
    ),
    "Service": (
        _column("Type", _at(".spec.type")),
        _column("Cluster-IP", _at(".spec.clusterIP", "<none>")),
        _column("External-IP", _listed(".status.loadBalancer.ingress[*].ip")),
        _column("Port(s)", _of(_ports)),
    ),
    "EndpointSlice": (
        _column("AddressType", _at(".addressType")),
        _column("Ports", _listed(".ports[*].port", "<unset>")),
        _column("Endpoints", _of(_endpoints)),
    ),
    "Ingress": (
        _column("Class", _at(".spec.ingressClassName", "<none>")),
        _column("Hosts", _listed(".spec.rules[*].host", "*")),
        _column("Address", _listed(".status.loadBalancer.ingress[*].ip", "")),
        _column("Ports", _of(lambda obj: "80, 443" if obj["spec"].get("tls") else "80")),
    ),
    "HorizontalPodAutoscaler": (
        _column("Reference", _of(_hpa_reference)),
        _column("Targets", _of(_hpa_target)),
        _column("MinPods", _at(".spec.minReplicas", "<unset>")),
        _column("MaxPods", _at(".spec.maxReplicas"), "integer"),
        _column("Replicas", _at(".status.currentReplicas", 0), "integer"),
    ),
    "PodDisruptionBudget": (
        _column("Min Available", _at(".spec.minAvailable", "N/A")),
        _column("Max Unavailable", _at(".spec.maxUnavailable", "N/A")),
        _column("Allowed Disruptions", _at(".status.disruptionsAllowed", 0), "integer"),
    ),
    "Node": (
        _column("Status", _of(_node_status)),
        _column("Roles", _of(lambda _obj: "<none>")),
    ),
    "Job": (
        _column("Status", _of(_job_status)),
        _column("Completions", _of(_job_completions)),
    ),
    "Namespace": (_column("Status", _at(".status.phase")),),
    "ConfigMap": (_column("Data", _of(_size), "integer"),),
    "Secret": (_column("Type", _at(".type")), _column("Data", _of(_size), "integer")),
    "Lease": (_column("Holder", _at(".spec.holderIdentity")),),
    "ControllerRevision": (_column("Controller", _of(_owner)), _column("Revision", _at(".revision"), "integer")),
    "PersistentVolumeClaim": (
        _column("Status", _at(".status.phase")),
        _column("Volume", _at(".spec.volumeName")),
        _column("Capacity", _at(".status.capacity.storage")),
        _column("Access Modes", _listed(".spec.accessModes[*]")),
    ),
    "CustomResourceDefinition": (_column("Created At", _at(".metadata.creationTimestamp")),),
}
# What happened, and when last, before who it is called.
_EVENT: Sequence[Column] = (
    _column("Last Seen", _last_seen),
    _column("Type", _at(".type")),
    _column("Reason", _at(".reason")),
    _column("Object", _of(_regarding)),
    _column("Source", _of(_reporter), wide=1),
    _column("Message", _of(lambda obj: obj.get("note") or obj.get("message", ""))),
    _column("Count", _of(lambda obj: obj.get("count") or obj.get("deprecatedCount") or 1), wide=1),
    _column("Name", _at(".metadata.name"), wide=1),
)
_BEHIND_AGE: Mapping[str, Sequence[Column]] = {
    "Node": (
        _column("Version", _at(".status.nodeInfo.kubeletVersion")),
        _column("Internal-IP", _listed('.status.addresses[?(@.type=="InternalIP")].address'), wide=1),
        _column("OS-Image", _at(".status.nodeInfo.osImage", "<unknown>"), wide=1),
        _column("Kernel-Version", _at(".status.nodeInfo.kernelVersion", "<unknown>"), wide=1),
        _column("Container-Runtime", _at(".status.nodeInfo.containerRuntimeVersion", "<unknown>"), wide=1),
    ),
    "Deployment": (
        _column("Containers", _listed(".spec.template.spec.containers[*].name"), wide=1),
        _column("Images", _listed(".spec.template.spec.containers[*].image"), wide=1),
    ),
    "Pod": (
        _column("IP", _at(".status.podIP", "<none>"), wide=1),
        _column("Node", _at(".spec.nodeName", "<none>"), wide=1),
    ),
}
