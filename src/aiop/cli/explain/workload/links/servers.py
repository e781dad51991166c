"""Servers of the wanted revision that are missing or not ready: the operator's own diagnosis, and more words."""

from dataclasses import replace
from datetime import datetime, timedelta

from aiop.cli.explain.explanation import Finding
from aiop.cli.explain.workload.advice import fix_of
from aiop.cli.explain.workload.details.known import detailed
from aiop.cli.explain.workload.replay import Scene
from aiop.cli.explain.workload.views import decode_deployment_times
from aiop.controllers.serving.causes.images import GOES_ON
from aiop.runtime.kit.moments import moment_of

# A rollout that finds no room says itself what it will do about that.
_WITHOUT_ROOM = frozenset({"RollingOutInPlace", "LastServerStays", "NoneMayGiveWay", "NeedsMoreRoom"})


def not_ready(scene: Scene) -> Finding | None:
    """The one cause why not all servers are ready."""
    cause = scene.cause
    if cause is None or not scene.planned or scene.deployment is None:
        return None
    found = detailed(scene, cause)
    advice = found.fix or cause.fix or fix_of(cause.reason)
    found = replace(found, fix=advice.removesuffix(f"; {GOES_ON}"))
    ready = scene.conditions["Ready"]
    # An autoscaler's minimum is enough: growth does not unset Ready.
    found = replace(found, harmless=ready.status == "True")
    if ready.reason == "ProgressDeadlineExceeded" and cause.reason == "PodsNotReady":
        # Nothing worse is known than that it has taken too long.
        return replace(found, reason=ready.reason, message=ready.message, next="", at=None, fix=fix_of(ready.reason))
    way = scene.conditions["Progressing"]
    if way.reason in _WITHOUT_ROOM:
        return replace(found, next=f"{found.next}; {way.message}" if found.next else way.message)
    return _with_deadline(scene, found)


def deadline_of(scene: Scene) -> datetime | None:
    """When a rollout that makes no progress counts as stuck; None for one that is over, or stuck already."""
    live = scene.deployment
    if live is None or live.served or live.overdue:
        return None
    progressed = moment_of(decode_deployment_times(live.view.status).progressed)
    return progressed + timedelta(seconds=live.deadline) if progressed is not None else None


def _with_deadline(scene: Scene, found: Finding) -> Finding:
    live, deadline = scene.deployment, deadline_of(scene)
    if live is not None and live.overdue and not live.served:
        stuck = f"the rollout made no progress for {live.deadline} s (ProgressDeadlineExceeded)"
        return replace(found, next=f"{found.next}; {stuck}" if found.next else stuck, at=found.at)
    if deadline is None or found.at is not None:
        return found
    waits = f"{found.next}; " if found.next else ""
    return replace(found, next=f"{waits}without progress the rollout counts as stuck", at=deadline)
