"""Pods that the API server will not have: the ReplicaSet that was told, and the quota as it is now."""

from aiop.cli.explain.explanation import Finding, Source
from aiop.cli.explain.workload.details.quotas import exceeded
from aiop.cli.explain.workload.replay import Scene
from aiop.controllers.serving.causes.cause import Cause


def not_created(scene: Scene, cause: Cause) -> Finding:
    """The ReplicaSet's condition, which has the API server's words."""
    failed = next(
        (each for each in scene.case.replica_sets if any(said.status == "True" for said in each.status.conditions)),
        None,
    )
    name = failed.metadata.name if failed is not None else ""
    missing = scene.case.desired - len(scene.case.pods)
    found = Finding(
        cause.reason,
        cause.told,
        Source("ReplicaSet", name, "condition ReplicaFailure, the API server's words"),
        # The longest pause of the rate limiter of Kubernetes' own controllers is 1000 s.
        next="the ReplicaSet controller tries again after growing pauses, of 17 minutes at most",
        numbers={"missing": missing},
    )
    return exceeded(scene.evidence, found)
