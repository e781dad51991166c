"""What is deleted: old revisions beyond the history, and children that the spec no longer asks for. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiop.controllers.serving.names import revision_name
from aiop.controllers.serving.observed import Observed
from aiop.controllers.serving.revision import KnownRevision
from aiop.runtime.client.builtin import (
    CONTROLLERREVISIONS,
    DEPLOYMENTS,
    HORIZONTALPODAUTOSCALERS,
    SERVICES,
)
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.runtime.views.meta import ObjectView

# Old revisions without pods that are kept, so that a version set back comes back as it was.
HISTORY = 2


@dataclass(frozen=True, slots=True)
class Deletion:
    """One object to delete, and no other of its name."""

    resource: Resource
    key: ObjectKey
    uid: str


def beyond_history(observed: Observed, others: Sequence[KnownRevision]) -> list[Deletion]:
    """Old revisions that have no pods any more, but for the newest few."""
    idle = [
        revision
        for revision in others
        if (live := observed.deployment_of(revision.hash)) is None or not (live.desired or live.status.replicas)
    ]
    stored = {view.metadata.name: view for view in observed.revisions}
    deletions = []
    for revision in sorted(idle, key=lambda each: each.number)[: max(0, len(idle) - HISTORY)]:
        name = revision_name(observed.key.name, revision.hash)
        live = observed.deployment_of(revision.hash)
        deletions += [deletion(DEPLOYMENTS, live.view)] if live else []
        deletions += [deletion(SERVICES, observed.services[name])] if name in observed.services else []
        deletions += [deletion(CONTROLLERREVISIONS, stored[name])] if name in stored else []
    return deletions


def not_asked_for(observed: Observed, *, scaled: bool) -> list[Deletion]:
    """The autoscaler of a spec that wants none."""
    if scaled or observed.autoscaler is None:
        return []
    return [deletion(HORIZONTALPODAUTOSCALERS, observed.autoscaler)]


def deletion(resource: Resource, view: ObjectView) -> Deletion:
    """The deletion of that very object."""
    meta = view.metadata
    return Deletion(resource, ObjectKey(meta.namespace, meta.name), meta.uid)
