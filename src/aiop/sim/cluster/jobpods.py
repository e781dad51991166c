"""The pods of a Job: their manifest, their labels and what each means for the count. Pure."""

import re
from collections.abc import Iterable

from aiop.sim.cluster.api import Object
from aiop.sim.cluster.objects import active, annotations_of, finalizers_of, owner_reference, phase_of, uid_of

TRACKING = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"


def labels_for(job: Object) -> dict[str, str]:
    """The labels that every pod of the Job carries, the older names too."""
    name, uid = job["metadata"]["name"], uid_of(job)
    return {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }


def is_indexed(job: Object) -> bool:
    """True if each completion has a number."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def index_of(pod: Object) -> int | None:
    """The pod's completion index, if it has one."""
    text = annotations_of(pod).get(INDEX, "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def tracked(pod: Object) -> bool:
    """True while the pod is not yet counted for good."""
    return TRACKING in finalizers_of(pod)


def pod_of(job: Object, index: int | None) -> Object:
    """A new pod of the Job, with a completion index if it has one."""
    template = job["spec"]["template"]
    given = template.get("metadata") or {}
    name = job["metadata"]["name"]
    labels = {**(given.get("labels") or {}), **labels_for(job)}
    annotations = dict(given.get("annotations") or {})
    spec = template["spec"]
    prefix = f"{name}-"
    if index is not None:
        labels[INDEX] = annotations[INDEX] = str(index)
        prefix = f"{name}-{index}-"
        spec = {**spec, "hostname": f"{name}-{index}", "containers": [_told(each) for each in spec["containers"]]}
    meta = {
        "generateName": prefix,
        "namespace": job["metadata"]["namespace"],
        "labels": labels,
        "ownerReferences": [owner_reference(job)],
        "finalizers": [*(given.get("finalizers") or []), TRACKING],
        **({"annotations": annotations} if annotations else {}),
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def missing_indexes(job: Object, pods: Iterable[Object], done: set[int]) -> list[int]:
    """The indexes that nobody works on and that are not done, lowest first."""
    busy = {index_of(pod) for pod in pods if active(pod)}
    return [each for each in range(int(job["spec"]["completions"])) if each not in done and each not in busy]


def done_indexes(job: Object, pods: Iterable[Object]) -> set[int]:
    """The indexes that have succeeded, pods that are not counted yet included."""
    found = set(_numbers(str((job.get("status") or {}).get("completedIndexes") or "")))
    return found | {index for pod in pods if phase_of(pod) == "Succeeded" and (index := index_of(pod)) is not None}


def written(indexes: Iterable[int]) -> str:
    """Indexes as the status has them: 0,2-4."""
    runs: list[list[int]] = []
    for each in sorted(indexes):
        if runs and runs[-1][-1] == each - 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    return ",".join(_run(run) for run in runs)


def _run(run: list[int]) -> str:
    if len(run) == 1:
        return str(run[0])
    # Two neighbours are listed, three and more are a range.
    return f"{run[0]},{run[1]}" if len(run) == 2 else f"{run[0]}-{run[-1]}"  # noqa: PLR2004 - said above


def _numbers(text: str) -> Iterable[int]:
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _told(container: Object) -> Object:
    if any(each["name"] == "JOB_COMPLETION_INDEX" for each in container.get("env") or []):
        return container
    path = {"fieldPath": f"metadata.labels['{INDEX}']"}
    return {
        **container,
        "env": [*(container.get("env") or []), {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": path}}],
    }
