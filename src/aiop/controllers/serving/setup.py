"""Wires the serving controller into a manager."""

from typing import Any

from aiop.api.common import GROUP
from aiop.api.resources import AIWORKLOADS
from aiop.controllers.serving.exposure.kinds import HTTPROUTES
from aiop.controllers.serving.exposure.wakening import by_gateway, listens_elsewhere
from aiop.controllers.serving.metrics import ServingMetrics
from aiop.controllers.serving.modelfetches import ModelFetches
from aiop.controllers.serving.names import FIELD_MANAGER, WORKLOAD_LABEL
from aiop.controllers.serving.reconcile import ServingReconciler
from aiop.controllers.serving.resize.resizer import Resizer
from aiop.controllers.serving.runtimes import DefaultRuntimes
from aiop.controllers.serving.scaling.setup import watch_gpu_metric
from aiop.controllers.serving.settings import ServingSettings
from aiop.controllers.serving.sources import Sources, make_sources
from aiop.controllers.serving.specs import SpecCache
from aiop.controllers.serving.workloadgauges import WORKLOAD_GAUGES, workload_samples
from aiop.runtime.client.builtin import CONTROLLERREVISIONS, INGRESSES
from aiop.runtime.client.resource import Resource
from aiop.runtime.conditions.status import StatusWriter
from aiop.runtime.controller.children import ChildWriter
from aiop.runtime.controller.controller import Controller
from aiop.runtime.controller.mappers import label_key, own_key, owner_keys, spec_or_metadata_changed
from aiop.runtime.informer.informer import Event, EventType, Informer
from aiop.runtime.manager.manager import Manager
from aiop.runtime.manager.objectgauges import ObjectGauges
from aiop.runtime.manager.tools import Tools
from aiop.runtime.views.custom import CustomObject

_NAME = "serving"


def setup_serving(manager: Manager, tools: Tools, settings: ServingSettings) -> Controller:
    """Add informers, the default runtimes and the controller to ``manager``."""
    sources = make_sources(tools, monitors=settings.monitors)
    writable: dict[Resource, Informer[Any]] = {**sources.owned, CONTROLLERREVISIONS: sources.revisions}
    writers = {
        resource: ChildWriter(tools.client, informer, resource, FIELD_MANAGER)
        for resource, informer in writable.items()
    }
    status = StatusWriter(tools.client, AIWORKLOADS, FIELD_MANAGER)
    metrics = ServingMetrics(tools.metrics.registry, [resource.kind for resource in writable])
    specs, clock = SpecCache(), tools.client.server_clock
    resizer = Resizer(tools.client, sources.pods, sources.replica_sets, FIELD_MANAGER)
    reconciler = ServingReconciler(sources, writers, status, tools.events, settings, clock, metrics, resizer, specs)
    controller = tools.controller(_NAME, reconciler, workers=settings.workers)
    # The ledger must know a change before those are woken whom it concerns.
    sources.workloads.add_handler(sources.ledger.workload_changed)
    controller.watches(sources.workloads, own_key)
    by_owner, by_label = owner_keys(GROUP, AIWORKLOADS.kind), label_key(WORKLOAD_LABEL)
    for informer in writable.values():
        controller.watches(informer, by_owner)
    labelled: tuple[Informer[Any], ...] = (sources.replica_sets, sources.pods, sources.slices)
    for informer in labelled:
        controller.watches(informer, by_label)
    # A runtime that appears may be what any workload waits for.
    controller.watches(sources.runtimes, lambda _view: sources.workloads.store.keys())
    _watch_outside(controller, sources)
    sources.pods.add_handler(ModelFetches(tools.metrics.registry, manager.leads).seen)
    sources.workloads.add_handler(lambda event: _forget(event, reconciler))
    for informer in sources.everything():
        manager.add_informer(informer)
    manager.add_controller(controller)
    manager.add_gauges(ObjectGauges(WORKLOAD_GAUGES, sources.workloads.store.values, workload_samples))
    watch_gpu_metric(manager, tools, controller, sources, specs, settings)
    defaults = DefaultRuntimes(tools.client, sources.runtimes, tools.clock)
    manager.on_leading(defaults.prepare)
    manager.add_runnable("default runtimes", defaults.run, leader_only=True)
    return controller


def _watch_outside(controller: Controller, sources: Sources) -> None:
    """What others ask for, expose, install and configure may change how a workload is exposed."""
    ledger = sources.ledger
    controller.watches(sources.workloads, ledger.concerned_by_workload, predicate=spec_or_metadata_changed)
    ingresses, routes = sources.owned[INGRESSES], sources.owned[HTTPROUTES]
    controller.watches(ingresses, ledger.concerned_by_ingress, predicate=spec_or_metadata_changed)
    controller.watches(sources.ingress_classes, lambda _view: sources.workloads.store.keys())
    controller.watches(sources.gateways, by_gateway(routes.store), predicate=listens_elsewhere)

    def wake_all(_available: bool) -> None:
        for key in sources.workloads.store.keys():  # noqa: SIM118 - no Mapping
            controller.enqueue(key)

    for informer in sources.optional():
        informer.on_availability(wake_all)


def _forget(event: Event[CustomObject], reconciler: ServingReconciler) -> None:
    if event.type is EventType.DELETED and event.old is not None:
        reconciler.forget(event.old.metadata.uid)
