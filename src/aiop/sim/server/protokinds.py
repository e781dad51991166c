"""The objects that kubectl makes itself and sends as protobuf: numbers of fields, facts of Kubernetes' API.

Not every field is here. One that is set and unknown is refused, never lost: `kubectl create -f` sends JSON, which is
read whole.
"""

from typing import Any

from aiop.sim.semantics.protobuf import (
    Field,
    Message,
    Read,
    UnreadableProtobuf,
    blob,
    envelope_in,
    flag,
    nested,
    number,
    pair,
    read_message,
    text,
)

Object = dict[str, Any]

PROTOBUF = "application/vnd.kubernetes.protobuf"


def protobuf_object(data: bytes) -> Object:
    """The object in a protobuf body; raises UnreadableProtobuf."""
    envelope = envelope_in(data)
    fields = _KINDS.get(envelope.kind)
    if fields is None:
        raise UnreadableProtobuf(f"{envelope.kind} is not read from protobuf here: send JSON, as kubectl apply does")
    return {"apiVersion": envelope.api_version, "kind": envelope.kind, **read_message(envelope.content, fields)}


def _one(name: str, read: Read = text) -> Field:
    return Field(name, read)


def _optional(name: str, read: Read) -> Field:
    return Field(name, read, optional=True)


def _many(name: str, read: Read = text) -> Field:
    return Field(name, read, many=True)


def _map(name: str, read: Read = text) -> Field:
    return Field(name, pair(read), mapped=True)


def _quantity(value: int | bytes) -> Any:
    return nested({1: _one("text")})(value).get("text", "0")


def _int_or_string(value: int | bytes) -> Any:
    parts = nested({1: _one("type", number), 2: _one("number", number), 3: _one("text")})(value)
    return parts.get("text", "") if parts.get("type") else parts.get("number", 0)


_META: Message = {
    1: _one("name"),
    2: _one("generateName"),
    3: _one("namespace"),
    5: _one("uid"),
    6: _one("resourceVersion"),
    8: None,
    11: _map("labels"),
    12: _map("annotations"),
    14: _many("finalizers"),
}
_HEAD: Message = {1: _one("metadata", nested(_META))}
_REQUIREMENT: Message = {1: _one("key"), 2: _one("operator"), 3: _many("values")}
_SELECTOR: Message = {1: _map("matchLabels"), 2: _many("matchExpressions", nested(_REQUIREMENT))}
_CONTAINER_PORT: Message = {
    1: _one("name"),
    2: _one("hostPort", number),
    3: _one("containerPort", number),
    4: _one("protocol"),
    5: _one("hostIP"),
}
_RESOURCES: Message = {1: _map("limits", _quantity), 2: _map("requests", _quantity)}
_CONTAINER: Message = {
    1: _one("name"),
    2: _one("image"),
    3: _many("command"),
    4: _many("args"),
    5: _one("workingDir"),
    6: _many("ports", nested(_CONTAINER_PORT)),
    7: _many("env", nested({1: _one("name"), 2: _one("value")})),
    8: _one("resources", nested(_RESOURCES)),
    13: _one("terminationMessagePath"),
    14: _one("imagePullPolicy"),
    20: _one("terminationMessagePolicy"),
}
_POD_SPEC: Message = {
    2: _many("containers", nested(_CONTAINER)),
    3: _one("restartPolicy"),
    4: _optional("terminationGracePeriodSeconds", number),
    6: _one("dnsPolicy"),
    7: _map("nodeSelector"),
    8: _one("serviceAccountName"),
    9: _one("serviceAccount"),
    10: _one("nodeName"),
    19: _one("schedulerName"),
    20: _many("initContainers", nested(_CONTAINER)),
}
_TEMPLATE: Message = {**_HEAD, 2: _one("spec", nested(_POD_SPEC))}
_DEPLOYMENT_SPEC: Message = {
    1: _optional("replicas", number),
    2: _one("selector", nested(_SELECTOR)),
    3: _one("template", nested(_TEMPLATE)),
    4: _one("strategy", nested({1: _one("type")})),
    5: _one("minReadySeconds", number),
    6: _optional("revisionHistoryLimit", number),
    7: _one("paused", flag),
    9: _optional("progressDeadlineSeconds", number),
}
_JOB_SPEC: Message = {
    1: _optional("parallelism", number),
    2: _optional("completions", number),
    3: _optional("activeDeadlineSeconds", number),
    6: _one("template", nested(_TEMPLATE)),
    7: _optional("backoffLimit", number),
    8: _optional("ttlSecondsAfterFinished", number),
}
_SERVICE_PORT: Message = {
    1: _one("name"),
    2: _one("protocol"),
    3: _one("port", number),
    4: _one("targetPort", _int_or_string),
    5: _one("nodePort", number),
}
_SERVICE_SPEC: Message = {
    1: _many("ports", nested(_SERVICE_PORT)),
    2: _map("selector"),
    3: _one("clusterIP"),
    4: _one("type"),
    7: _one("sessionAffinity"),
    10: _one("externalName"),
}
_RULE: Message = {
    1: _many("verbs"),
    2: _many("apiGroups"),
    3: _many("resources"),
    4: _many("resourceNames"),
    5: _many("nonResourceURLs"),
}
_SUBJECT: Message = {1: _one("kind"), 2: _one("apiGroup"), 3: _one("name"), 4: _one("namespace")}
_ROLE: Message = {**_HEAD, 2: _many("rules", nested(_RULE))}
_BINDING: Message = {
    **_HEAD,
    2: _many("subjects", nested(_SUBJECT)),
    3: _one("roleRef", nested({1: _one("apiGroup"), 2: _one("kind"), 3: _one("name")})),
}
_BUDGET_SPEC: Message = {
    1: _optional("minAvailable", _int_or_string),
    2: _one("selector", nested(_SELECTOR)),
    3: _optional("maxUnavailable", _int_or_string),
}
_DELETE_OPTIONS: Message = {
    1: _optional("gracePeriodSeconds", number),
    2: _one("preconditions", nested({1: _optional("uid", text), 2: _optional("resourceVersion", text)})),
    4: _one("propagationPolicy"),
    5: _many("dryRun"),
}
_KINDS: dict[str, Message] = {
    "Namespace": {**_HEAD, 2: _one("spec", nested({1: _many("finalizers")})), 3: None},
    "ConfigMap": {**_HEAD, 2: _map("data"), 3: _map("binaryData", blob), 4: _optional("immutable", flag)},
    "Secret": {**_HEAD, 2: _map("data", blob), 3: _one("type"), 4: _map("stringData"), 5: _optional("immutable", flag)},
    "ServiceAccount": _HEAD,
    "Service": {**_HEAD, 2: _one("spec", nested(_SERVICE_SPEC)), 3: None},
    "Deployment": {**_HEAD, 2: _one("spec", nested(_DEPLOYMENT_SPEC)), 3: None},
    "Job": {**_HEAD, 2: _one("spec", nested(_JOB_SPEC)), 3: None},
    "PodDisruptionBudget": {**_HEAD, 2: _one("spec", nested(_BUDGET_SPEC)), 3: None},
    "PriorityClass": {
        **_HEAD,
        2: _one("value", number),
        3: _one("globalDefault", flag),
        4: _one("description"),
        5: _one("preemptionPolicy"),
    },
    "Role": _ROLE,
    "ClusterRole": _ROLE,
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "DeleteOptions": _DELETE_OPTIONS,
    "Eviction": {**_HEAD, 2: _one("deleteOptions", nested(_DELETE_OPTIONS))},
}
