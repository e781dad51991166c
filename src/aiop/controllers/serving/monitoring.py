"""Which monitor there should be, and which should go. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiop.controllers.serving.children.monitor import monitor
from aiop.controllers.serving.leftovers import Deletion, deletion
from aiop.controllers.serving.observed import Observed
from aiop.controllers.serving.revision import KnownRevision, known_metrics
from aiop.runtime.controller.children import Child


@dataclass(frozen=True, slots=True)
class MonitorPlan:
    """At most one child."""

    children: tuple[Child, ...]
    deletions: tuple[Deletion, ...]


def plan_monitors(observed: Observed, revisions: Sequence[KnownRevision], labels: Mapping[str, str]) -> MonitorPlan:
    """A monitor of the kind that the cluster serves, if any of ``revisions`` shows metrics; no other of ours stays."""
    kind = observed.cluster.monitors
    shown = {each.hash: known_metrics(each.data, observed.runtimes) for each in revisions}
    child = monitor(kind, observed.key, shown, labels) if kind else None
    others = [(each, view) for each, view in observed.monitors.items() if child is None or each != child.resource]
    return MonitorPlan((child,) if child else (), tuple(deletion(each, view) for each, view in others))
