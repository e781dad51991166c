"""A Deployment is let go whose ReplicaSet may not follow it, as if its template had never changed. Pure.

It gets back the amounts that its ReplicaSet has, so its controller replaces no server: that is for a rollout of ours
to do. What its servers were given stays on record, for they have it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from aiop.controllers.serving.children.revision import controller_revision
from aiop.controllers.serving.names import FIELD_MANAGER
from aiop.controllers.serving.observed import DeploymentState, Observed, replicas_owned_by_another
from aiop.controllers.serving.resize.amounts import KINDS, LISTS, NAMES, with_amounts
from aiop.controllers.serving.resize.shape import only_set, shape_of, shaped_deployment, template_amounts
from aiop.controllers.serving.revision import KnownRevision
from aiop.runtime.controller.children import Child
from aiop.runtime.controller.drift import quantity
from aiop.runtime.views.workloads import Template

_Literal = Mapping[str, Mapping[str, object]]


def given_back(observed: Observed, revisions: Sequence[KnownRevision]) -> dict[str, KnownRevision]:
    """By hash, as they were before: the revisions whose ReplicaSets do not follow, once the API server said why."""
    if not observed.resize_refusal:
        return {}
    found = ((each.hash, _as_before(observed, each)) for each in revisions)
    return {name: before for name, before in found if before is not None}


def steps_back(observed: Observed, revision: KnownRevision) -> tuple[tuple[Child, ...], ...]:
    """First its record says what it is again, then its Deployment goes on."""
    record, live = controller_revision(observed.key, revision), observed.deployment_of(revision.hash)
    if live is None:
        return ((record,),)
    count = None if replicas_owned_by_another(live.view, FIELD_MANAGER) else live.desired
    return (record,), (_as_it_is(observed, revision, live, count),)


def _as_it_is(observed: Observed, revision: KnownRevision, live: DeploymentState, count: int | None) -> Child:
    return shaped_deployment(observed, revision, count, deadline=live.deadline, mark=str(live.mark or ""))


def _as_before(observed: Observed, revision: KnownRevision) -> KnownRevision | None:
    """None for one that has nothing to give back: its ReplicaSet has followed, or never had to."""
    live, first, shape = observed.deployment_of(revision.hash), revision.first, shape_of(observed, revision)
    only = only_set(observed, live) if live is not None else None
    if first is None or only is None or shape.settled:
        return None
    makes = _shown(only.spec.template)
    followed = makes == (wanted := _literal(revision.data.pod))
    if followed and shape.lagging is None:
        return None
    between = with_amounts(first.pod, template_amounts(only.spec.template))
    if makes not in (_literal(first.pod), wanted) and makes == _literal(between):
        # It was resized before. Which spec asked for that is not known any more.
        return replace(revision, data=msgspec.structs.replace(first, pod=between), asked=("",))
    return replace(revision, data=first, asked=(first.asked,), resized=False, first=None)


def _literal(pod: Mapping[str, Any]) -> _Literal:
    """To the letter: a request that is named and one that its limit stands for are two templates to Kubernetes."""
    return {
        each["name"]: {
            f"{kind}.{name}": quantity(str(amounts[name]))
            for kind in KINDS
            for name in NAMES
            if name in (amounts := (each.get("resources") or {}).get(kind) or {})
        }
        for part in LISTS
        for each in pod.get(part) or ()
    }


def _shown(template: Template) -> _Literal:
    return {
        each.name: {
            f"{kind}.{name}": quantity(amount)
            for kind in KINDS
            for name in NAMES
            if (amount := getattr(getattr(each.resources, kind), name))
        }
        for each in (*template.spec.init_containers, *template.spec.containers)
    }
