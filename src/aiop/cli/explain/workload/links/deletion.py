"""The workload is on its way out."""

from aiop.cli.explain.explanation import Finding, Source
from aiop.cli.explain.workload.replay import Scene


def deleted(scene: Scene) -> Finding | None:
    """What is being deleted serves nothing any more."""
    meta = scene.evidence.observed.workload.metadata
    if not meta.deletion_timestamp:
        return None
    left = len(scene.evidence.observed.pods)
    holders = f" and the finalizers {', '.join(meta.finalizers)}" if meta.finalizers else ""
    return Finding(
        "Deleting",
        f"it is being deleted since {meta.deletion_timestamp}: {left} pods are left{holders}",
        Source("AIWorkload", meta.name, "metadata.deletionTimestamp"),
        next="it goes once its children and finalizers are gone",
        numbers={"pods": left},
    )
