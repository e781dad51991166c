"""What autoscaling comes to: bounds, the targets that can be read, and a sentence for each that cannot. Pure.

An autoscaler with one metric that cannot be read never scales down, so a metric is put in only if it can be read. If
none can be read, an autoscaler that is there already is kept: it does nothing then, and the number that it set stays.
Without it the number would fall to `replicas` because a metrics server is away.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.autoscaling import Autoscaling
from aiop.controllers.serving.quantities import value_of
from aiop.controllers.serving.scaling.served import NOT_LOOKED, Served, why_left_out
from aiop.controllers.serving.scaling.targets import Target, asked_amounts, targets
from aiop.controllers.serving.settings import ServingSettings


@dataclass(frozen=True, slots=True)
class ScalingPlan:
    """What the autoscaler aims at; no ``targets``: there is to be none.

    ``readable`` is false if none of the targets can be read. ``notes`` are sentences for the condition: what was left
    out, and why. ``behavior`` is in the words of HorizontalPodAutoscaler v2, and only what the user set.
    """

    minimum: int
    maximum: int
    targets: tuple[Target, ...]
    readable: bool
    notes: tuple[str, ...]
    behavior: Mapping[str, Any] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """True if an autoscaler sets the number of servers, or holds it."""
        return bool(self.targets)


def scaling_plan(
    spec: AIWorkloadSpec,
    settings: ServingSettings,
    live: Collection[str] | None = None,
    gpu: Served = NOT_LOOKED,
) -> ScalingPlan | None:
    """What `autoscaling` comes to, or None if it is off.

    ``live`` are the names of the metrics of the autoscaler that is there (None: there is none), ``gpu`` what is known
    of the GPU metric.
    """
    wanted = spec.autoscaling
    if wanted is None or not wanted.enabled:
        return None
    asked = tuple(targets(spec, settings))
    faults = {target: fault for target in asked if (fault := _fault(target, spec, live or (), gpu))}
    readable = tuple(target for target in asked if target not in faults)
    notes = [f"{target.field} {target.percent} is left out: {fault}." for target, fault in faults.items()]
    if spec.replicas not in range(wanted.min_replicas, wanted.max_replicas + 1):
        notes.append(
            f"spec.replicas {spec.replicas} is only the number to begin with, and lies outside "
            f"{wanted.min_replicas} to {wanted.max_replicas}."
        )
    return ScalingPlan(
        minimum=wanted.min_replicas,
        maximum=wanted.max_replicas,
        targets=readable or _held(asked, live),
        readable=bool(readable),
        notes=tuple(notes),
        behavior=_behavior(wanted),
    )


def _held(asked: tuple[Target, ...], live: Collection[str] | None) -> tuple[Target, ...]:
    """What an autoscaler keeps that can read nothing: what it has of what is asked for; it may not be without any."""
    if live is None:
        return ()
    return tuple(target for target in asked if target.measure.name in live) or asked[:1]


def _fault(target: Target, spec: AIWorkloadSpec, live: Collection[str], gpu: Served) -> str:
    """Why the target cannot be read; empty if it can."""
    resource = target.measure.resource
    if resource:
        if value_of(asked_amounts(spec).get(resource, "0")) > 0:
            return ""
        return f"percent of what? Set resources.requests.{resource} or .limits.{resource}"
    metric = target.measure.pods_metric
    known = gpu if gpu.metric == metric else NOT_LOOKED
    undecided_and_there = known.served is None and metric in live
    return "" if known.served or undecided_and_there else why_left_out(known.sight, metric)


def _behavior(wanted: Autoscaling) -> dict[str, Any]:
    """What the user set and no more: the API server has defaults for the rest, and would only seem to disagree."""
    if wanted.behavior is None:
        return {}
    said: dict[str, Any] = wanted.behavior.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {direction: rules for direction, rules in said.items() if rules}
