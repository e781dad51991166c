"""Wires the watcher of the GPU metric into a manager."""

from collections.abc import Iterator

from aiop.controllers.serving.errors import NotAccepted
from aiop.controllers.serving.scaling.custommetrics import CustomMetrics
from aiop.controllers.serving.scaling.targets import gpu_measure
from aiop.controllers.serving.scaling.wanted import by_gpu_target
from aiop.controllers.serving.scaling.watcher import GpuMetricWatcher, Wanted
from aiop.controllers.serving.settings import ServingSettings
from aiop.controllers.serving.sources import Sources
from aiop.controllers.serving.specs import SpecCache
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.controller import Controller
from aiop.runtime.informer.informer import Event
from aiop.runtime.manager.manager import Manager
from aiop.runtime.manager.tools import Tools
from aiop.runtime.views.custom import CustomObject


def watch_gpu_metric(
    manager: Manager,
    tools: Tools,
    controller: Controller,
    sources: Sources,
    specs: SpecCache,
    settings: ServingSettings,
) -> None:
    """While this process leads, look whether the GPU metric is served, and wake those whom it concerns."""
    watcher = GpuMetricWatcher(
        CustomMetrics(tools.client),
        sources.gpu_metrics,
        wanted=lambda: wanted_metrics(sources, specs, settings),
        pods=lambda key: [pod.metadata.name for pod in sources.pods_of(key)],
        wake=controller.enqueue,
        clock=tools.clock,
        random=tools.random,
        seconds=settings.gpu_metric_seconds,
    )
    sources.workloads.add_handler(lambda event: watcher.call() if _may_be_new(event) else None)
    manager.add_runnable("gpu metric", watcher.run, leader_only=True)


def wanted_metrics(sources: Sources, specs: SpecCache, settings: ServingSettings) -> Iterator[Wanted]:
    """Of each workload with a GPU target; one whose spec makes no sense waits until it does."""
    for view in sources.with_gpu_target():
        try:
            measure = gpu_measure(specs.workload(view), settings)
        except NotAccepted:
            continue
        meta = view.metadata
        yield Wanted(meta.uid, ObjectKey(meta.namespace, meta.name), measure.pods_metric)


def _may_be_new(event: Event[CustomObject]) -> bool:
    """True if a GPU target may have come, or its metric become another."""
    old, new = event.old, event.new
    if new is None or (old is not None and old.metadata.generation == new.metadata.generation):
        return False
    return bool(by_gpu_target(new))
