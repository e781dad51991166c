"""Discovery: which groups, versions and resources there are."""

from collections.abc import Sequence
from typing import Any

from aiop.runtime.client.builtin import PODS
from aiop.sim.server.kinds import Kind, Kinds

VERSION = {
    "major": "1",
    "minor": "37",
    "gitVersion": "v1.37.2",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_PART_VERBS = ["get", "patch", "update"]


def groups(kinds: Kinds, further: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """/apis; ``further`` are groups whose objects are not stored."""
    names = dict.fromkeys(kind.resource.group for kind in kinds if kind.resource.group)
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [*(group(kinds, name) for name in names), *further]}


def group(kinds: Kinds, name: str) -> dict[str, Any] | None:
    """One group with its versions; None if there is none."""
    versions = dict.fromkeys(kind.resource.version for kind in kinds if kind.resource.group == name)
    if not versions:
        return None
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": listed,
        "preferredVersion": listed[0],
    }


def resources(kinds: Kinds, group_name: str, version: str) -> dict[str, Any] | None:
    """The resources of one version of a group; None if there is none."""
    found = [kind for kind in kinds if (kind.resource.group, kind.resource.version) == (group_name, version)]
    if not found:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": found[0].resource.api_version,
        "resources": [entry for kind in found for entry in _entries(kind)],
    }


def _entries(kind: Kind) -> list[dict[str, Any]]:
    resource = kind.resource
    main: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": _VERBS,
    }
    if kind.short_names:
        main["shortNames"] = list(kind.short_names)
    if kind.categories:
        main["categories"] = list(kind.categories)
    entries = [main]
    part = {"singularName": "", "namespaced": resource.namespaced, "verbs": _PART_VERBS}
    if kind.has_status:
        entries.append({**part, "name": f"{resource.plural}/status", "kind": resource.kind})
    if resource == PODS:
        entries += _pod_parts()
        entries.append({**part, "name": f"{resource.plural}/resize", "kind": resource.kind})
    if kind.scale:
        scale = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        entries.append({**part, "name": f"{resource.plural}/scale", **scale})
    return entries


def _pod_parts() -> list[dict[str, Any]]:
    """What only pods have."""
    part = {"singularName": "", "namespaced": True}
    eviction = {"group": "policy", "version": "v1", "kind": "Eviction", "verbs": ["create"]}
    streams = {"attach": "PodAttachOptions", "exec": "PodExecOptions", "portforward": "PodPortForwardOptions"}
    return [
        {**part, "name": "pods/eviction", **eviction},
        {**part, "name": "pods/log", "kind": "Pod", "verbs": ["get"]},
        *({**part, "name": f"pods/{name}", "kind": kind, "verbs": ["create", "get"]} for name, kind in streams.items()),
    ]
