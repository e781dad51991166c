"""Which workloads are to be scaled by their GPUs, as an index of their informer."""

import msgspec

from aiop.runtime.views.custom import CustomObject

HAS_GPU_TARGET = "yes"


class _Scaling(msgspec.Struct):
    enabled: bool = False
    target: int | None = msgspec.field(default=None, name="targetGPUUtilization")


class _Spec(msgspec.Struct):
    autoscaling: _Scaling | None = None


def by_gpu_target(workload: CustomObject) -> tuple[str, ...]:
    """The index value of a workload with a GPU target; none for another, and for a spec that makes no sense."""
    try:
        scaling = msgspec.json.decode(workload.spec, type=_Spec).autoscaling
    except (msgspec.DecodeError, RecursionError):
        return ()
    wanted = scaling is not None and scaling.enabled and scaling.target is not None
    return (HAS_GPU_TARGET,) if wanted and not workload.metadata.deletion_timestamp else ()
