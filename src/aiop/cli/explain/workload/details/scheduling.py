"""Pods without a node: what one of them asks for, and what the nodes have, if the caller may see nodes."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiop.cli.explain.explanation import Finding, Source
from aiop.cli.explain.workload.advice import fix_of
from aiop.cli.explain.workload.details.events import with_event
from aiop.cli.explain.workload.replay import Scene
from aiop.controllers.serving.causes.cause import Cause
from aiop.controllers.serving.quantities import value_of
from aiop.runtime.views.workloads import Node, Pod

_SHORT = re.compile(r"Insufficient ([A-Za-z0-9./-]{0,100}[A-Za-z0-9])")
_PROVISIONING = frozenset({"ProvisioningFailed", "FailedBinding", "VolumeMismatch"})


def unplaced(scene: Scene, cause: Cause) -> Finding:
    """The scheduler's words with the numbers behind them."""
    pod = next((each for each in scene.case.pods if _unplaced(each)), None)
    name = pod.metadata.name if pod is not None else ""
    short = cause.reason == "Unschedulable"  # what comes by itself is all that the condition advises
    found = Finding(
        cause.reason,
        cause.told,
        Source("Pod", name, "condition PodScheduled, the scheduler's words"),
        next=cause.fix if short else "the scheduler tries again as soon as a node, a pod or a claim changes",
        fix=fix_of(cause.reason) if short else cause.fix,
    )
    return _with_claim(scene, found) if cause.reason.startswith("Claim") else _with_room(scene, found)


def _unplaced(pod: Pod) -> bool:
    said = pod.condition("PodScheduled")
    return said is not None and said.status == "False"


def _with_room(scene: Scene, found: Finding) -> Finding:
    nodes = [each for each in scene.evidence.nodes if not each.spec.unschedulable]
    asked = _asked(scene.plan.target.data.pod if scene.plan.target else {})
    short = [name for name in dict.fromkeys(_SHORT.findall(found.message)) if name in asked]
    if not nodes or not short:
        return found
    told = [
        f"each asks for {asked[name]} {name}, and the largest of {len(nodes)} nodes has {_most(nodes, name)}"
        for name in short
    ]
    numbers: dict[str, int | str] = {}
    for name in short:
        numbers |= {f"asked {name}": asked[name], f"largest node {name}": _most(nodes, name)}
    return replace(found, message=f"{found.message}; {'; '.join(told)}", numbers={**found.numbers, **numbers})


def _most(nodes: list[Node], resource: str) -> str:
    return max((each.status.allocatable.get(resource, "0") for each in nodes), key=value_of)


def _asked(pod: Mapping[str, Any]) -> dict[str, str]:
    """What the first container asks for: the server, whose amounts decide."""
    containers: list[dict[str, Any]] = pod.get("containers", [])
    resources = containers[0].get("resources", {}) if containers else {}
    return {
        name: str(amount) for name, amount in {**resources.get("limits", {}), **resources.get("requests", {})}.items()
    }


def _with_claim(scene: Scene, found: Finding) -> Finding:
    claim = scene.evidence.claim
    if claim is None:
        return found
    kind = claim.spec.storage_class_name
    storage = "the default StorageClass" if kind is None else f"StorageClass {kind!r}" if kind else "no StorageClass"
    message = f"{found.message}; the claim is {claim.status.phase or 'new'}, with {storage}"
    source = Source("PersistentVolumeClaim", claim.metadata.name, "status.phase")
    return with_event(scene, replace(found, message=message, source=source), _PROVISIONING)
