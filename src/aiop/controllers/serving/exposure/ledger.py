"""The claims of all workloads and what they expose, as the caches show it, and whom a change of either concerns."""

from collections.abc import Iterable, Sequence

from aiop.controllers.serving.exposure.claimbook import ClaimBook
from aiop.controllers.serving.exposure.claims import Claimant, Place, claimant_of
from aiop.controllers.serving.exposure.live import BY_PLACE, BY_ROUTE, ingress_places, ingress_routes, place_values
from aiop.runtime.client.resource import ObjectKey
from aiop.runtime.informer.informer import Event
from aiop.runtime.informer.store import Objects
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectView
from aiop.runtime.views.owned import Owned


class CachedLedger:
    """A `Ledger` over the caches; the stores have the indexes of `live`.

    ``workload_changed`` must hear of every workload before anybody is woken by it.
    """

    def __init__(self, ingresses: Objects[Owned], routes: Objects[Owned]) -> None:
        self._book = ClaimBook()
        self._ingresses = ingresses
        self._routes = routes

    def claimants(self, place: Place) -> Sequence[Claimant]:
        """Of each way that is asked for, the oldest claimant of that place."""
        return self._book.claimants(place)

    def contested(self, host: str, namespace: str) -> Sequence[str]:
        """What ``host`` has in common with hosts that other namespaces than that one ask for."""
        return self._book.contested(host, namespace)

    def host_owner(self, host: str) -> Claimant | None:
        """The oldest claimant of a host that meets ``host``."""
        return self._book.host_owner(host)

    def leading_to(self, hosts: Sequence[str], route: str) -> Sequence[Owned]:
        """The Ingresses of those hosts whose class rewrites nothing, and which would lead to ``route`` as it is."""
        return [view for value in place_values(hosts, route) for view in self._ingresses.by_index(BY_ROUTE, value)]

    def owner(self, view: Owned) -> Claimant | None:
        """The workload that exposes something by that object; None if it is gone, or asks for nothing any more."""
        found = self._book.get(_owner_key(view))
        controller = view.metadata.controller()
        return found if found is not None and controller is not None and controller.uid == found.uid else None

    def workload_changed(self, event: Event[CustomObject]) -> None:
        """Take up what a workload asks for now."""
        old, new = event.old, event.new
        if old is not None and new is not None and _mark(old) == _mark(new):
            return  # but for its status, which asks for nothing
        self._book.put(event.key, None if new is None else claimant_of(new))

    def concerned_by_workload(self, view: ObjectView) -> Iterable[ObjectKey]:
        """Who else may get or lose something because that workload came, changed or went."""
        claimant = claimant_of(view) if isinstance(view, CustomObject) else None
        if claimant is None:
            return ()
        asked = claimant.asked
        exposing = [
            other
            for value in place_values(asked.hosts, asked.path)
            for other in (
                *self._ingresses.by_index(BY_PLACE, value),
                *self._ingresses.by_index(BY_ROUTE, value),
                *self._routes.by_index(BY_PLACE, value),
            )
        ]
        return (self._book.concerned(claimant) | {_owner_key(other) for other in exposing}) - {claimant.key}

    def concerned_by_ingress(self, view: ObjectView) -> Iterable[ObjectKey]:
        """Who else would lead to a route that this Ingress leads to, or would."""
        if not isinstance(view, Owned):
            return ()
        values = {*ingress_routes(view), *ingress_places(view)}
        found = (other for value in sorted(values) for other in self._ingresses.by_index(BY_ROUTE, value))
        return {_owner_key(other) for other in found} - {_owner_key(view)}


def _owner_key(view: Owned) -> ObjectKey:
    """What we make is called as its workload, but for Middlewares; all are in its namespace."""
    controller = view.metadata.controller()
    return ObjectKey(view.metadata.namespace, controller.name if controller else view.metadata.name)


def _mark(view: CustomObject) -> tuple[str, int, str | None]:
    return view.metadata.uid, view.metadata.generation, view.metadata.deletion_timestamp
