"""What a revision's Deployment has to say while its amounts change, so that its controller replaces no pod. Pure.

A Deployment whose template changes gets a new ReplicaSet and so new pods, unless a ReplicaSet of its own says the same
already. So it is paused and changed in one write; its ReplicaSet follows once the pause was seen; and it goes on once
the ReplicaSet's change was seen, by the same cache that the Deployment controller reads. Each step can be seen in the
objects, so whoever comes next goes on from there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from aiop.controllers.serving.children.revision import deployment
from aiop.controllers.serving.names import FIELD_MANAGER
from aiop.controllers.serving.observed import DeploymentState, Observed, paused_by_another
from aiop.controllers.serving.resize.amounts import Amounts, agrees, amounts_of, shown
from aiop.controllers.serving.revision import KnownRevision
from aiop.runtime.controller.children import Child
from aiop.runtime.views.workloads import ReplicaSet, Template


@dataclass(frozen=True, slots=True)
class TemplateResize:
    """A ReplicaSet that is to make its pods as its Deployment says; ``pod`` is the PodSpec, to the letter."""

    replica_set: ReplicaSet
    pod: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """``lagging`` is the ReplicaSet whose turn it is; ``settled`` is false until the Deployment goes on."""

    paused: bool = False
    lagging: ReplicaSet | None = None
    settled: bool = True


class _Content(msgspec.Struct):
    template: dict[str, Any]


def shape_of(observed: Observed, revision: KnownRevision) -> Shape:
    """The next step for the Deployment of that revision."""
    live = observed.deployment_of(revision.hash)
    if live is None or not revision.resized:
        return Shape()
    only = only_set(observed, live)
    if only is None:
        return Shape()  # it is rolling already, for a cause that is not ours: nothing is left to preserve
    makes, has = only.spec.template, template_amounts(live.template)
    if not agrees(has, amounts_of(revision.data.pod)):
        # Unless somebody else has changed it: then it is put right as everything is.
        still = live.paused or agrees(template_amounts(makes), has)
        ours = still and any(agrees(has, each) for each in revision.given)
        return Shape(paused=ours, settled=not ours)
    if not live.paused:
        return Shape()
    # To the letter: a request that is named and one that its limit stands for are two templates to the controller.
    if makes != live.template:
        return Shape(paused=True, lagging=only if live.current else None, settled=False)
    waits = only.status.observed_generation < only.metadata.generation
    return Shape(paused=waits, settled=paused_by_another(live.view, FIELD_MANAGER))


def shaped_deployment(
    observed: Observed, revision: KnownRevision, replicas: int | None, *, deadline: int, mark: str
) -> Child:
    """The revision's Deployment as it should be now."""
    paused = shape_of(observed, revision).paused
    return deployment(observed.key, revision, replicas, deadline=deadline, mark=mark, paused=paused)


def template_resizes(observed: Observed, revisions: Iterable[KnownRevision]) -> tuple[TemplateResize, ...]:
    """The ReplicaSets whose turn it is."""
    found = []
    for each in revisions:
        lagging, live = shape_of(observed, each).lagging, observed.deployment_of(each.hash)
        if lagging is not None and live is not None:
            pod = msgspec.json.decode(live.view.content, type=_Content).template["spec"]
            found.append(TemplateResize(lagging, pod))
    return tuple(found)


def template_amounts(template: Template) -> Amounts:
    """The amounts of every container of a template."""
    return shown([*template.spec.init_containers, *template.spec.containers])


def only_set(observed: Observed, live: DeploymentState) -> ReplicaSet | None:
    """The Deployment's ReplicaSet; None if there are several, or none."""
    uid = live.view.metadata.uid
    sets = [
        each
        for each in observed.replica_sets
        if (owner := each.metadata.controller()) is not None
        and owner.uid == uid
        and not each.metadata.deletion_timestamp
    ]
    return sets[0] if len(sets) == 1 else None
