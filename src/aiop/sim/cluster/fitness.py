"""Why a pod does not fit a node, in the real scheduler's words. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aiop.sim.cluster.amounts import Amounts, amounts
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import condition_of, labels_of, spec_of, status_of

_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
# The scheduler's default for a node that does not say how many pods it takes.
_PODS = Decimal(110)


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why one node is out. ``hopeless``: no eviction would change that."""

    reasons: tuple[str, ...]
    hopeless: bool


def misfit(pod: Object, asked: Amounts, node: Object, used: Amounts) -> Misfit | None:
    """The first filter that turns the node down, or None if the pod fits; ``used`` counts pods as "pods"."""
    if spec_of(node).get("unschedulable") and not _tolerated(pod, {"key": _UNSCHEDULABLE, "effect": "NoSchedule"}):
        return Misfit(("node(s) were unschedulable",), hopeless=True)
    if any(not _tolerated(pod, taint) for taint in _taints(node)):
        return Misfit(("node(s) had untolerated taint(s)",), hopeless=True)
    if not _selected(pod, node):
        return Misfit(("node(s) didn't match Pod's node affinity/selector",), hopeless=True)
    return _short_of(asked, node, used)


def words(misfits: Iterable[Misfit]) -> str:
    """What the scheduler says when every node is out."""
    every = list(misfits)
    if not every:
        return "no nodes available to schedule pods"
    total = len(every)
    reasons = Counter(reason for each in every for reason in each.reasons)
    helpless = Counter(
        "Preemption is not helpful for scheduling" if each.hopeless else "No preemption victims found for incoming pod"
        for each in every
    )
    return (
        f"0/{total} nodes are available: {_listed(reasons)}. "
        f"preemption: 0/{total} nodes are available: {_listed(helpless)}."
    )


def _listed(reasons: Mapping[str, int]) -> str:
    return ", ".join(sorted(f"{number} {reason}" for reason, number in reasons.items()))


def _short_of(asked: Amounts, node: Object, used: Amounts) -> Misfit | None:
    has = amounts(status_of(node).get("allocatable"))
    if used.get("pods", Decimal(0)) + 1 > has.get("pods", _PODS):
        return Misfit(("Too many pods",), hopeless=False)
    short = [
        name
        for name, number in sorted(asked.items())
        if number and number > has.get(name, Decimal(0)) - used.get(name, Decimal(0))
    ]
    if not short:
        return None
    hopeless = any(asked[name] > has.get(name, Decimal(0)) for name in short)
    return Misfit(tuple(f"Insufficient {name}" for name in short), hopeless=hopeless)


def _taints(node: Object) -> list[dict[str, Any]]:
    taints = [each for each in spec_of(node).get("taints") or [] if each["effect"] in {"NoSchedule", "NoExecute"}]
    # The node lifecycle controller would taint a node that is not ready.
    return taints if condition_of(node, "Ready").get("status") == "True" else [*taints, _NOT_READY]


def _tolerated(pod: Object, taint: Mapping[str, Any]) -> bool:
    return any(_tolerates(each, taint) for each in pod["spec"].get("tolerations") or [])


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")


def _selected(pod: Object, node: Object) -> bool:
    spec = pod["spec"]
    labels = labels_of(node)
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or any(_term_fits(term, node) for term in required.get("nodeSelectorTerms") or [])


def _term_fits(term: Mapping[str, Any], node: Object) -> bool:
    """A term without any expression fits no node."""
    by_label = term.get("matchExpressions") or []
    by_field = term.get("matchFields") or []
    fields = {"metadata.name": node["metadata"]["name"]}
    return bool(by_label or by_field) and (
        all(_expression_fits(each, labels_of(node)) for each in by_label)
        and all(_expression_fits(each, fields) for each in by_field)
    )


def _expression_fits(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    values = expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compared(value, operator, values)
    return False


def _compared(value: str | None, operator: str, values: list[str]) -> bool:
    try:
        number, bound = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return number > bound if operator == "Gt" else number < bound
