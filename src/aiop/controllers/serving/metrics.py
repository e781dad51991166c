"""What the serving controller counts of its own work. Every series is there from the start: their number never grows.

No label names a namespace or a workload: what each workload is like stands in `workloadgauges`, and goes with it.
"""

import platform
from collections.abc import Iterable, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from aiop import __version__
from aiop.controllers.serving.reasons import REASONS
from aiop.runtime.conditions.condition import Condition, changed, find
from aiop.runtime.controller.children import Outcome

# From a server that starts at once to a model of hundreds of GiB that is fetched onto a new node.
_ROLLOUT_SECONDS = (5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0)
REFUSED, DELETED = "refused", "deleted"
# What was already so, and what waits for an old object to go, is no write.
_OUTCOMES = (Outcome.CREATED.value, Outcome.CHANGED.value, DELETED, REFUSED, Outcome.FOREIGN.value)


class ServingMetrics:
    """Counts in ``registry``, under names that begin with ``aiop_``; ``kinds`` are the kinds of the children."""

    def __init__(self, registry: CollectorRegistry, kinds: Iterable[str]) -> None:
        build = Gauge(
            "aiop_build_info",
            "1; what runs. It marks the operator's targets.",
            ["version", "python"],
            registry=registry,
        )
        build.labels(__version__, platform.python_version()).set(1)
        self._writes = Counter(
            "aiop_child_writes",
            "Children by what became of them: created, changed, deleted, refused by the API server, or foreign: "
            "not written, because somebody else's object has the name.",
            ["kind", "outcome"],
            registry=registry,
        )
        self._changes = Counter(
            "aiop_workload_condition_changes",
            "Conditions of all workloads that got this reason, or another status with it.",
            ["type", "reason"],
            registry=registry,
        )
        self._rollouts = Histogram(
            "aiop_workload_rollout_seconds",
            "Seconds from Progressing=True to the end of the rollout, of those that were completed; "
            "servers that were lost and came back count too.",
            registry=registry,
            buckets=_ROLLOUT_SECONDS,
        )
        self._known = {(kind, reason.name) for reason in REASONS for kind in reason.conditions}
        for kind in kinds:
            for outcome in _OUTCOMES:
                self._writes.labels(kind, outcome)
        for labels in self._known:
            self._changes.labels(*labels)

    def child(self, kind: str, outcome: str) -> None:
        """A child of that kind was ensured or deleted."""
        if outcome in _OUTCOMES:
            self._writes.labels(kind, outcome).inc()

    def told(self, before: Sequence[Condition], after: Sequence[Condition]) -> None:
        """A status with conditions ``after`` took the place of one with ``before``."""
        for each in changed(before, after):
            if (each.type, each.reason) in self._known:
                self._changes.labels(each.type, each.reason).inc()
        seconds = _rollout_seconds(find(before, "Progressing"), find(after, "Progressing"))
        if seconds is not None:
            self._rollouts.observe(seconds)


def _rollout_seconds(before: Condition | None, after: Condition | None) -> float | None:
    """How long the rollout took that ends here; None if none does."""
    if before is None or after is None or before.status != "True" or after.reason != "RolloutComplete":
        return None
    try:
        began, ended = (datetime.fromisoformat(each.last_transition_time) for each in (before, after))
        return max(0.0, (ended - began).total_seconds())
    except (ValueError, TypeError):  # a time that somebody else wrote
        return None
