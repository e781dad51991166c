"""Which rights a ServiceAccount was granted by a release of the chart, and which of them it used: by the audit log."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from support.kubectl import Kubectl

# Of every request of a ServiceAccount of that namespace, and of nobody else's. A watch is told when it is answered.
AUDIT_POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts:aiop-system"]
- level: None
"""
_REFUSED = 400
_FORBIDDEN = 403


class Right(NamedTuple):
    """One verb on one resource; ``namespace`` is empty where it holds in all of them, or for cluster-scoped kinds."""

    verb: str
    group: str
    resource: str
    namespace: str = ""

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''}{where}"


@dataclass(frozen=True, slots=True)
class Use:
    """What was done: rights that were used with success, those that were asked for in vain, paths of no resource."""

    rights: frozenset[Right]
    forbidden: frozenset[Right]
    paths: frozenset[str]


def bound_roles(admin: Kubectl, account: str) -> list[dict[str, Any]]:
    """The roles that are bound to the ServiceAccount of that name."""
    bindings = [*admin.items("clusterrolebindings"), *admin.items("rolebindings", "--all-namespaces")]
    found = []
    for binding in bindings:
        if any(each["name"] == account and each["kind"] == "ServiceAccount" for each in binding.get("subjects", ())):
            inside = Kubectl(admin.kubeconfig, binding["metadata"].get("namespace", "default"))
            found.append(inside.get(binding["roleRef"]["kind"], binding["roleRef"]["name"]))
    return found


def granted(admin: Kubectl, account: str) -> set[Right]:
    """All that these roles grant it; a Role grants it in its namespace, a ClusterRole everywhere."""
    return {
        right
        for role in bound_roles(admin, account)
        for rule in role["rules"]
        for right in _rights(rule, role["metadata"].get("namespace", ""))
    }


def _rights(rule: dict[str, Any], namespace: str) -> Iterator[Right]:
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                yield Right(verb, group, resource, namespace)


def used(log: Path, user: str) -> Use:
    """What the audit log tells of that user."""
    rights, forbidden, paths = set(), set(), set()
    for event in _events(log):
        if event["user"]["username"] != user:
            continue
        code = event.get("responseStatus", {}).get("code", 0)
        target = event.get("objectRef")
        if target is None:
            paths.add(event["requestURI"].partition("?")[0])
            continue
        resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
        right = Right(event["verb"], target.get("apiGroup", ""), resource, target.get("namespace", ""))
        if code == _FORBIDDEN:
            forbidden.add(right)
        elif 0 < code < _REFUSED:
            rights.add(right)
    return Use(frozenset(rights), frozenset(forbidden), frozenset(paths))


def _events(log: Path) -> Iterator[dict[str, Any]]:
    for line in log.read_text().splitlines():
        if line.endswith("}"):
            yield json.loads(line)


def unused(rights: Iterable[Right], use: Use) -> list[str]:
    """The rights that were granted for nothing; one that holds in all namespaces may have been used in any."""
    everywhere = {right._replace(namespace="") for right in use.rights}
    return sorted(str(right) for right in rights if right not in use.rights | everywhere)


def beyond(rights: Iterable[Right], use: Use) -> list[str]:
    """What was asked for in vain and never granted.

    A right that was granted is refused too by an API server that has just started and does not know it yet.
    """
    known = set(rights)
    return sorted(str(right) for right in use.forbidden if not {right, right._replace(namespace="")} & known)
