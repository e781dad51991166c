"""Which workloads a change of a Gateway concerns."""

from collections.abc import Iterable

from aiop.controllers.serving.exposure.gateways import GatewayView
from aiop.controllers.serving.exposure.live import BY_GATEWAY
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.controller.mappers import Mapper
from aiop.runtime.informer.informer import Event
from aiop.runtime.informer.store import Objects, key_of
from aiop.runtime.views.meta import ObjectView
from aiop.runtime.views.owned import Owned


def by_gateway(routes: Objects[Owned]) -> Mapper:
    """The workloads whose HTTPRoutes are attached to a Gateway; a route is called as its workload."""

    def mapper(view: ObjectView) -> Iterable[ObjectKey]:
        return [key_of(route) for route in routes.by_index(BY_GATEWAY, str(key_of(view)))]

    return mapper


def listens_elsewhere(event: Event[ObjectView]) -> bool:
    """Leave out what changes no URL: a Gateway's status says much more, and changes with each route."""
    old, new = event.old, event.new
    if not isinstance(old, GatewayView) or not isinstance(new, GatewayView):
        return True
    return (old.listeners, old.addresses) != (new.listeners, new.addresses)
