"""Which ServingRuntime serves a workload."""

from collections.abc import Mapping
from operator import itemgetter

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.errors import NotAccepted

# What serves an image of one's own that names no runtime.
CUSTOM = "custom"


def select_runtime(spec: AIWorkloadSpec, runtimes: Mapping[str, ServingRuntimeSpec]) -> tuple[str, ServingRuntimeSpec]:
    """The runtime's name and spec: by name, else `custom` for an image, else by framework (priority, then the newest).

    ``runtimes`` are sorted, the newest first.
    Raises NotAccepted (NoServingRuntime), naming what was asked and what exists.
    """
    if spec.runtime is not None:
        return _named(spec.runtime, runtimes, f"spec.runtime asks for the ServingRuntime {spec.runtime!r}")
    if spec.image is not None:
        return _named(CUSTOM, runtimes, f"spec.image needs the ServingRuntime {CUSTOM!r}")
    wanted = (spec.framework or "").casefold()
    candidates = [
        (framework.priority, name)
        for name, runtime in runtimes.items()
        if not runtime.disabled
        for framework in runtime.frameworks
        if framework.name.casefold() == wanted
    ]
    if candidates:
        # The first of the highest priority: of equals the newest.
        name = max(candidates, key=itemgetter(0))[1]
        return name, runtimes[name]
    raise NotAccepted(
        "NoServingRuntime",
        f"spec.framework asks for {spec.framework!r}, and no enabled ServingRuntime serves it. {_existing(runtimes)} "
        f"Set spec.framework to one of these, or spec.image to a server of your own.",
    )


def _named(name: str, runtimes: Mapping[str, ServingRuntimeSpec], asked: str) -> tuple[str, ServingRuntimeSpec]:
    runtime = runtimes.get(name)
    if runtime is not None and not runtime.disabled:
        return name, runtime
    state = "it is disabled" if runtime is not None else "there is none of that name"
    raise NotAccepted("NoServingRuntime", f"{asked}, and {state}. {_existing(runtimes)}")


def _existing(runtimes: Mapping[str, ServingRuntimeSpec]) -> str:
    known = [
        f"{name} ({', '.join(framework.name for framework in runtime.frameworks) or 'by name only'})"
        for name, runtime in sorted(runtimes.items())
        if not runtime.disabled
    ]
    return f"There is: {'; '.join(known)}." if known else "There is no ServingRuntime at all."
