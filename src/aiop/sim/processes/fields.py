"""What a container may learn of its pod: fieldRef and resourceFieldRef."""

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal

from aiop.sim.cluster.amounts import amount
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import annotations_of, containers_of, init_containers_of, labels_of
from aiop.sim.processes.errors import ContainerNotMade

_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]")
# What a container without a limit is told: all that its node has.
_OF_THE_NODE = ("cpu", "memory", "ephemeral-storage")


def field_value(pod: Object, path: str, addresses: Mapping[str, str]) -> str:
    """The field's value; ``addresses`` has ``podIP`` and ``hostIP``. Raises ContainerNotMade for an unknown path."""
    meta, spec = pod["metadata"], pod["spec"]
    if found := _SUBSCRIPT.fullmatch(path):
        return (labels_of(pod) if found[1] == "labels" else annotations_of(pod)).get(found[2], "")
    values = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "metadata.labels": _listed(labels_of(pod)),
        "metadata.annotations": _listed(annotations_of(pod)),
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.podIP": addresses["podIP"],
        "status.podIPs": addresses["podIP"],
        "status.hostIP": addresses["hostIP"],
        "status.hostIPs": addresses["hostIP"],
    }
    if path not in values:
        raise ContainerNotMade(f"unsupported fieldPath: {path}")
    return str(values[path])


def resource_value(pod: Object, container: str, reference: Object, allocatable: Mapping[str, str]) -> str:
    """A request or limit of the container, or of the one that is named, in units of the divisor, rounded up.

    Without a limit a container has what its node has; without a request, its limit, or nothing.
    """
    name = reference.get("containerName") or container
    everything = [*containers_of(pod), *init_containers_of(pod)]
    chosen = next((each for each in everything if each["name"] == name), None)
    kind, _, resource = str(reference["resource"]).partition(".")
    if chosen is None or kind not in {"limits", "requests"}:
        raise ContainerNotMade(f"unsupported container resource: {reference['resource']} of container {name!r}")
    resources = chosen.get("resources") or {}
    limit = (resources.get("limits") or {}).get(resource)
    if limit is None and kind == "limits" and resource in _OF_THE_NODE:
        limit = allocatable.get(resource)
    found = limit if kind == "limits" else (resources.get("requests") or {}).get(resource, limit)
    divisor = amount(str(reference.get("divisor") or "1")) or Decimal(1)
    return str(math.ceil(amount(found or "0") / divisor))


def _listed(values: Mapping[str, str]) -> str:
    # A JSON string is what Go's quoting gives for the letters that labels and annotations usually have.
    return "\n".join(f"{key}={json.dumps(values[key], ensure_ascii=False)}" for key in sorted(values))
