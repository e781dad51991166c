"""Defaults of built-in kinds that no published schema holds; facts of Kubernetes' API reference."""

from collections.abc import Callable, Mapping
from typing import Any

Object = dict[str, Any]

_POD_DEFAULTS: Object = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
_CONTAINER_DEFAULTS: Object = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_PROBE_DEFAULTS: Object = {
    "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
}  # fmt: skip


def builtin_defaults(kind: str, obj: Object) -> Object:
    """``obj`` of a built-in kind with the defaults that the server fills in by code."""
    fill = _BY_KIND.get(kind)
    return obj if fill is None else fill(obj)


def _filled(obj: Mapping[str, Any], defaults: Mapping[str, Any]) -> Object:
    return {**defaults, **{name: value for name, value in obj.items() if value is not None}}


def _with_spec(obj: Object, spec: Object) -> Object:
    return {**obj, "spec": spec}


def pod_spec_defaults(spec: Object) -> Object:
    """Defaults of a PodSpec."""
    filled = _filled(spec, _POD_DEFAULTS)
    for field in ("containers", "initContainers"):
        if field in filled:
            filled[field] = [_container(each) for each in filled[field]]
    if "volumes" in filled:
        filled["volumes"] = [_volume(each) for each in filled["volumes"]]
    return filled


def _container(container: Object) -> Object:
    image = str(container.get("image", ""))
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    pull = "IfNotPresent" if "@" in image or (tag and tag != "latest") else "Always"
    filled = _filled(container, {**_CONTAINER_DEFAULTS, "imagePullPolicy": pull})
    if "ports" in filled:
        filled["ports"] = [_filled(port, {"protocol": "TCP"}) for port in filled["ports"]]
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in filled:
            filled[probe] = _probe(filled[probe])
    resources = filled["resources"]
    if resources.get("limits"):
        requests = {**resources["limits"], **resources.get("requests", {})}
        filled["resources"] = {**resources, "requests": requests}
    return filled


def _probe(probe: Object) -> Object:
    filled = _filled(probe, _PROBE_DEFAULTS)
    if "httpGet" in filled:
        filled["httpGet"] = _filled(filled["httpGet"], {"path": "/", "scheme": "HTTP"})
    return filled


def _volume(volume: Object) -> Object:
    modes = {"configMap": 420, "secret": 420, "downwardAPI": 420, "projected": 420}
    return {
        name: _filled(value, {"defaultMode": modes[name]}) if name in modes else value for name, value in volume.items()
    }


def _template(spec: Object) -> Object:
    template = spec.get("template") or {}
    inner = {**template, "metadata": template.get("metadata") or {}}
    inner["spec"] = pod_spec_defaults(template.get("spec") or {})
    return {**spec, "template": inner}


def _pod(obj: Object) -> Object:
    spec = pod_spec_defaults(obj["spec"])
    account = spec.get("serviceAccountName") or "default"
    spec = _filled(
        spec,
        {"serviceAccountName": account, "serviceAccount": account, "enableServiceLinks": True, "priority": 0,
         "preemptionPolicy": "PreemptLowerPriority"},
    )  # fmt: skip
    status = obj.get("status") or {"phase": "Pending", "qosClass": "Burstable"}
    return {**obj, "spec": spec, "status": status}


def _deployment(obj: Object) -> Object:
    spec = _filled(_template(obj["spec"]), {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600})
    strategy = _filled(spec.get("strategy") or {}, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        rolling = {"maxUnavailable": "25%", "maxSurge": "25%"}
        strategy["rollingUpdate"] = _filled(strategy.get("rollingUpdate") or {}, rolling)
    return _with_spec(obj, {**spec, "strategy": strategy})


def _replica_set(obj: Object) -> Object:
    return _with_spec(obj, _filled(_template(obj["spec"]), {"replicas": 1}))


def _service(obj: Object) -> Object:
    spec = _filled(
        obj.get("spec") or {},
        {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
         "ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]},
    )  # fmt: skip
    spec["ports"] = [
        {**_filled(port, {"protocol": "TCP"}), "targetPort": port.get("targetPort", port.get("port"))}
        for port in spec.get("ports", [])
    ]
    return _with_spec({**obj, "status": obj.get("status") or {"loadBalancer": {}}}, spec)


def _job(obj: Object) -> Object:
    spec = _filled(
        _template(obj["spec"]),
        {"parallelism": 1, "completions": 1, "backoffLimit": 6, "suspend": False, "completionMode": "NonIndexed",
         "manualSelector": False, "podReplacementPolicy": "TerminatingOrFailed"},
    )  # fmt: skip
    return _with_spec(obj, spec)


def _autoscaler(obj: Object) -> Object:
    return _with_spec(obj, _filled(obj["spec"], {"minReplicas": 1}))


def _namespace(obj: Object) -> Object:
    labels = {**(obj["metadata"].get("labels") or {}), "kubernetes.io/metadata.name": obj["metadata"]["name"]}
    spec = _filled(obj.get("spec") or {}, {"finalizers": ["kubernetes"]})
    status = obj.get("status") or {"phase": "Active"}
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}, "spec": spec, "status": status}


def _claim(obj: Object) -> Object:
    spec = _filled(obj["spec"], {"volumeMode": "Filesystem"})
    return _with_spec({**obj, "status": obj.get("status") or {"phase": "Pending"}}, spec)


def _secret(obj: Object) -> Object:
    return _filled(obj, {"type": "Opaque"})


_BY_KIND: Mapping[str, Callable[[Object], Object]] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _replica_set,
    "Service": _service,
    "Job": _job,
    "Secret": _secret,
    "HorizontalPodAutoscaler": _autoscaler,
    "Namespace": _namespace,
    "PersistentVolumeClaim": _claim,
}
