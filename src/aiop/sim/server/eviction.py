"""The eviction subresource of pods: a deletion that a PodDisruptionBudget may refuse."""

from collections.abc import Sequence
from typing import Any

from aiop.runtime.client.builtin import PODDISRUPTIONBUDGETS, PODS
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.semantics.selectors import selector_match
from aiop.sim.server.refusals import Refused, bad_request, refused
from aiop.sim.server.registry import Registry
from aiop.sim.server.requests import DeleteOptions, WriteOptions

Object = dict[str, Any]

SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
_VIOLATION = "Cannot evict pod as it would violate the pod's disruption budget."
# What the API server tells the client to wait while the controller has not caught up.
_RETRY_SECONDS = 10
_MANAGER = "embedded-server"


def evict(registry: Registry, key: ObjectKey, eviction: Object, *, dry_run: bool = False) -> Object:
    """Take the pod's disruption from its budget and delete the pod; raises Refused (429 if the budget forbids it)."""
    pod = registry.get(registry.kinds.of(PODS), key).obj
    named = (eviction.get("metadata") or {}).get("name") or key.name
    if named != key.name:
        raise bad_request(f"name in URL does not match name in Eviction object: {key.name}, {named}")
    asked = eviction.get("deleteOptions") or {}
    dry_run = dry_run or bool(asked.get("dryRun"))
    # A precondition that does not hold shall cost the budget nothing.
    registry.delete(registry.kinds.of(PODS), key, _options(asked, dry_run=True))
    if not _counts_for_nobody(pod):
        _take(registry, pod, dry_run=dry_run)
    registry.delete(registry.kinds.of(PODS), key, _options(asked, dry_run=dry_run))
    return SUCCESS


def _counts_for_nobody(pod: Object) -> bool:
    """True for a pod whose loss disturbs nothing: it has ended, has not begun or goes already."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in {"Succeeded", "Failed", "Pending"} or bool(pod["metadata"].get("deletionTimestamp"))


def _take(registry: Registry, pod: Object, *, dry_run: bool) -> None:
    budgets = _budgets_of(registry, pod)
    if len(budgets) > 1:
        raise refused(
            500, "InternalError",
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        )  # fmt: skip
    if not budgets or _may_go_unready(pod, budgets[0]):
        return
    status = _status_that_allows(budgets[0])
    if not dry_run:
        changed = {**budgets[0], "status": status}
        meta = budgets[0]["metadata"]
        options = WriteOptions(manager=_MANAGER, validation="Ignore")
        kind = registry.kinds.of(PODDISRUPTIONBUDGETS)
        registry.update(kind, ObjectKey(meta["namespace"], meta["name"]), changed, options, subresource="status")


def _budgets_of(registry: Registry, pod: Object) -> Sequence[Object]:
    """An empty selector is every pod of the namespace, none at all is none."""
    labels = pod["metadata"].get("labels") or {}
    found = registry.list(registry.kinds.of(PODDISRUPTIONBUDGETS), pod["metadata"]["namespace"])
    fits = (each.obj for each in found if each.obj["spec"].get("selector") is not None)
    return [each for each in fits if selector_match(each["spec"]["selector"])(labels)]


def _may_go_unready(pod: Object, budget: Object) -> bool:
    """A pod that is not ready goes without being counted: always, or while the budget is healthy, as the spec says."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    desired = status.get("desiredHealthy") or 0
    return bool(desired > 0 and (status.get("currentHealthy") or 0) >= desired)


def _status_that_allows(budget: Object) -> Object:
    """The budget's status after one more disruption; raises Refused if it allows none."""
    name, status = budget["metadata"]["name"], budget.get("status") or {}
    if (status.get("observedGeneration") or 0) < (budget["metadata"].get("generation") or 0):
        raise _too_many(f"The disruption budget {name} is still being processed by the server.", _RETRY_SECONDS)
    allowed = status.get("disruptionsAllowed") or 0
    if allowed <= 0:
        needed, current = status.get("desiredHealthy") or 0, status.get("currentHealthy") or 0
        raise _too_many(f"The disruption budget {name} needs {needed} healthy pods and has {current} currently")
    return {**status, "disruptionsAllowed": allowed - 1}


def _too_many(cause: str, seconds: int = 0) -> Refused:
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
    if seconds:
        details["retryAfterSeconds"] = seconds
    return refused(429, "TooManyRequests", _VIOLATION, details=details)


def _options(asked: Object, *, dry_run: bool) -> DeleteOptions:
    preconditions = asked.get("preconditions") or {}
    return DeleteOptions(
        uid=preconditions.get("uid", ""),
        version=preconditions.get("resourceVersion", ""),
        grace_seconds=asked.get("gracePeriodSeconds"),
        dry_run=dry_run,
    )
