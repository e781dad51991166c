"""What the server asks for: its resources, and the GPU that `gpu` implies."""

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.controllers.serving.errors import NotAccepted

GPU = "nvidia.com/gpu"
# A part of a GPU is named by its profile.
GPU_SLICE = "nvidia.com/mig-"


def resources(spec: AIWorkloadSpec) -> dict[str, dict[str, str]]:
    """Limits and requests, sorted; empty ones left out. Raises NotAccepted (ConflictingGpu)."""
    limits = {**spec.resources.limits, **_implied(spec)}
    result = {"limits": dict(sorted(limits.items())), "requests": dict(sorted(spec.resources.requests.items()))}
    return {kind: amounts for kind, amounts in result.items() if amounts}


def asks_for_gpu(spec: AIWorkloadSpec) -> bool:
    """True if the server gets a GPU or a slice of one."""
    return spec.gpu is not None or any(_is_gpu(name) for name in _asked(spec))


def _implied(spec: AIWorkloadSpec) -> dict[str, str]:
    """One GPU, or one slice of the profile, where the resources name none."""
    if spec.gpu is None:
        return {}
    asked = _asked(spec)
    if spec.gpu.mig is None:
        return {} if any(_is_gpu(name) for name in asked) else {GPU: "1"}
    slice_name = GPU_SLICE + spec.gpu.mig
    others = sorted(name for name in asked if _is_gpu(name) and name != slice_name)
    if others:
        raise NotAccepted(
            "ConflictingGpu",
            f"spec.gpu.mig asks for a slice {spec.gpu.mig}, and spec.resources for {', '.join(others)}: a container "
            f"gets one kind of GPU; leave one of them out",
        )
    return {} if slice_name in asked else {slice_name: "1"}


def _asked(spec: AIWorkloadSpec) -> dict[str, str]:
    return {**spec.resources.requests, **spec.resources.limits}


def _is_gpu(name: str) -> bool:
    return name == GPU or name.startswith(GPU_SLICE)
